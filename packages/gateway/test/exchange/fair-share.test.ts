import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { start, startBackend } from '../harness.ts'

const LARGE = Buffer.alloc(8 * 1_048_576, 1)

/** Clients that ask for a large answer and never read it, from loopback addresses of their own. */
async function slowReaders(
  t: TestContext,
  port: number,
  addresses: readonly string[],
  each: number,
): Promise<void> {
  const opened = addresses.flatMap(localAddress =>
    Array.from({ length: each }, async () => {
      const socket: Socket = connect({ port, host: '127.0.0.1', localAddress })
      t.after(() => socket.destroy())
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write('GET /large HTTP/1.1\r\nHost: a\r\n\r\n')
    }),
  )
  await Promise.all(opened)
}

/** A client that reads: resolves with the status of its answer. */
async function status(port: number, localAddress: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  let received = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk
  })
  socket.write('GET /small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  await once(socket, 'close')
  return received.slice(9, 12)
}

describe('connections to the backend', { timeout: 60_000 }, () => {
  test('are left for others, however many answers one client asks for and does not read', async t => {
    const backend = await startBackend(t, (request, response) => {
      response.end(request.url === '/large' ? LARGE : 'ok')
    })
    const { port } = await start(t, backend.url, { limits: { upstreamConnections: 8 } })
    await slowReaders(t, port, ['127.0.0.2', '127.0.0.3'], 20)
    const good = await Promise.all(Array.from({ length: 20 }, () => status(port, '127.0.0.9')))
    assert.deepEqual(new Set(good), new Set(['200']))
    assert.ok(backend.seen.filter(({ url }) => url === '/large').length <= 4)
  })

  test('are taken back from clients that do not read, when those of many addresses hold all', async t => {
    const backend = await startBackend(t, (request, response) => {
      response.end(request.url === '/large' ? LARGE : 'ok')
    })
    const { port } = await start(t, backend.url, { limits: { upstreamConnections: 8 } })
    const addresses = Array.from({ length: 12 }, (_, i) => `127.0.1.${i + 1}`)
    await slowReaders(t, port, addresses, 2)
    // Whoever comes while all connections are held waits for the first stall to have lasted a second: the
    // next request takes them back.
    const good: string[] = []
    for (let i = 0; i < 5; i++) good.push(await status(port, '127.0.0.9'))
    assert.deepEqual(new Set(good), new Set(['200']))
  })
})

describe('connections of clients', { timeout: 60_000 }, () => {
  test('are left for others, however many addresses open as many as they may', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('ok'))
    const { port, gateway } = await start(t, backend.url, { limits: { connections: 200 } })
    const crowds = Array.from({ length: 4 }, (_, i) => `127.0.2.${i + 1}`)
    const silent = crowds.flatMap(localAddress =>
      Array.from({ length: 60 }, async () => {
        const socket: Socket = connect({ port, host: '127.0.0.1', localAddress })
        t.after(() => socket.destroy())
        socket.on('error', () => undefined).resume()
        await once(socket, 'connect')
        return socket
      }),
    )
    await Promise.all(silent)
    const good = await Promise.all(Array.from({ length: 12 }, (_, i) => status(port, `127.0.3.${i + 1}`)))
    assert.deepEqual(new Set(good), new Set(['200']))
    assert.ok(gateway.connections < 200)
  })
})
