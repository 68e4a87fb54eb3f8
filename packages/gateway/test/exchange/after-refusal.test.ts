import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { exchangeBytes, start, startBackend } from '../harness.ts'

/** First requests that are refused in a way that ends the connection, or that ask for its end. */
const LAST: readonly (readonly [name: string, request: string])[] = [
  ['two Hosts', 'GET /c HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['no Host', 'GET /c HTTP/1.1\r\nX: y\r\n\r\n'],
  [
    'an encoding that is not chunked',
    'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  ],
  ['an unknown expectation', 'GET /c HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n'],
  ['a fragment', 'GET /c#d HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['TRACE', 'TRACE /c HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['too many headers', `GET /c HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(250)}\r\n`],
  ['its own wish to close', 'GET /c HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
  ['an old version', 'GET /c HTTP/1.0\r\nHost: a\r\n\r\n'],
]

describe('bytes behind the last answer of a connection', () => {
  for (const [name, first] of LAST)
    for (const count of [1, 5])
      test(`${name}: ${count} requests in the same segment never run`, async t => {
        const backend = await startBackend(t, (_request, response) => response.end('ok'))
        const { port } = await start(t, backend.url)
        // The connection to the backend is warm: a request that slips through would reach it at once.
        await exchangeBytes(port, 'GET /warm HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
        const evil = 'DELETE /evil HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count)
        await Promise.all(Array.from({ length: 10 }, () => exchangeBytes(port, first + evil)))
        assert.deepEqual(
          backend.seen.filter(({ url }) => url === '/evil'),
          [],
        )
      })

  test('requests behind an ordinary answer still run, in order', async t => {
    const backend = await startBackend(t, (request, response) => response.end(request.url))
    const { port } = await start(t, backend.url)
    const get = (path: string, end = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${end}\r\n`
    const answer = await exchangeBytes(port, get('/1') + get('/2') + get('/3', 'Connection: close\r\n'))
    assert.deepEqual(
      backend.seen.map(({ url }) => url),
      ['/1', '/2', '/3'],
    )
    assert.equal(answer.match(/HTTP\/1\.1 200/g)?.length, 3)
  })
})
