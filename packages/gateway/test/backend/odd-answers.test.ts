import assert from 'node:assert/strict'
import type { ClientHttp2Session } from 'node:http2'
import { describe, type TestContext, test } from 'node:test'
import { exchangeBytes, start, startRawBackend } from '../harness.ts'
import { certificate, http2Request, http2Session } from '../tls.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const ok = (headers: string, body = 'ok'): string =>
  `HTTP/1.1 200 OK\r\n${headers}Content-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`
const chunked = (trailers: string): string =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailers}\r\n`

/**
 * Answers of a backend that is broken, taken over, or lets its callers write into its headers; and the status
 * that a client of the gateway sees.
 */
const ANSWERS: Readonly<Record<string, readonly [answer: string, status: number]>> = {
  // What servers really send, and must go through in both protocols.
  'Content-Type twice': [ok('Content-Type: text/plain\r\nContent-Type: text/plain\r\n'), 200],
  'ETag, Location and Age twice': [
    ok('ETag: "a"\r\nETag: "a"\r\nLocation: /a\r\nLocation: /b\r\nAge: 1\r\nAge: 2\r\n'),
    200,
  ],
  'Access-Control-Allow-Credentials twice': [
    ok('Access-Control-Allow-Credentials: true\r\nAccess-Control-Allow-Credentials: true\r\n'),
    200,
  ],
  'HTTP2-Settings': [ok('HTTP2-Settings: AAMAAABkAAQAAP__\r\n'), 200],
  'a value in Latin-1': [ok('X-Name: caf\xe9\r\n'), 200],
  'a value in UTF-8': [ok('X-Name: caf\xc3\xa9\r\n'), 200],
  'a reason phrase in UTF-8': ['HTTP/1.1 200 Tr\xc3\xa8s bien\r\nContent-Length: 2\r\n\r\nok', 200],
  'a reason phrase in Latin-1': ['HTTP/1.1 200 Tr\xe8s bien\r\nContent-Length: 2\r\n\r\nok', 200],
  'no reason phrase': ['HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', 200],
  '205 with content': ['HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok', 205],
  '205 with content in chunks': [chunked('').replace('200 OK', '205 Reset Content'), 205],
  'an empty value': [ok('X-Empty:\r\n'), 200],
  'Upgrade on an ordinary answer': [ok('Upgrade: h2c\r\nConnection: Upgrade\r\n'), 200],
  '103 with an invalid Link': [`HTTP/1.1 103 Early Hints\r\nLink: nonsense\xff\r\n\r\n${OK}`, 200],
  '103 with many links': [
    `HTTP/1.1 103 Early Hints\r\n${'Link: </a>; rel=preload\r\n'.repeat(40)}\r\n${OK}`,
    200,
  ],
  '102 and 103, again and again': [
    `${'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(5)}${OK}`,
    200,
  ],
  'trailers that are ordinary': [chunked('X-Sum: 1\r\n'), 200],
  'a trailer that may be there once only, twice': [chunked('ETag: "a"\r\nETag: "b"\r\n'), 200],
  'a trailer of connections': [chunked('HTTP2-Settings: AAMAAABkAAQAAP__\r\nKeep-Alive: 1\r\n'), 200],
  'a trailer that speaks for the gateway': [chunked('X-Postern-Identity: forged\r\n'), 200],
  'a status of three digits beyond 599': ['HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\nok', 799],
  // What must not. A request that goes on never expects 100.
  '100 that nobody asked for': [`HTTP/1.1 100 Continue\r\n\r\n${OK}`, 502],
  'a status beyond three digits': ['HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok', 502],
  'a status of 000': ['HTTP/1.1 000 None\r\nContent-Length: 2\r\n\r\nok', 502],
  'a status of 099': ['HTTP/1.1 099 None\r\nContent-Length: 2\r\n\r\nok', 502],
  '101 to a request that asked for no other protocol': [
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    502,
  ],
  'two lengths that differ': ['HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\nok', 502],
  'a length and chunks': [
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    502,
  ],
  'a header split by a bare LF': [
    'HTTP/1.1 200 OK\r\nX-A: 1\nSet-Cookie: stolen=1\r\nContent-Length: 2\r\n\r\nok',
    502,
  ],
  'a header split by a bare CR': [
    'HTTP/1.1 200 OK\r\nX-A: 1\rSet-Cookie: stolen=1\r\nContent-Length: 2\r\n\r\nok',
    502,
  ],
  'a NUL in a value': ['HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok', 502],
  'a folded header': ['HTTP/1.1 200 OK\r\nX-A: 1\r\n Set-Cookie: a=1\r\nContent-Length: 2\r\n\r\nok', 502],
  'a name with a blank': ['HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 2\r\n\r\nok', 502],
  'no HTTP': ['SSH-2.0-OpenSSH_9.2\r\n', 502],
  'a head of 64 KB': [ok(`X-Long: ${'a'.repeat(65_536)}\r\n`), 502],
}

/** Listens to errors that nobody catches: each of them would end a worker. */
function watchUncaught(t: TestContext): unknown[] {
  const uncaught: unknown[] = []
  const note = (error: unknown): void => void uncaught.push(error)
  process.on('uncaughtException', note)
  t.after(() => process.off('uncaughtException', note))
  return uncaught
}

/** HTTP/2 has no status above 599. */
function expectedStatus(protocol: 'HTTP/1.1' | 'HTTP/2', status: number): number {
  return protocol === 'HTTP/2' && status > 599 ? 502 : status
}

async function http2Status(session: ClientHttp2Session, path: string): Promise<number> {
  return (await http2Request(session, { ':path': path })).status
}

/** The last status of an answer over HTTP/1.1, in which nothing of another one may stand. */
async function plainStatus(port: number, path: string): Promise<number> {
  const received = await exchangeBytes(port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  assert.doesNotMatch(received, /stolen|forged/)
  const final = received.split(/(?=HTTP\/1\.1 \d{3})/).find(part => !part.startsWith('HTTP/1.1 1'))
  return Number(final?.slice(9, 12))
}

const NO_CONTENT = [
  'Content-Length: 2\r\n\r\nok',
  'Content-Length: 0\r\n\r\n',
  'X-A: 1\r\ncontent-length: 5\r\nETag: "a"\r\n\r\n',
]

const NOT_HTTP = [
  'a status of 000',
  'a folded header',
  'a header split by a bare CR',
  'a NUL in a value',
  'no HTTP',
]

describe('an odd answer of a backend', { timeout: 120_000 }, () => {
  for (const head of NO_CONTENT)
    test(`with 204 has no length for the client, who would wait for its bytes: ${head.slice(0, 24)}`, async t => {
      const backend = await startRawBackend(t, socket => {
        socket.on('data', () => socket.write(`HTTP/1.1 204 No Content\r\n${head}`))
      })
      const { port } = await start(t, backend.url)
      const received = await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      assert.match(received, /^HTTP\/1\.1 204 No Content\r\n/)
      assert.doesNotMatch(received, /content-length|transfer-encoding|ok$/i)
      if (head.includes('ETag')) assert.match(received, /X-A: 1\r\nETag: "a"\r\n/)
    })

  for (const name of NOT_HTTP)
    test(`that is not HTTP is called that, not that nothing can be reached: ${name}`, async t => {
      const backend = await startRawBackend(t, socket => {
        socket.on('data', () => socket.end(ANSWERS[name]?.[0] ?? '', 'latin1'))
      })
      const { port, event } = await start(t, backend.url)
      assert.equal(await plainStatus(port, '/'), 502)
      const { data } = await event(({ type }) => type === 'gateway.backend-failed')
      assert.equal(data?.['failure'], 'invalid')
    })

  for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const)
    test(`harms no other request, and no worker, of a client that speaks ${protocol}`, async t => {
      const uncaught = watchUncaught(t)
      let answer = OK
      const backend = await startRawBackend(t, socket => {
        socket.on('data', data => {
          // After an answer that may be read as two the connection is not used again: it is the gateway that
          // must see to that.
          socket.write(String(data).startsWith('GET /odd') ? answer : OK, 'latin1')
        })
      })
      const isHttp2 = protocol === 'HTTP/2'
      const { port, gateway } = await start(
        t,
        backend.url,
        isHttp2 ? { listen: { port: 0, tls: certificate() } } : {},
      )
      const session = isHttp2 ? http2Session(port) : undefined
      const ask = (path: string): Promise<number | string> =>
        (session === undefined ? plainStatus(port, path) : http2Status(session, path)).catch(String)
      const wrong: string[] = []
      for (const [name, [bytes, expected]] of Object.entries(ANSWERS)) {
        answer = bytes
        const status = await ask('/odd')
        if (status !== expectedStatus(protocol, expected)) wrong.push(`${name}: ${status}`)
        const next = await ask('/')
        if (next !== 200) wrong.push(`the request after ${name}: ${next}`)
      }
      assert.deepEqual(wrong, [])
      assert.deepEqual(uncaught, [])
      assert.equal(gateway.inFlight, 0)
      session?.close()
    })
})
