import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exchangeBytes, start, startRawBackend } from '../harness.ts'
import { certificate, http2Request, http2Session } from '../tls.ts'

const chunked = (head: string): string =>
  `HTTP/1.1 200 OK\r\n${head}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n`
const close = 'Host: a\r\nConnection: close\r\n\r\n'

/** What the backend answers, what is asked, and the `Trailer` that the client sees. */
const ANSWERS: Readonly<
  Record<string, readonly [answer: string, request: string, trailer: string | undefined]>
> = {
  'one name': [chunked('Trailer: X-Sum\r\n'), `GET / HTTP/1.1\r\n${close}`, 'X-Sum'],
  'several, in two fields': [
    chunked('Trailer: X-Sum, Server-Timing\r\ntrailer: Grpc-Status\r\n'),
    `GET / HTTP/1.1\r\n${close}`,
    'X-Sum, Server-Timing, Grpc-Status',
  ],
  'names that may not be trailers': [
    chunked('Trailer: Content-Length, X-Sum, X-Postern-Identity, Trailer, Set-Cookie, a b\r\n'),
    `GET / HTTP/1.1\r\n${close}`,
    'X-Sum',
  ],
  'none that may be one': [chunked('Trailer: Host,,\r\n'), `GET / HTTP/1.1\r\n${close}`, undefined],
  // Node throws for a head that announces trailers where none can follow.
  'to HTTP/1.0': [chunked('Trailer: X-Sum\r\n'), `GET / HTTP/1.0\r\n${close}`, undefined],
  'to HEAD': [
    'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n',
    `HEAD / HTTP/1.1\r\n${close}`,
    undefined,
  ],
  'with 304': [
    'HTTP/1.1 304 Not Modified\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n',
    `GET / HTTP/1.1\r\n${close}`,
    undefined,
  ],
  'with 204': ['HTTP/1.1 204 No Content\r\nTrailer: X-Sum\r\n\r\n', `GET / HTTP/1.1\r\n${close}`, undefined],
  'named by Connection, which takes it away as any header': [
    chunked('Trailer: X-Sum\r\nConnection: keep-alive, Trailer\r\n'),
    `GET / HTTP/1.1\r\n${close}`,
    undefined,
  ],
  'with a length': [
    'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok',
    `GET / HTTP/1.1\r\n${close}`,
    undefined,
  ],
}

describe('the trailers that a backend announces', { timeout: 60_000 }, () => {
  for (const [name, [answer, request, trailer]] of Object.entries(ANSWERS))
    test(`are announced to the client where they can follow: ${name}`, async t => {
      const backend = await startRawBackend(t, socket => socket.on('data', () => socket.write(answer)))
      const { port } = await start(t, backend.url)
      const received = await exchangeBytes(port, request)
      assert.match(received, /^HTTP\/1\.1 (?:200|204|304) /)
      assert.equal(/^Trailer: (.*)\r$/m.exec(received)?.[1], trailer)
      if (trailer !== undefined) assert.match(received, /\r\n0\r\nX-Sum: 1\r\n\r\n$/)
    })

  test('are announced in HTTP/2 as well', async t => {
    const backend = await startRawBackend(t, socket =>
      socket.on('data', () => socket.write(chunked('Trailer: X-Sum, Host\r\n'))),
    )
    const { port } = await start(t, backend.url, { listen: { port: 0, tls: certificate() } })
    const session = http2Session(port)
    t.after(() => session.destroy())
    const { headers, trailers, body } = await http2Request(session, { ':path': '/' })
    assert.deepEqual([headers['trailer'], trailers['x-sum'], body], ['X-Sum', '1', 'ok'])
  })
})
