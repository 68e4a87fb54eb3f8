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

  for (const [what, said] of [
    ['say nothing', ''],
    ['begin a head', 'GET / HTTP/1.1\r\n'],
    ['begin a body', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1'],
  ] as const)
    test(`clients that connect and ${what} keep nobody out`, async t => {
      const port = await listening(t, (request, response) => {
        request.resume().once('end', () => response.end('well'))
      })
      for (let round = 0; round < 30; round++) {
        const strangers = Array.from({ length: 8 }, () => connected(t, port))
        for (const stranger of strangers) stranger.write(said)
        await Promise.all(strangers.map(socket => socket.connecting && once(socket, 'connect')))
        const probe = connected(t, port)
        probe.write(GET)
        const [data] = (await once(probe, 'data')) as [Buffer]
        assert.match(data.toString(), /^HTTP\/1\.1 200 OK/)
      }
    })

  test('connections that are being answered keep their places', async t => {
    const answers: (() => void)[] = []
    const port = await listening(t, (_request, response) => void answers.push(() => response.end('well')))
    const held = Array.from({ length: 4 }, () => connected(t, port))
    for (const socket of held) socket.write(GET)
    while (answers.length < 4) await new Promise(resolve => setImmediate(resolve))
    const other = connected(t, port)
    other.write(GET)
    await once(other, 'close')
    const answered = held.map(socket => once(socket, 'data'))
    for (const answer of answers) answer()
    for (const [data] of await Promise.all(answered)) assert.match(String(data), /^HTTP\/1\.1 200 OK/)
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
