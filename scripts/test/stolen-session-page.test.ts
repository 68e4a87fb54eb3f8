import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { freshDatabase } from '../../test/fresh.ts'
import { findBinary } from '../../test/local-server.ts'
import { root } from '../workspace.ts'
import { blocksOf, readPage } from './support/page.ts'

const END = '--- end of a block ---'

async function freePort(): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  await new Promise(resolve => probe.close(resolve))
  return String(address !== null && typeof address === 'object' ? address.port : 0)
}

test('the story of the stolen session happens as it is printed', { timeout: 240_000 }, async t => {
  const owner = await freshDatabase(t)
  const folder = mkdtempSync(join(tmpdir(), 'postern-story-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  // The role of the page is one for the whole server: it has a name of its own here.
  const shop = new URL(owner)
  shop.username = `shop_${randomBytes(6).toString('hex')}`
  shop.password = 'shop'
  const port = await freePort()
  const here = (text: string): string =>
    text
      .replaceAll('postgres://postgres@127.0.0.1/harbour', owner)
      .replaceAll('postgres://shop:shop@127.0.0.1/harbour', shop.href)
      .replaceAll('/tmp/harbour', folder)
      .replaceAll('3000', port)
  const blocks = blocksOf(readPage('docs/stolen-session.md'))
  const script = blocks
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => `${here(text)}echo '${END}'\n`)
    .join('')
  const psql = findBinary('psql')
  assert.ok(psql !== undefined)
  // A group of its own: the shop that the page starts in the background ends with it.
  const child = spawn('bash', ['-e', '-c', script], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: [dirname(psql), process.env['PATH']].join(delimiter) },
  })
  t.after(() => stopGroup(child.pid))
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(180_000) }).catch(() => [
    'it did not end',
  ])
  assert.equal(code, 0, `${output}\n${errors}`)
  const printed = output.split(`${END}\n`)
  let index = -1
  for (const { language, text } of blocks) {
    if (language === 'sh') index++
    else if (language === 'text') assert.equal(printed[index], text)
  }
})

/** Ends whatever of the page still runs. */
function stopGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // It is over.
  }
}
