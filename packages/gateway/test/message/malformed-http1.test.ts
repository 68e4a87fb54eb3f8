import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls'
import type { Event } from '@postern/core'
import { exchangeBytes, start, startBackend } from '../harness.ts'
import { certificate, http2Request, http2Session } from '../tls.ts'

const H = 'Host: a.example\r\n'
const post = (headers: string, body = ''): string => `POST / HTTP/1.1\r\n${H}${headers}\r\n${body}`
const get = (headers: string): string => `GET / HTTP/1.1\r\n${H}${headers}\r\n`
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body)

/** What is sent, by what is wrong with it. Each must be refused before the backend sees it. */
const MALFORMED: Readonly<Record<string, string>> = {
  // Two ways to tell where the body ends.
  'Content-Length and Transfer-Encoding': post(
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    '0\r\n\r\n',
  ),
  'Transfer-Encoding and Content-Length': post(
    'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n',
    '0\r\n\r\n',
  ),
  'two equal Content-Lengths': post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc'),
  'two different Content-Lengths': post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd'),
  'a list of equal lengths': post('Content-Length: 3, 3\r\n', 'abc'),
  'a list of different lengths': post('Content-Length: 3, 4\r\n', 'abcd'),
  'a negative length': post('Content-Length: -1\r\n', 'abc'),
  'a length with a plus sign': post('Content-Length: +3\r\n', 'abc'),
  'a hexadecimal length': post('Content-Length: 0x3\r\n', 'abc'),
  'a length with a fraction': post('Content-Length: 3.0\r\n', 'abc'),
  'a length with an exponent': post('Content-Length: 1e1\r\n', '0123456789'),
  'a length with a space inside': post('Content-Length: 1 0\r\n', '0123456789'),
  'a length with an underscore': post('Content-Length: 1_0\r\n', '0123456789'),
  'an empty length': post('Content-Length:\r\n', 'abc'),
  'a length of blanks': post('Content-Length:   \r\n', 'abc'),
  'a length of letters': post('Content-Length: three\r\n', 'abc'),
  'a length beyond 64 bits': post('Content-Length: 99999999999999999999999\r\n', 'abc'),
  'a length of 2^64': post('Content-Length: 18446744073709551616\r\n', 'abc'),
  'a length of sixteen digits': post('Content-Length: 1000000000000000\r\n', 'abc'),
  'a quoted length': post('Content-Length: "3"\r\n', 'abc'),
  'a length with a tab inside': post('Content-Length: 1\t0\r\n', '0123456789'),
  'a length followed by a NUL': post('Content-Length: 3\0\r\n', 'abc'),
  'a length in full-width digits': post('Content-Length: \xef\xbc\x93\r\n', 'abc'),
  // Transfer codings.
  'Transfer-Encoding with a made-up coding': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
  'Transfer-Encoding identity': post('Transfer-Encoding: identity\r\n', 'abc'),
  'Transfer-Encoding gzip, chunked': post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
  'Transfer-Encoding chunked, gzip': post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'),
  'Transfer-Encoding chunked twice in one field': post(
    'Transfer-Encoding: chunked, chunked\r\n',
    '0\r\n\r\n',
  ),
  'Transfer-Encoding chunked in two fields': post(
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
    '0\r\n\r\n',
  ),
  'Transfer-Encoding chunked, identity': post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
  'Transfer-Encoding in two fields, the second made up': post(
    'Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n',
    '0\r\n\r\n',
  ),
  'a quoted Transfer-Encoding': post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'),
  'Transfer-Encoding with a parameter': post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'),
  'Transfer-Encoding after a vertical tab': post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
  'Transfer-Encoding with a comma first': post('Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n'),
  'an empty Transfer-Encoding': post('Transfer-Encoding:\r\n', 'abc'),
  'Transfer-Encoding with a blank before the colon': post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
  'Transfer-Encoding on HTTP/1.0': `POST / HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'Transfer-Encoding folded over two lines': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
  'Transfer-Encoding followed by a NUL': post('Transfer-Encoding: chunked\0\r\n', '0\r\n\r\n'),
  // Chunks.
  'a chunk size of letters': chunked('xyz\r\nabc\r\n0\r\n\r\n'),
  'a chunk size with 0x': chunked('0x3\r\nabc\r\n0\r\n\r\n'),
  'a negative chunk size': chunked('-3\r\nabc\r\n0\r\n\r\n'),
  'a chunk size with a plus sign': chunked('+3\r\nabc\r\n0\r\n\r\n'),
  'a chunk size with a blank before it': chunked(' 3\r\nabc\r\n0\r\n\r\n'),
  'a chunk size with a blank after it': chunked('3 \r\nabc\r\n0\r\n\r\n'),
  'a chunk size beyond 64 bits': chunked('fffffffffffffffff\r\nabc\r\n0\r\n\r\n'),
  'a chunk longer than its size': chunked('3\r\nabcd\r\n0\r\n\r\n'),
  'a chunk without its CRLF': chunked('3\r\nabc0\r\n\r\n'),
  'a chunk ended by a bare LF': chunked('3\r\nabc\n0\r\n\r\n'),
  'a chunk size ended by a bare LF': chunked('3\nabc\r\n0\r\n\r\n'),
  'a chunk size ended by a bare CR': chunked('3\rabc\r\n0\r\n\r\n'),
  'an empty chunk size': chunked('\r\nabc\r\n0\r\n\r\n'),
  'a last chunk ended by a bare LF': chunked('3\r\nabc\r\n0\n\n'),
  'a chunk size with an underscore': chunked('0_3\r\nabc\r\n0\r\n\r\n'),
  'a chunk extension with a bare LF inside': chunked('3;a=b\nc\r\nabc\r\n0\r\n\r\n'),
  'a chunk extension with a bare CR inside': chunked('3;a\rb\r\nabc\r\n0\r\n\r\n'),
  'a chunk extension with a NUL': chunked('3;a=\0\r\nabc\r\n0\r\n\r\n'),
  'chunk extensions without end': chunked(`3;${'a'.repeat(40_000)}\r\nabc\r\n0\r\n\r\n`),
  'a trailer with a blank in its name': chunked('3\r\nabc\r\n0\r\nX Y: 1\r\n\r\n'),
  'a trailer ended by a bare LF': chunked('3\r\nabc\r\n0\r\nX: 1\n\r\n'),
  // Lines and white space.
  'a request line ended by a bare LF': `GET / HTTP/1.1\n${H}\r\n`,
  'a request line ended by a bare CR': `GET / HTTP/1.1\r${H}\r\n`,
  'a header ended by a bare LF': `GET / HTTP/1.1\r\nHost: a.example\nX: 1\r\n\r\n`,
  'a header ended by a bare CR': `GET / HTTP/1.1\r\nHost: a.example\rX: 1\r\n\r\n`,
  'a head ended by a bare LF': `GET / HTTP/1.1\r\n${H}\n`,
  'nothing but bare LFs': 'GET / HTTP/1.1\nHost: a.example\n\n',
  'a bare CR inside a value': get('X: a\rb\r\n'),
  'a header folded over two lines': get('X: a\r\n b\r\n'),
  'a header folded with a tab': get('X: a\r\n\tb\r\n'),
  'a first header that is a continuation': `GET / HTTP/1.1\r\n X: 1\r\n${H}\r\n`,
  'a blank before the colon': get('X : 1\r\n'),
  'a tab before the colon': get('X\t: 1\r\n'),
  'a blank in a name': get('X Y: 1\r\n'),
  'a name that begins with a blank': `GET / HTTP/1.1\r\n${H}X: 1\r\n Y: 2\r\n\r\n`,
  'an empty name': get(': 1\r\n'),
  'a header without a colon': get('nothing\r\n'),
  'a NUL in a name': get('X\0Y: 1\r\n'),
  'a NUL in a value': get('X: a\0b\r\n'),
  'a vertical tab in a value': get('X: a\x0bb\r\n'),
  'a DEL in a value': get('X: a\x7fb\r\n'),
  'an escape in a value': get('X: \x1b[2J\r\n'),
  'a quote in a name': get('"X": 1\r\n'),
  'a bracket in a name': get('X(Y): 1\r\n'),
  'a slash in a name': get('X/Y: 1\r\n'),
  'a high byte in a name': get('X\xe9: 1\r\n'),
  'a tab in the request line': `GET\t/ HTTP/1.1\r\n${H}\r\n`,
  'a blank before the method': ` GET / HTTP/1.1\r\n${H}\r\n`,
  'a blank after the version': `GET / HTTP/1.1 \r\n${H}\r\n`,
  'a blank in the target': `GET /a b HTTP/1.1\r\n${H}\r\n`,
  // Method, target, version.
  'an unknown method': `FROBNICATE / HTTP/1.1\r\n${H}\r\n`,
  'a method in small letters': `get / HTTP/1.1\r\n${H}\r\n`,
  'a method with a NUL': `GE\0T / HTTP/1.1\r\n${H}\r\n`,
  'an empty method': ` / HTTP/1.1\r\n${H}\r\n`,
  'TRACE, which would echo credentials': `TRACE / HTTP/1.1\r\n${H}\r\n`,
  'CONNECT, which would make a tunnel of us': `CONNECT internal:22 HTTP/1.1\r\nHost: internal:22\r\n\r\n`,
  'CONNECT with a path': `CONNECT / HTTP/1.1\r\n${H}\r\n`,
  'no target': `GET HTTP/1.1\r\n${H}\r\n`,
  'a target that is not a path': `GET index.html HTTP/1.1\r\n${H}\r\n`,
  'an asterisk with GET': `GET * HTTP/1.1\r\n${H}\r\n`,
  'a fragment in the target': `GET /a#b HTTP/1.1\r\n${H}\r\n`,
  'a NUL in the target': `GET /a\0b HTTP/1.1\r\n${H}\r\n`,
  'a tab in the target': `GET /a\tb HTTP/1.1\r\n${H}\r\n`,
  'a DEL in the target': `GET /a\x7fb HTTP/1.1\r\n${H}\r\n`,
  'a high byte in the target': `GET /\xe9 HTTP/1.1\r\n${H}\r\n`,
  'a target with another scheme': `GET ftp://a.example/ HTTP/1.1\r\n${H}\r\n`,
  'a target with user information': `GET http://admin@a.example/ HTTP/1.1\r\n${H}\r\n`,
  'an authority as target': `GET a.example:80 HTTP/1.1\r\n${H}\r\n`,
  'a target of 20,000 characters': `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${H}\r\n`,
  'a target of 9,000 characters': `GET /${'a'.repeat(9_000)} HTTP/1.1\r\n${H}\r\n`,
  'no version': `GET /\r\n${H}\r\n`,
  'HTTP/0.9': `GET / HTTP/0.9\r\n${H}\r\n`,
  'HTTP/1.2': `GET / HTTP/1.2\r\n${H}\r\n`,
  'HTTP/2.0 in text': `GET / HTTP/2.0\r\n${H}\r\n`,
  'HTTP/3.0': `GET / HTTP/3.0\r\n${H}\r\n`,
  'http/1.1 in small letters': `GET / http/1.1\r\n${H}\r\n`,
  'a version of one number': `GET / HTTP/1\r\n${H}\r\n`,
  'a version of two digits': `GET / HTTP/1.10\r\n${H}\r\n`,
  'another protocol': `GET / HTTX/1.1\r\n${H}\r\n`,
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a TLS handshake': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'an RTSP request': 'DESCRIBE rtsp://a.example/ RTSP/1.0\r\nCSeq: 1\r\n\r\n',
  // Who is meant.
  'no Host': 'GET / HTTP/1.1\r\nX: 1\r\n\r\n',
  'two Hosts': `GET / HTTP/1.1\r\n${H}Host: b.example\r\n\r\n`,
  'two equal Hosts': `GET / HTTP/1.1\r\n${H}${H}\r\n`,
  'an empty Host': 'GET / HTTP/1.1\r\nHost:\r\n\r\n',
  'a Host with a blank': 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n',
  'a Host with a path': 'GET / HTTP/1.1\r\nHost: a.example/x\r\n\r\n',
  'a Host with user information': 'GET / HTTP/1.1\r\nHost: me@a.example\r\n\r\n',
  'a Host list': 'GET / HTTP/1.1\r\nHost: a.example, b.example\r\n\r\n',
  'a Host with a port of letters': 'GET / HTTP/1.1\r\nHost: a.example:http\r\n\r\n',
  'a Host with a port beyond 65535': 'GET / HTTP/1.1\r\nHost: a.example:65536\r\n\r\n',
  'a Host with an open bracket': 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n',
  'a Host with a NUL': 'GET / HTTP/1.1\r\nHost: a\0.example\r\n\r\n',
  'a Host with markup': 'GET / HTTP/1.1\r\nHost: <script>\r\n\r\n',
  'an absolute target of another host': `GET http://b.example/ HTTP/1.1\r\n${H}\r\n`,
  'an absolute target of another port': `GET http://a.example:81/ HTTP/1.1\r\n${H}\r\n`,
  'an absolute target with the default port of another scheme': `GET http://a.example:443/ HTTP/1.1\r\n${H}\r\n`,
  'an absolute https target on port 80': `GET https://a.example:80/ HTTP/1.1\r\n${H}\r\n`,
  'an absolute target without a host': `GET http:///x HTTP/1.1\r\n${H}\r\n`,
  // Fields that steer the next hop.
  'Connection that names Host': get('Connection: close, Host\r\n'),
  'Connection that names Content-Length': post('Content-Length: 3\r\nConnection: Content-Length\r\n', 'abc'),
  'Connection that names Transfer-Encoding': post(
    'Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n',
    '3\r\nabc\r\n0\r\n\r\n',
  ),
  'Connection that names Authorization': get('Authorization: Basic eA==\r\nConnection: Authorization\r\n'),
  'Connection that names Cookie': get('Cookie: a=b\r\nConnection: close, cookie\r\n'),
  'Connection that names X-Forwarded-For': get('Connection: close, X-Forwarded-For\r\n'),
  'Connection that is not a list of tokens': get('Connection: close; x\r\n'),
  'an unknown expectation': post('Expect: the-unexpected\r\nContent-Length: 3\r\n', 'abc'),
  'two expectations': post('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 3\r\n', 'abc'),
  'a WebSocket upgrade with a body': get(
    'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n',
  ).concat('abc'),
  'a WebSocket upgrade with chunks': get(
    'Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n',
  ).concat('0\r\n\r\n'),
  // Sizes.
  'a header of 20,000 bytes': get(`X: ${'a'.repeat(20_000)}\r\n`),
  'a name of 20,000 bytes': get(`${'a'.repeat(20_000)}: 1\r\n`),
  'headers of 20,000 bytes in all': get(`X-Some-Header: ${'a'.repeat(80)}\r\n`.repeat(200)),
  '300 headers': get('X: 1\r\n'.repeat(300)),
}

describe('malformed and ambiguous HTTP/1 requests', { timeout: 60_000 }, () => {
  test('there are at least a hundred', () => {
    assert.ok(Object.keys(MALFORMED).length >= 100)
  })

  test('each is refused, its connection closed, and the backend sees none', async t => {
    const backend = await startBackend(t, (request, response) => {
      request.resume()
      response.end('reached')
    })
    const { port, gateway } = await start(t, backend.url)
    const failures: string[] = []
    await Promise.all(
      Object.entries(MALFORMED).map(async ([name, bytes]) => {
        const received = await exchangeBytes(port, bytes)
        if (!/^HTTP\/1\.1 (?:4\d\d|505) /.test(received)) failures.push(`${name}: ${received.slice(0, 120)}`)
        else if (!received.includes('X-Request-Id: ')) failures.push(`${name}: no request id`)
      }),
    )
    assert.deepEqual(failures, [])
    const reached = backend.seen.filter(request => request.complete).map(request => request.rawHeaders)
    assert.deepEqual(reached, [])
    const alive = await fetch(gateway.url)
    assert.equal(await alive.text(), 'reached')
  })

  const OTHERS: Readonly<Record<string, readonly [rule: string, says: RegExp, bytes: string]>> = {
    'TLS 1.0 in its record, as hellos have it': [
      'tls',
      /TLS.*https?:/,
      '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
    ],
    'TLS with another version in its record': ['tls', /TLS/, '\x16\x03\x03\0\x05\x01\0\0\x01\x03'],
    'HTTP/2 without TLS': ['http2-without-tls', /HTTP\/2 without TLS/, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    'the PROXY protocol in text': [
      'proxy-protocol',
      /proxyProtocol/,
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n',
    ],
    'the PROXY protocol in bytes': [
      'proxy-protocol',
      /proxyProtocol/,
      '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04',
    ],
    'a handshake that TLS has not': ['malformed', /not valid HTTP/, '\x16\x02\x01\x02\0\x01'],
    'a method that only begins alike': ['malformed', /not valid HTTP/, 'PROXYTCP4 / HTTP/1.1\r\n\r\n'],
  }
  for (const [name, [rule, says, bytes]] of Object.entries(OTHERS))
    test(`are answered with what they speak: ${name}`, async t => {
      const backend = await startBackend(t, (_request, response) => response.end())
      const { port, event } = await start(t, backend.url)
      const received = await exchangeBytes(port, bytes)
      assert.match(received, says)
      const { reasons } = (await event(({ guard }) => guard === 'framing')) as Event
      assert.deepEqual(
        reasons?.map(reason => reason.rule),
        [`framing/${rule}`],
      )
      assert.deepEqual(backend.seen, [])
    })

  const NOT_TLS: Readonly<Record<string, string | Buffer>> = {
    GET: get(''),
    'a form': post('Content-Length: 3\r\n', 'a=1'),
    'a method of WebDAV': `PROPFIND / HTTP/1.1\r\n${H}\r\n`,
    'a proxy of the PROXY protocol': `PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n${get('')}`,
    'another protocol': 'SSH-2.0-OpenSSH_9.6\r\n',
    'a large body': post('Content-Length: 200000\r\n', 'x'.repeat(200_000)),
  }
  for (const [name, bytes] of Object.entries(NOT_TLS))
    test(`are answered in plain HTTP on a port with TLS: ${name}`, async t => {
      const backend = await startBackend(t, (_request, response) => response.end())
      const { port, event, events } = await start(t, backend.url, {
        listen: { port: 0, tls: certificate() },
      })
      const received = await exchangeBytes(port, bytes)
      assert.match(received, /^HTTP\/1\.1 400 Bad Request\r\n(?:.|\r|\n)*This port serves TLS.*https:/)
      const { reasons } = (await event(({ guard }) => guard === 'framing')) as Event
      assert.deepEqual(
        reasons?.map(reason => reason.rule),
        ['framing/plain-http'],
      )
      assert.deepEqual([backend.seen, events.filter(({ guard }) => guard === 'framing').length], [[], 1])
      const session = http2Session(port)
      t.after(() => session.destroy())
      const { status: next } = await http2Request(session, { ':path': '/' })
      assert.equal(next, 200)
    })

  test('get no answer in plain HTTP where the client speaks TLS that does not fit', async t => {
    const backend = await startBackend(t, (_request, response) => response.end())
    const { port, events } = await start(t, backend.url, { listen: { port: 0, tls: certificate() } })
    // A hello of TLS 1.1 that offers one cipher.
    const hello = Buffer.concat([
      Buffer.from('1603010031010000', 'hex'),
      Buffer.from('2d0302', 'hex'),
      Buffer.alloc(32, 7),
      Buffer.from('000004c01300ff0100000000', 'hex'),
    ])
    const received = await exchangeBytes(port, hello)
    assert.doesNotMatch(received, /HTTP/)
    assert.deepEqual(
      events.map(({ type }) => type),
      ['gateway.tls-failed'],
    )
  })

  const FAILING: readonly (readonly [name: string, options: TlsOptions, problem: RegExp])[] = [
    [
      'an old version',
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' },
      /no TLS from 1\.2 on/,
    ],
    ['other ciphers', { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }, /no cipher or signature/],
    ['another protocol in it', { ALPNProtocols: ['acme-tls/1'] }, /neither h2 nor http\/1\.1/],
  ]
  for (const [name, options, problem] of FAILING)
    test(`leave one line for a while where a TLS handshake fails: ${name}`, async t => {
      const backend = await startBackend(t, (_request, response) => response.end())
      const { port, event, events } = await start(t, backend.url, { listen: { port: 0, tls: certificate() } })
      for (const _ of [1, 2, 3])
        await new Promise(resolve => {
          const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
          socket.on('error', resolve).on('close', resolve)
        })
      const { data, actor } = await event(({ type }) => type === 'gateway.tls-failed')
      assert.match(String(data?.['problem']), problem)
      assert.match(String(data?.['code']), /^ERR_SSL_/)
      assert.equal(actor.address, '127.0.0.1')
      const session = http2Session(port)
      t.after(() => session.destroy())
      assert.equal((await http2Request(session, { ':path': '/' })).status, 200)
      assert.equal(events.filter(({ type }) => type === 'gateway.tls-failed').length, 1)
    })
})
