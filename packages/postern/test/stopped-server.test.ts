import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'

const BIN = fileURLToPath(new URL('../src/bin.ts', import.meta.url))
/** What an agent of a monitoring product leaves running, or a connection that nobody ended. */
const KEEPS_RUNNING = 'data:text/javascript,setInterval(()=>{},1000)'

test('a gateway that stopped ends, whatever else keeps the process', { timeout: 60_000 }, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-stopped-'))
  writeFileSync(
    join(folder, 'postern.config.json'),
    JSON.stringify({
      upstream: 'http://127.0.0.1:9',
      listen: '127.0.0.1:0',
      workers: 1,
      admin: false,
      console: false,
    }),
  )
  const gateway = spawn(process.execPath, [...SOURCE_FLAGS, ...['--import', KEEPS_RUNNING, BIN, 'gateway']], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => {
    gateway.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  const ended = once(gateway, 'close')
  let output = ''
  const started = new Promise<void>(resolve => {
    for (const stream of [gateway.stdout, gateway.stderr])
      stream.on('data', chunk => {
        output += String(chunk)
        if (/http:\/\/127\.0\.0\.1:\d/.test(output)) resolve()
      })
  })
  await Promise.race([started, ended])
  gateway.kill('SIGTERM')
  const [code, signal] = (await ended) as [number | null, string | null]
  assert.equal(`${code} ${signal}`, '0 null', output)
})
