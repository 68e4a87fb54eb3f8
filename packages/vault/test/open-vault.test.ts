import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ConfigError } from '@postern/core'
import { openVault } from '@postern/vault'

const TABLES = { customers: { key: ['id'], columns: { email: { mode: 'split', storage: 'text' } } } }

/** A folder with a holder's socket, and a vault file that names it as all three holders. */
async function folderOf(t: TestContext, more: object) {
  const folder = mkdtempSync(join(tmpdir(), 'postern-open-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const unix = join(folder, 'holder.sock')
  const server = createServer()
  server.listen(unix)
  await once(server, 'listening')
  t.after(() => server.close())
  const open = new Set<Socket>()
  server.on('connection', socket => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    socket.resume()
  })
  const holders = { 1: { unix }, 2: { unix }, 3: { unix } }
  const path = join(folder, 'vault.json')
  writeFileSync(path, JSON.stringify({ tables: TABLES, holders, ...more }))
  return { path, server, open }
}

test('a vault that cannot be opened keeps no connection to its holders', async t => {
  const { path, server, open } = await folderOf(t, { searchKey: 'none.key' })
  const first = once(server, 'connection')
  await assert.rejects(openVault(path), /none\.key: does not exist/)
  // What was begun may still arrive, and is closed.
  await Promise.race([first, new Promise(resolve => setImmediate(resolve))])
  while (open.size > 0) await once([...open][0] as Socket, 'close')
  assert.equal(open.size, 0)
})

test('a vault file that cannot be opened says why, and only one that is not there is to be made', async t => {
  const { path } = await folderOf(t, {})
  const folder = dirname(path)
  await assert.rejects(openVault(join(folder, 'none.json')), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /none\.json: does not exist[\s\S]*postern vault init/)
    return true
  })
  await assert.rejects(openVault(folder), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /is a directory, not a file/)
    assert.doesNotMatch(error.message, /vault init/)
    return true
  })
  writeFileSync(path, '{')
  await assert.rejects(openVault(path), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    assert.match(error.message, /is not JSON/)
    assert.doesNotMatch(error.message, /vault init/)
    return true
  })
})
