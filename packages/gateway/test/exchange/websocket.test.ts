import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { Engine, type Guard } from '@postern/core'
import { WebSocket, WebSocketServer } from 'ws'
import { deferred, RawClient, start, startBackend } from '../harness.ts'

async function startSocketBackend(
  t: TestContext,
  onSocket: (socket: WebSocket) => void,
): Promise<{ url: string; sockets: WebSocketServer }> {
  const backend = await startBackend(t, (_request, response) =>
    response.writeHead(426).end('upgrade, please'),
  )
  const sockets = new WebSocketServer({
    server: backend.server,
    handleProtocols: protocols => [...protocols][0] ?? false,
  })
  sockets.on('connection', onSocket)
  return { url: backend.url, sockets }
}

const echo = (socket: WebSocket): void => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
}

/** A socket that was open is closed without anything having been said on it. */
async function endsAfterOpening(port: number): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  const seen: string[] = []
  for (const name of ['open', 'message', 'error']) socket.on(name, () => void seen.push(name))
  await once(socket, 'close')
  assert.deepEqual(seen, ['open'])
}

describe('a WebSocket through the gateway', { timeout: 30_000 }, () => {
  test('carries text and bytes both ways, the subprotocol and the close code', async t => {
    const closed = deferred<number>()
    const { url } = await startSocketBackend(t, socket => {
      echo(socket)
      socket.on('close', code => closed.resolve(code))
    })
    const { port, event } = await start(t, url)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live`, ['chat.v2'])
    await once(socket, 'open')
    assert.equal(socket.protocol, 'chat.v2')
    const big = Buffer.alloc(300_000, 7)
    socket.send('hello')
    assert.equal(String((await once(socket, 'message'))[0]), 'hello')
    socket.send(big)
    assert.deepEqual((await once(socket, 'message'))[0], big)
    socket.close(4321, 'done')
    assert.equal(await closed.promise, 4321)
    const { outcome } = await event(({ type }) => type === 'http')
    assert.equal(outcome?.status, 101)
    assert.ok((outcome?.bytes ?? 0) > 300_000)
  })

  test('receives the close code of the backend', async t => {
    const { url } = await startSocketBackend(t, socket => socket.close(4000, 'go away'))
    const { port } = await start(t, url)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
    assert.deepEqual([code, reason.toString()], [4000, 'go away'])
  })

  test('is decided by the engine like any request', async t => {
    const seen: string[] = []
    const door: Guard = {
      name: 'door',
      failure: 'closed',
      decide: exchange => {
        seen.push(exchange.path.raw)
        return {
          effect: 'deny',
          guard: 'door',
          status: 403,
          reasons: [{ rule: 'door/no', message: 'Not you.' }],
        }
      },
    }
    const { url, sockets } = await startSocketBackend(t, () => assert.fail('reached the backend'))
    const { port } = await start(t, url, { engine: new Engine({ guards: [door] }) })
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live`)
    socket.on('error', () => undefined)
    const [, response] = await once(socket, 'unexpected-response')
    assert.equal(response.statusCode, 403)
    assert.match(String(response.headers['content-type']), /problem/)
    assert.deepEqual(seen, ['/live'])
    assert.equal(sockets.clients.size, 0)
    response.destroy()
  })

  test('that the backend will not open is answered as the backend answers', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('plain'))
    backend.server.on('upgrade', (_request, socket) =>
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone'),
    )
    const { port } = await start(t, backend.url)
    const client = new RawClient(port)
    client.write(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
    const received = await client.untilClosed()
    assert.match(received, /^HTTP\/1\.1 404 Not Found[\s\S]*\r\n\r\nnone$/)
  })

  test('is not opened behind a request that is still being answered', async t => {
    const { url, sockets } = await startSocketBackend(t, echo)
    const { port } = await start(t, url)
    const client = new RawClient(port)
    const upgrade =
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
    client.write(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${upgrade}`)
    await client.untilClosed()
    assert.equal(sockets.clients.size, 0)
  })

  test('ends when its session no longer holds', async t => {
    let valid = true
    const asked = deferred()
    const { url } = await startSocketBackend(t, echo)
    const { port } = await start(t, url, {
      timeouts: { tunnelRecheck: '20ms' },
      recheck: async exchange => {
        assert.equal(exchange.path.raw, '/live')
        asked.resolve()
        return valid
      },
    })
    const socket = new WebSocket(`ws://127.0.0.1:${port}/live`)
    await once(socket, 'open')
    await asked.promise
    assert.equal(socket.readyState, WebSocket.OPEN)
    valid = false
    await once(socket, 'close')
  })

  test('is asked about at once when told that something was revoked, and only where that concerns it', async t => {
    const asked: string[] = []
    const { url } = await startSocketBackend(t, echo)
    const { port, gateway } = await start(t, url, {
      timeouts: { tunnelRecheck: '1h' },
      recheck: exchange => {
        asked.push(exchange.path.raw)
        return false
      },
    })
    const hers = new WebSocket(`ws://127.0.0.1:${port}/hers`)
    const his = new WebSocket(`ws://127.0.0.1:${port}/his`)
    await Promise.all([once(hers, 'open'), once(his, 'open')])
    gateway.recheck(exchange => exchange.path.raw === '/hers')
    await once(hers, 'close')
    assert.equal(his.readyState, WebSocket.OPEN)
    assert.deepEqual(asked, ['/hers'])
    his.close()
  })

  test('ends when its session cannot be checked', async t => {
    const { url } = await startSocketBackend(t, echo)
    const { port } = await start(t, url, {
      timeouts: { tunnelRecheck: '20ms' },
      recheck: () => Promise.reject(new Error('store is down')),
    })
    await endsAfterOpening(port)
  })

  test('ends when nothing moves, and after its lifetime', async t => {
    const { url } = await startSocketBackend(t, echo)
    const idle = await start(t, url, { timeouts: { tunnelIdle: '30ms' } })
    await endsAfterOpening(idle.port)
    const old = await start(t, url, { timeouts: { tunnelLifetime: '30ms' } })
    await endsAfterOpening(old.port)
  })

  test('ends when the gateway stops, and the backend is notified', async t => {
    const closed = deferred<number>()
    const { url } = await startSocketBackend(t, socket => socket.on('close', code => closed.resolve(code)))
    const { port, gateway } = await start(t, url)
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
    await once(socket, 'open')
    assert.equal(gateway.inFlight, 1)
    await Promise.all([once(socket, 'close'), gateway.close({ grace: '10s' }), closed.promise])
    assert.equal(gateway.inFlight, 0)
  })

  test('that has ended is closed in time for a client that does not read', async t => {
    const ended = deferred()
    const { url } = await startSocketBackend(t, socket => {
      socket.on('error', () => undefined)
      socket.on('close', () => ended.resolve())
      socket.send(Buffer.alloc(30_000_000))
    })
    for (const options of [
      { timeouts: { tunnelIdle: '300ms', clientStall: '50ms' } },
      { timeouts: { tunnelLifetime: '300ms', clientStall: '50ms' } },
      { timeouts: { tunnelRecheck: '300ms', clientStall: '50ms' }, recheck: () => false },
    ]) {
      const { port } = await start(t, url, options)
      const client = connect(port, '127.0.0.1')
      t.after(() => client.destroy())
      client.write(
        'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      )
      await once(client, 'data')
      client.pause()
      await ended.promise
      // Writing is how a client that does not read finds out.
      const failed = once(client, 'error')
      const knock = setInterval(() => client.write('x'), 20)
      t.after(() => clearInterval(knock))
      assert.match(String((await failed)[0].code), /^(?:EPIPE|ECONNRESET)$/)
    }
  })
})
