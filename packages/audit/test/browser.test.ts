import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { chromiumPath } from '../../../test/chromium.ts'
import { logHandler, openAuditLog, readAuditLog } from '../src/index.ts'
import { freshDirectory, requestEvent } from './support/events.ts'

const chromium = chromiumPath()

test('the verifier runs in a browser as one ES module', async t => {
  const directory = freshDirectory()
  const log = await openAuditLog({ directory, origin: 'shop.example.com/audit' })
  for (let i = 0; i < 300; i++) log.record(requestEvent(i))
  await log.close()
  const reader = readAuditLog(directory)
  t.after(() => reader.close())
  const source = readFileSync(new URL('../src/verifier.ts', import.meta.url), 'utf8')
  const page = `<!doctype html><title>verify</title><pre id="result"></pre><script type="module">
    import { verifyLog } from '/verifier.js'
    const read = async path => {
      const response = await fetch('/log/' + path)
      return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined
    }
    const report = await verifyLog({ read, verifierKeys: ${JSON.stringify(await reader.verifierKeys())} })
    const tampered = await verifyLog({
      verifierKeys: ${JSON.stringify(await reader.verifierKeys())},
      read: async path => {
        const bytes = await read(path)
        if (path === 'tile/entries/000') bytes[1000] ^= 1
        return bytes
      },
    })
    document.querySelector('#result').textContent = JSON.stringify([report.ok, report.size, report.entries, tampered.ok, tampered.problems[0].path])
  </script>`
  const tiles = logHandler(reader, '/log')
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/log/') === true) return tiles(request, response)
    const script = request.url === '/verifier.js'
    response.writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html' })
    response.end(script ? stripTypeScriptTypes(source) : page)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const profile = mkdtempSync(join(tmpdir(), 'postern-browser-'))
  const { stdout } = await promisify(execFile)(
    chromium,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      `--user-data-dir=${profile}`,
      '--virtual-time-budget=20000',
      '--dump-dom',
      `http://127.0.0.1:${port}/`,
    ],
    { timeout: 60_000 },
  )
  server.close()
  rmSync(profile, { recursive: true, force: true })
  const result = /<pre id="result">(.*?)<\/pre>/.exec(stdout)?.[1] ?? ''
  assert.equal(result.replaceAll('&quot;', '"'), '[true,300,300,false,"tile/entries/000"]')
})
