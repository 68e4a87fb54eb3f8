import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { scratch } from '../../packages/store/test/scratch.ts'
import { SOURCE_FLAGS } from '../../test/source-flags.ts'
import { root } from '../workspace.ts'
import { blocksOf, readPage } from './support/page.ts'

const blocks = blocksOf(readPage('docs/adapters.md'))
  .filter(({ heading }) => heading.startsWith('Run several processes'))
  .map(({ text }) => text)

const APPLICATION = `
import { createServer } from 'node:http'
import { postern } from 'postern'
const layer = await postern({ log: 'none' })
const server = createServer(layer.node((request, response) => response.end('hello')))
server.listen(0, '127.0.0.1', () => console.log('started ' + process.pid))
process.on('disconnect', () => process.exit())
`

test('a worker of node:cluster that replaces another goes on in its data directory', {
  timeout: 120_000,
}, async t => {
  const server = blocks.find(code => code.includes('cluster.fork'))
  const directory = blocks.findLast(code => code.includes('dataDirectory'))?.match(/dataDirectory:.*,/)?.[0]
  assert.ok(server !== undefined && directory !== undefined, 'docs/adapters.md prints both')
  const folder = scratch(t)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'server.mjs'), server.replace('availableParallelism()', '2'))
  writeFileSync(join(folder, 'application.mjs'), APPLICATION)
  writeFileSync(join(folder, 'postern.config.mjs'), `export default { ${directory} }`)

  const primary = spawn(process.execPath, [...SOURCE_FLAGS, 'server.mjs'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => primary.kill('SIGKILL'))
  const workers: number[] = []
  for await (const line of createInterface(primary.stdout)) {
    const [, pid] = /^started (\d+)$/.exec(line) ?? []
    if (pid === undefined) continue
    workers.push(Number(pid))
    if (workers.length === 2) for (const worker of workers) process.kill(worker, 'SIGKILL')
    if (workers.length === 4) break
  }
  assert.equal(workers.length, 4)
  assert.deepEqual(readdirSync(join(folder, '.postern')).sort(), ['1', '2'])
})

test('a process that is started before the old one stopped waits for it, says so, and then serves', {
  timeout: 120_000,
}, async t => {
  const folder = scratch(t)
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'application.mjs'), APPLICATION.replace("{ log: 'none' }", ''))
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [...SOURCE_FLAGS, 'application.mjs'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    t.after(() => child.kill('SIGKILL'))
    return child
  }
  const old = start()
  await line(old.stdout, /^started/)
  const next = start()
  await line(next.stderr, new RegExp(`in use by another Postern \\(process ${old.pid}\\): waiting up to 15s`))
  // As a process manager does once the new process has had its time.
  old.kill('SIGINT')
  assert.equal(await line(next.stdout, /^started/), `started ${next.pid}`)
})

async function line(stream: Readable | null, wanted: RegExp): Promise<string> {
  const seen: string[] = []
  for await (const text of createInterface(stream as Readable)) {
    if (wanted.test(text)) return text
    seen.push(text)
  }
  assert.fail(`it printed no ${wanted}, but: ${seen.join(' | ')}`)
}
