import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { cli, startGatewayProcess } from './cli.ts'

const CONFIG = `
export default {
  trustProxies: ['loopback'],
  identify: exchange => {
    const id = exchange.header('x-who')
    return id === undefined ? undefined : { kind: 'user', id, authenticatedAt: 1_700_000_000_000 }
  },
  routes: { '/**': { require: {} } },
  timeouts: { tunnelRecheck: '1h' },
}
`

for (const workers of ['1', '2'])
  test(`a revoked principal is out of a running gateway of ${workers} threads, and its tunnels and streams of events are cut`, {
    timeout: 120_000,
  }, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-revoke-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'postern.config.mjs'), CONFIG)
    const backend = createServer((request, response) => {
      if (request.url !== '/events') return response.end('hello')
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      return response.write('data: hello\n\n')
    })
    backend.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => {})
      // The accept value of the key below (RFC 6455 section 4.2.2).
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n',
      )
    })
    await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      backend.closeAllConnections()
      backend.close()
    })
    const { port } = backend.address() as AddressInfo
    const gateway = await startGatewayProcess(
      ['--to', `http://127.0.0.1:${port}`, '--workers', workers],
      folder,
    )
    t.after(() => gateway.stop())
    const ask = async (who: string): Promise<number> =>
      (await fetch(gateway.url, { headers: { 'x-who': who, connection: 'close' } })).status
    const tunnel = async (who: string): Promise<Duplex> => {
      const headers = {
        'x-who': who,
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      }
      const asked = request(`${gateway.url}/live`, { headers }).end()
      const [, socket] = (await once(asked, 'upgrade')) as [IncomingMessage, Duplex]
      return socket.on('error', () => {}).resume()
    }
    /** Resolves when the stream ends. */
    const events = async (
      who: string,
    ): Promise<{ readonly ended: Promise<unknown>; close(): Promise<void> }> => {
      const answer = await fetch(`${gateway.url}/events`, { headers: { 'x-who': who } })
      const reader = answer.body?.getReader()
      assert.match(Buffer.from((await reader?.read())?.value ?? []).toString(), /hello/)
      const ended = reader?.read().then(
        ({ done }) => assert.ok(done),
        () => undefined,
      )
      return { ended: ended ?? Promise.reject(), close: async () => reader?.cancel() }
    }
    assert.deepEqual([await ask('alice'), await ask('bob')], [200, 200])
    const [hers, his] = [await tunnel('alice'), await tunnel('bob')]
    const [herEvents, hisEvents] = [await events('alice'), await events('bob')]
    let hisEnded = false
    hisEvents.ended.then(() => {
      hisEnded = true
    })
    const cut = once(hers, 'close')

    const { code, stdout } = await cli(['sessions', 'revoke', 'principal:alice'], folder)
    assert.equal(code, 0)
    assert.match(stdout, /issued to alice until now/)
    const told = Date.now()
    await Promise.all([cut, herEvents.ended])
    t.diagnostic(`cut after ${Date.now() - told} ms`)
    // Every thread is notified within a second; each connection may meet another one. The test's own limit
    // ends the wait.
    for (let inARow = 0; inARow < 8; ) inARow = (await ask('alice')) === 401 ? inARow + 1 : 0
    assert.equal(await ask('bob'), 200)
    assert.equal(his.closed, false)
    assert.equal(hisEnded, false)
    await hisEvents.close()
    his.destroy()
    assert.equal((await cli(['sessions', 'revoke', 'principal:'], folder)).code, 2)
  })
