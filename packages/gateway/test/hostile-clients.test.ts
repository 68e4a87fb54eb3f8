import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { start, startBackend } from './harness.ts'
import { certificate, http2Request, http2Session } from './tls.ts'

describe('a client that reads nothing', () => {
  test('holds no place for ever with small answers on HTTP/2, whose window it keeps shut', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('hello'))
    const { port, gateway } = await start(t, backend.url, {
      listen: { port: 0, tls: certificate() },
      timeouts: { clientStall: '150ms' },
    })
    const session = connectHttp2(`https://localhost:${port}`, {
      ca: certificate().cert,
      settings: { initialWindowSize: 0 },
    })
    session.on('error', () => undefined)
    await once(session, 'remoteSettings')
    const closed = Array.from({ length: 20 }, () => {
      const stream = session.request({ ':path': '/' })
      stream.on('error', () => undefined)
      stream.pause()
      return new Promise(resolve => stream.once('close', resolve))
    })
    await Promise.all(closed)
    assert.equal(gateway.inFlight, 0)
    session.destroy()
    const other = http2Session(port)
    assert.equal((await http2Request(other, { ':path': '/' })).status, 200)
    other.close()
  })

  test('holds no place for ever with a small answer on HTTP/1, behind all that the kernel already holds for it', async t => {
    const backend = await startBackend(t, (_request, response) => response.end(Buffer.alloc(12_000)))
    const { port, gateway, events } = await start(t, backend.url, { timeouts: { clientStall: '150ms' } })
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    await once(socket, 'connect')
    // A client that does not read does not learn either that it was cut off.
    const isGone = (): boolean => events.length > 0 && gateway.connections === 0
    // One after the other, for those sent ahead of their answers have a cap of their own.
    for (let asked = 1; !isGone(); asked++) {
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      while (!isGone() && events.length < asked) await new Promise(resolve => setImmediate(resolve))
    }
    socket.destroy()
    assert.ok(events.length > 10)
    assert.equal(gateway.inFlight, 0)
  })
})
