import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Scope } from '../../../test/fresh.ts'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { scratch } from './scratch.ts'

const SOURCE = new URL('../src/index.ts', import.meta.url).href

describe('a directory in use', () => {
  test('names what to write in a worker of pm2', t => {
    const said = secondProcess(t, { NODE_APP_INSTANCE: '1' })
    assert.match(said, /in use by another Postern \(process \d+\)/)
    assert.match(said, /several workers of pm2/)
    assert.ok(said.includes('dataDirectory: `.postern/${' + 'process.env.NODE_APP_INSTANCE}`'), said)
    assert.match(said, /docs\/adapters\.md/)
  })

  test('names what to write in a worker of node:cluster, though its environment does not show it', t => {
    const said = secondProcess(t, {}, 'cluster')
    assert.match(said, /several workers of node:cluster/)
    assert.ok(said.includes('cluster.fork({ WORKER: number })'), said)
    assert.ok(said.includes('dataDirectory: `.postern/${' + 'process.env.WORKER}`'), said)
  })

  test('names the worker of pm2 in its cluster mode, which is a worker of node:cluster too', t =>
    assert.match(secondProcess(t, { NODE_APP_INSTANCE: '0' }, 'cluster'), /several workers of pm2/))

  test('names what to write in a second thread of the process', t => {
    const said = secondProcess(t, {}, 'thread')
    assert.match(said, /several workers of node:worker_threads/)
    assert.ok(said.includes('new Worker(file, { env: { ...process.env, WORKER: number } })'), said)
  })

  test('names the process to stop where there are no workers', t =>
    assert.match(secondProcess(t, {}), /stop it, or give this one its own directory$/m))
})

/**
 * What the second of two processes or threads says about a directory that the first, which started it, has.
 */
function secondProcess(
  scope: Scope,
  env: Record<string, string>,
  how: 'fork' | 'cluster' | 'thread' = 'fork',
): string {
  const folder = scratch(scope)
  const file = join(folder, 'application.mjs')
  const open = `openDataDirectory(${JSON.stringify(join(folder, 'data'))}, { exclusive: 'gateway' })`
  writeFileSync(
    file,
    `import { fork } from 'node:child_process'
import cluster from 'node:cluster'
import { Worker } from 'node:worker_threads'
import { openDataDirectory } from ${JSON.stringify(SOURCE)}
if (process.env.SECOND === undefined) {
  globalThis.held = ${open}
  const env = { ...process.env, SECOND: '1', ...${JSON.stringify(env)} }
  if (${JSON.stringify(how)} === 'cluster') cluster.fork(env)
  else if (${JSON.stringify(how)} === 'thread') new Worker(process.argv[1], { env })
  else fork(process.argv[1], { env })
} else {
  try { ${open} } catch (error) { console.log(error.message) }
  process.disconnect?.()
}
`,
  )
  const { NODE_APP_INSTANCE: _, NODE_UNIQUE_ID: __, ...clean } = process.env
  const { stdout, stderr } = spawnSync(process.execPath, [...SOURCE_FLAGS, file], {
    env: clean,
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.match(stdout, /in use/, stderr)
  return stdout
}
