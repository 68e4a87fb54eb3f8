import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exchangeBytes, RawClient, start, startBackend, startRawBackend } from '../harness.ts'

const SMUGGLED = 'DELETE /evil HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n'

/** A backend that ignores bodies: it reads a head, answers, and takes what follows for the next head. */
function ignoringBodies(heads: string[]): (socket: import('node:net').Socket) => void {
  return socket => {
    let received = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
        const head = received.slice(0, end)
        received = received.slice(end + 4)
        heads.push(head)
        const closes = /^connection: close$/im.test(head)
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${closes ? 'Connection: close\r\n' : ''}\r\nok`)
        if (closes) {
          socket.end()
          return
        }
      }
    })
  }
}

describe('a backend that ignores the body of', () => {
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS'])
    for (const framing of [`Content-Length: ${SMUGGLED.length}`, 'Transfer-Encoding: chunked'])
      test(`${method} (${framing.split(':')[0]}) does not run it as the next request`, async t => {
        const heads: string[] = []
        const backend = await startRawBackend(t, ignoringBodies(heads))
        const { port } = await start(t, backend.url)
        const body = framing.startsWith('Content')
          ? SMUGGLED
          : `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
        const request = `${method} /search HTTP/1.1\r\nHost: a\r\n${framing}\r\nConnection: close\r\n\r\n${body}`
        for (let i = 0; i < 3; i++) assert.match(await exchangeBytes(port, request), /^HTTP\/1\.1 200/)
        assert.deepEqual(
          heads.map(head => head.split(' ', 2).join(' ')),
          Array.from({ length: 3 }, () => `${method} /search`),
        )
        assert.ok(heads.every(head => /^connection: close$/im.test(head)))
      })

  test('GET without a body keeps the connection to the backend', async t => {
    const heads: string[] = []
    const backend = await startRawBackend(t, ignoringBodies(heads))
    const { port } = await start(t, backend.url)
    for (let i = 0; i < 3; i++)
      await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.equal(backend.connections(), 1)
  })
})

/**
 * A backend that answers a POST by its head alone, takes the body for the next request, and answers that one
 * only when more arrives: its answer would go to whoever comes next on the connection.
 */
function lateAnswers(status: number, heads: string[]): (socket: import('node:net').Socket) => void {
  return socket => {
    let received = ''
    let owed = 0
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      received += chunk
      for (; owed > 0; owed--) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled')
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
        const head = received.slice(0, end)
        received = received.slice(end + 4)
        heads.push(head.split(' ', 2).join(' '))
        if (head.startsWith('DELETE')) owed++
        else if (head.startsWith('POST')) socket.write(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nno`)
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmine')
      }
    })
  }
}

describe('a backend that answers a POST without reading its body', () => {
  const post = `POST /save HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`
  const get = 'GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
  for (const status of [302, 401, 404, 413, 500])
    test(`(${status}) never answers the next client with the answer to that body`, async t => {
      const heads: string[] = []
      const backend = await startRawBackend(t, lateAnswers(status, heads))
      const { port } = await start(t, backend.url)
      assert.match(await exchangeBytes(port, post), new RegExp(`^HTTP/1.1 ${status} `))
      assert.match(await exchangeBytes(port, get), /mine$/)
      assert.equal(backend.connections(), 2)
    })

  test('and succeeds before all of it was sent, carries no other request on that connection', async t => {
    const backend = await startRawBackend(t, socket => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly'))
    })
    const { port } = await start(t, backend.url)
    const early = new RawClient(port)
    early.write('POST /save HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\nfirst half')
    await early.until('early')
    early.write('the second')
    assert.match(await exchangeBytes(port, get), /early$/)
    assert.equal(backend.connections(), 2)
    early.close()
  })

  test('is no reason to close a connection whose backend reads and succeeds', async t => {
    const sockets = new Set<object>()
    const backend = await startBackend(t, (request, response) => {
      sockets.add(request.socket)
      request.resume().on('end', () => response.writeHead(201).end())
    })
    const { port } = await start(t, backend.url)
    const plain = 'POST /save HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\na=bc'
    for (let i = 0; i < 2; i++) assert.match(await exchangeBytes(port, plain), /^HTTP\/1\.1 201 /)
    assert.equal(sockets.size, 1)
  })
})
