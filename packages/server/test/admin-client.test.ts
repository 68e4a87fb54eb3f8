import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { StoreError } from '@postern/core'
import { askGateway } from '../src/admin/admin-client.ts'
import { writeRunFile } from '../src/admin/run-file.ts'

test('attack: what has the port of a gateway that ended answers without end', async t => {
  let sent = 0
  const chunk = Buffer.alloc(1 << 20, ' ')
  const server = createServer((_request, response) => {
    const more = (): void => {
      while (sent < 256 << 20 && response.write(chunk)) sent += chunk.length
      if (sent >= 256 << 20) response.end()
    }
    response.on('drain', () => {
      sent += chunk.length
      more()
    })
    more()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), 'postern-admin-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeRunFile(folder, {
    pid: process.pid,
    gateway: 'http://127.0.0.1:1',
    admin: `http://127.0.0.1:${port}`,
    token: 'secret',
  })
  await assert.rejects(askGateway(folder, 'limits/show', {}), StoreError)
  assert.ok(sent <= 64 << 20, `${sent} bytes were taken`)
})
