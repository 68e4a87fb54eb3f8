import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { start, startBackend } from '../harness.ts'
import { certificate, fields, frame, http2Request, http2Session, PREFACE, rawHttp2 } from '../tls.ts'

const DATA = 0
const HEADERS = 1
const PRIORITY = 2
const RST_STREAM = 3
const SETTINGS = 4
const PUSH_PROMISE = 5
const PING = 6
const GOAWAY = 7
const WINDOW_UPDATE = 8
const CONTINUATION = 9
const END_STREAM = 1
const END_HEADERS = 4
const PADDED = 8

const settings = frame(SETTINGS, 0, 0, Buffer.alloc(0))
const begin = Buffer.concat([Buffer.from(PREFACE), settings])

type Field = readonly [string, string]
const GET: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/'],
]
const POST: readonly Field[] = [[':method', 'POST'], ...GET.slice(1)]
const head = (all: readonly Field[], flags = END_STREAM | END_HEADERS, stream = 1): Buffer =>
  frame(HEADERS, flags, stream, fields(...all))
const replace = (name: string, value: string): readonly Field[] =>
  GET.map(([key, old]) => [key, key === name ? value : old])
const without = (name: string): readonly Field[] => GET.filter(([key]) => key !== name)
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Frames after the preface, by what is wrong with them. */
const MALFORMED: Readonly<Record<string, Buffer>> = {
  'a name in capitals': head([...GET, ['X-Upper', '1']]),
  'a path with CR LF, a request to be': head(replace(':path', '/ HTTP/1.1\r\nHost: b\r\n\r\nGET /evil')),
  'a path with a blank': head(replace(':path', '/a b')),
  'a path that is empty': head(replace(':path', '')),
  'a path that is not a path': head(replace(':path', 'index.html')),
  'a path in absolute form': head(replace(':path', 'https://localhost/')),
  'a path with a fragment': head(replace(':path', '/a#b')),
  'a path of an asterisk with GET': head(replace(':path', '*')),
  'a path of 20,000 characters': head(replace(':path', `/${'a'.repeat(15_000)}`)),
  'a method with a blank': head(replace(':method', 'GET /evil HTTP/1.1')),
  'a method with CR LF': head(replace(':method', 'GET\r\n')),
  'a method in small letters': head(replace(':method', 'get')),
  TRACE: head(replace(':method', 'TRACE')),
  'a scheme with a request in it': head(replace(':scheme', 'https://x/ HTTP/1.1')),
  'a scheme that is not the connection’s': head(replace(':scheme', 'http')),
  'an authority with a path': head(replace(':authority', 'localhost/x')),
  'an authority with user information': head(replace(':authority', 'me@localhost')),
  'an authority with CR LF': head(replace(':authority', 'localhost\r\nX: 1')),
  'an empty authority': head(replace(':authority', '')),
  'no method': head(without(':method')),
  'no path': head(without(':path')),
  'no scheme': head(without(':scheme')),
  'no authority and no host': head(without(':authority')),
  'two methods': head([...GET, [':method', 'POST']]),
  'two paths': head([[':path', '/evil'], ...GET]),
  'two authorities': head([[':authority', 'evil'], ...GET]),
  'an authority and a host with another port': head([...GET, ['host', 'localhost:80']]),
  'an authority and another host': head([...GET, ['host', 'evil.example']]),
  'two hosts': head([...without(':authority'), ['host', 'localhost'], ['host', 'localhost']]),
  'an unknown pseudo-field': head([[':evil', '1'], ...GET]),
  'a pseudo-field of answers': head([[':status', '200'], ...GET]),
  'a pseudo-field after a field': head([...without(':path'), ['x', '1'], [':path', '/']]),
  Connection: head([...GET, ['connection', 'close']]),
  'Transfer-Encoding': head([...POST, ['transfer-encoding', 'chunked']]),
  'Transfer-Encoding with a body of chunks': Buffer.concat([
    head([...POST, ['transfer-encoding', 'chunked']], END_HEADERS),
    frame(DATA, END_STREAM, 1, Buffer.from('0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n')),
  ]),
  'Keep-Alive': head([...GET, ['keep-alive', 'timeout=5']]),
  'Proxy-Connection': head([...GET, ['proxy-connection', 'keep-alive']]),
  Upgrade: head([...GET, ['upgrade', 'websocket']]),
  'TE other than trailers': head([...GET, ['te', 'gzip']]),
  'two lengths': head([...POST, ['content-length', '0'], ['content-length', '1']]),
  'a negative length': head([...POST, ['content-length', '-1']]),
  'a length that is not a number': head([...POST, ['content-length', '1e1']]),
  'a length and no body': head([...POST, ['content-length', '5']]),
  CONNECT: head([
    [':method', 'CONNECT'],
    [':authority', 'internal:22'],
  ]),
  'extended CONNECT, which is not offered': head([
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    ...GET.slice(1),
  ]),
  '300 fields': head([...GET, ...Array.from({ length: 300 }, (): Field => ['x', '1'])]),
  'fields of 20,000 bytes': Buffer.concat([
    frame(HEADERS, END_STREAM, 1, fields(...GET, ['x', 'a'.repeat(12_000)])),
    frame(CONTINUATION, END_HEADERS, 1, fields(['y', 'a'.repeat(12_000)])),
  ]),
  // Frames.
  'headers on stream 0': head(GET, END_STREAM | END_HEADERS, 0),
  'headers on an even stream': head(GET, END_STREAM | END_HEADERS, 2),
  'data on stream 0': frame(DATA, 0, 0, Buffer.from('x')),
  'data on a stream that is not open': frame(DATA, 0, 7, Buffer.from('x')),
  'data after the end of the stream': Buffer.concat([
    head([...GET, ['te', 'gzip']]),
    frame(DATA, 0, 1, Buffer.from('x')),
  ]),
  'a frame larger than was agreed': frame(HEADERS, END_HEADERS, 1, Buffer.alloc(0), 0x100000),
  'padding longer than the frame': frame(
    HEADERS,
    END_STREAM | END_HEADERS | PADDED,
    1,
    Buffer.concat([Buffer.from([255]), fields(...GET)]),
  ),
  'a broken compression state': frame(
    HEADERS,
    END_STREAM | END_HEADERS,
    1,
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]),
  ),
  'an index beyond the table': frame(HEADERS, END_STREAM | END_HEADERS, 1, Buffer.from([0xfe])),
  'a continuation of nothing': frame(CONTINUATION, END_HEADERS, 1, fields(...GET)),
  'a frame between headers and their continuation': Buffer.concat([
    frame(HEADERS, END_STREAM, 1, fields(...GET.slice(0, 2))),
    frame(PING, 0, 0, Buffer.alloc(8)),
    frame(CONTINUATION, END_HEADERS, 1, fields(...GET.slice(2))),
  ]),
  'a continuation on another stream': Buffer.concat([
    frame(HEADERS, END_STREAM, 1, fields(...GET)),
    frame(CONTINUATION, END_HEADERS, 3, fields(...GET)),
  ]),
  'settings on a stream': frame(SETTINGS, 0, 1, Buffer.alloc(0)),
  'settings of five bytes': frame(SETTINGS, 0, 0, Buffer.alloc(5)),
  'an acknowledgement with a body': frame(SETTINGS, 1, 0, Buffer.alloc(6)),
  'a ping of seven bytes': frame(PING, 0, 0, Buffer.alloc(7)),
  'a ping on a stream': frame(PING, 0, 1, Buffer.alloc(8)),
  'a push by a client': frame(PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([u32(2), fields(...GET)])),
  'a window grown by nothing': frame(WINDOW_UPDATE, 0, 0, u32(0)),
  'a window beyond 2^31': frame(WINDOW_UPDATE, 0, 0, u32(0x7fffffff)),
  'a reset of stream 0': frame(RST_STREAM, 0, 0, u32(8)),
  'a reset of a stream that never was': frame(RST_STREAM, 0, 5, u32(8)),
  'a goaway on a stream': frame(GOAWAY, 0, 1, Buffer.alloc(8)),
  'a priority of three bytes': frame(PRIORITY, 0, 1, Buffer.alloc(3)),
  'HTTP/1.1 instead of frames': Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
}

/** Statuses, resets and goaways among received frames. */
function refusals(received: Buffer): { refused: boolean; statuses: number[] } {
  let refused = false
  const statuses: number[] = []
  for (let at = 0; at + 9 <= received.length; ) {
    const length = received.readUIntBE(at, 3)
    const type = received.readUInt8(at + 3)
    if (type === RST_STREAM || type === GOAWAY) refused = true
    // nghttp2 sends :status as an index of the static table (200, 204, 206, 304, 400, 404, 500) or as a
    // literal of three digits.
    if (type === HEADERS) {
      const block = received.subarray(at + 9, at + 9 + length)
      const indexed = [200, 204, 206, 304, 400, 404, 500][(block[0] ?? 0) - 0x88]
      statuses.push(indexed ?? 0)
    }
    at += 9 + length
  }
  return { refused: refused || statuses.some(status => status === 400 || status === 0), statuses }
}

/**
 * Fields that the parser in front leaves out without a word (nghttp2, for fields that do not steer the
 * request).
 */
const LEFT_OUT: readonly Field[] = [
  ['x y', '1'],
  ['x:y', '1'],
  ['x\r\ny', '1'],
  ['x\0y', '1'],
  ['', '1'],
  ['x-value', '1\r\nX-Injected: 1'],
  ['x-value', '1\ny'],
  ['x-value', '1\0y'],
]

describe('malformed and ambiguous HTTP/2 requests', { timeout: 60_000 }, () => {
  test('each is refused by status, reset or goaway, and the backend sees none', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('reached'))
    const { port } = await start(t, backend.url, {
      listen: { port: 0, tls: certificate() },
      timeouts: { head: '2s', idle: '2s' },
    })
    const failures: string[] = []
    await Promise.all(
      Object.entries(MALFORMED).map(async ([name, bytes]) => {
        const socket = rawHttp2(port)
        await once(socket, 'secureConnect')
        let received = Buffer.alloc(0)
        const refused = new Promise<boolean>(resolve => {
          socket.on('data', (chunk: Buffer) => {
            received = Buffer.concat([received, chunk])
            if (refusals(received).refused) resolve(true)
          })
          socket.on('close', () => resolve(true))
        })
        socket.write(Buffer.concat([begin, bytes]))
        await refused
        if (refusals(received).statuses.includes(200)) failures.push(name)
        socket.destroy()
      }),
    )
    assert.deepEqual(failures, [])
    assert.deepEqual(
      backend.seen.map(request => request.url),
      [],
    )
    const session = http2Session(port)
    assert.equal((await http2Request(session, { ':path': '/' })).body, 'reached')
    session.destroy()
  })

  test('a field with a malformed name or value never reaches the backend', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('reached'))
    const { port } = await start(t, backend.url, { listen: { port: 0, tls: certificate() } })
    for (const field of LEFT_OUT) {
      const socket = rawHttp2(port)
      await once(socket, 'secureConnect')
      socket.write(Buffer.concat([begin, head([...GET, field, ['x-kept', '1']])]))
      await new Promise<void>(resolve => {
        let received = Buffer.alloc(0)
        socket.on('data', (chunk: Buffer) => {
          received = Buffer.concat([received, chunk])
          if (refusals(received).statuses.length > 0 || refusals(received).refused) resolve()
        })
        socket.on('close', () => resolve())
      })
      socket.destroy()
    }
    for (const { headers } of backend.seen) {
      assert.equal(headers['x-kept'], '1')
      assert.deepEqual(
        Object.keys(headers).filter(
          name => name.startsWith('x') && !/^x-(?:kept|request-id|forwarded)/.test(name),
        ),
        [],
      )
    }
  })

  test('an invalid preface, or no preface at all, ends the connection', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('reached'))
    const { port } = await start(t, backend.url, {
      listen: { port: 0, tls: certificate() },
      timeouts: { idle: '200ms' },
    })
    for (const bytes of ['PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n', '']) {
      const socket = rawHttp2(port)
      await once(socket, 'secureConnect')
      if (bytes !== '') socket.write(bytes)
      socket.resume()
      await once(socket, 'close')
    }
    assert.equal(backend.seen.length, 0)
  })
})
