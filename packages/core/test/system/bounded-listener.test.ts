import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { boundedServer } from '../../src/index.ts'

async function listening(t: TestContext, handle: RequestListener, stall?: number): Promise<number> {
  const server = boundedServer(createServer, handle, {
    connections: 4,
    ...(stall !== undefined && { stall }),
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function connected(t: TestContext, port: number): Socket {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  t.after(() => socket.destroy())
  return socket
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

describe('attacks on a listener beside the traffic', () => {
  test('a segment of 1,600 requests is answered eight times at most', async t => {
    let asked = 0
    const port = await listening(t, (_request, response) => {
      asked++
      setImmediate(() => response.end('x'.repeat(1_000)))
    })
    const socket = connected(t, port)
    socket.resume().end(GET.repeat(1_600))
    await once(socket, 'close')
    assert.equal(asked, 8)
  })

  test('a client that takes nothing of its answer loses its connection, and its place', async t => {
    const port = await listening(t, (_request, response) => void response.end(Buffer.alloc(32 << 20)), 50)
    const held = Array.from({ length: 4 }, () => connected(t, port))
    for (const socket of held) socket.pause().write(GET)
    await Promise.all(held.map(socket => once(socket, 'connect')))
    // Somebody else is let in once the places are free again.
    let answered = false
    while (!answered) {
      const other = connected(t, port)
      other.write('GET / HTTP/1.0\r\n\r\n')
      answered = await new Promise<boolean>(resolve => {
        other.once('data', () => resolve(true))
        other.once('close', () => resolve(false))
      })
      other.destroy()
    }
    assert.ok(answered)
  })

  test('requests one after the other are all answered', async t => {
    const port = await listening(t, (_request, response) => void response.end('well'))
    const socket = connected(t, port)
    for (let i = 0; i < 40; i++) {
      socket.write(GET)
      const [data] = (await once(socket, 'data')) as [Buffer]
      assert.match(data.toString(), /^HTTP\/1\.1 200 OK/)
    }
  })
})
