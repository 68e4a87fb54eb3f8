import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exchangeBytes, start, startRawBackend } from './harness.ts'

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
