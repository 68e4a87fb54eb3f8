import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { CidrSet, Engine } from '@postern/core'
import { start, startBackend } from '../harness.ts'
import { certificate } from '../tls.ts'

describe('a client that resets its connection behind a request', { timeout: 30_000 }, () => {
  test('reaches no backend, and burdens no other address', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('hello'))
    const engine = new Engine({ trustedProxies: CidrSet.parse(['loopback']) })
    const gateway = await start(t, backend.url, { engine, listen: { port: 0, tls: certificate() } })
    for (const head of [
      'DELETE /orders HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n',
      'GET /live HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.7\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    ]) {
      const socket = connect(gateway.port, '127.0.0.1')
      const secured = connectTls({ socket, ca: certificate().cert, servername: 'localhost' })
      await once(secured, 'secureConnect')
      secured.write(head)
      socket.resetAndDestroy()
    }
    // Whatever of them was to arrive has arrived before a later request is answered.
    const later = connectTls({
      port: gateway.port,
      host: '127.0.0.1',
      ca: certificate().cert,
      servername: 'localhost',
    })
    later.write('GET /later HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    await once(later.resume(), 'close')
    await gateway.event(event => event.request?.path === '/later')
    assert.deepEqual(
      backend.seen.map(request => request.url),
      ['/later'],
    )
    assert.equal(gateway.events.length, 1)
  })
})
