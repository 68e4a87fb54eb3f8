import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { readRequestHead } from '../../src/message/request-head.ts'
import { exchangeBytes, start, startRawBackend } from '../harness.ts'

/**
 * Counts requests as the plainest parser would: by their request lines, outside of what a length or chunks
 * declare a body.
 */
function requestsIn(bytes: string): { line: string; head: string; body: string }[] {
  const requests: { line: string; head: string; body: string }[] = []
  let rest = bytes
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) throw new Error(`no head: ${rest.slice(0, 80)}`)
    const head = rest.slice(0, end)
    rest = rest.slice(end + 4)
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
    const isChunked = /\r\ntransfer-encoding: chunked/i.test(head)
    if (isChunked && length !== undefined) throw new Error('two lengths reached the backend')
    const body = isChunked ? chunksOf(rest) : cutAt(rest, Number(length ?? 0))
    rest = body.rest
    requests.push({ line: head.split('\r\n', 1)[0] as string, head, body: body.text })
  }
  return requests
}

function cutAt(bytes: string, length: number): { text: string; rest: string } {
  return { text: bytes.slice(0, length), rest: bytes.slice(length) }
}

/** The text of chunks up to the last one, and what stands behind it. */
function chunksOf(bytes: string): { text: string; rest: string } {
  let text = ''
  let rest = bytes
  for (let count = -1; count !== 0; ) {
    const size = /^([0-9a-f]+)\r\n/.exec(rest)
    if (size === null) throw new Error(`no chunk: ${rest.slice(0, 80)}`)
    count = Number.parseInt(size[1] as string, 16)
    rest = rest.slice(size[0].length)
    text += rest.slice(0, count)
    if (rest.slice(count, count + 2) !== '\r\n') throw new Error('a chunk of another size')
    rest = rest.slice(count + 2)
  }
  return { text, rest }
}

const EVIL = 'GET /evil HTTP/1.1\r\nHost: a\r\n\r\n'

/** Requests that are odd but clear: the backend must see exactly this one request, with this body. */
const CLEAR: Readonly<Record<string, readonly [bytes: string, line: string, body: string]>> = {
  'a request inside a body with a length': [
    `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${EVIL.length}\r\nConnection: close\r\n\r\n${EVIL}`,
    'POST /a HTTP/1.1',
    EVIL,
  ],
  'a request inside a chunk': [
    `POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${EVIL.length.toString(16)}\r\n${EVIL}\r\n0\r\n\r\n`,
    'POST /a HTTP/1.1',
    EVIL,
  ],
  'a request inside the body of a GET': [
    `GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: ${EVIL.length}\r\nConnection: close\r\n\r\n${EVIL}`,
    'GET /a HTTP/1.1',
    EVIL,
  ],
  'a request inside a trailer value': [
    'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\nX: GET /evil HTTP/1.1\r\n\r\n',
    'POST /a HTTP/1.1',
    'x',
  ],
  'a chunk extension': [
    'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1;a=b;c="d"\r\nx\r\n0\r\n\r\n',
    'POST /a HTTP/1.1',
    'x',
  ],
  'chunk sizes with zeros before them': [
    'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0001\r\nx\r\n000\r\n\r\n',
    'POST /a HTTP/1.1',
    'x',
  ],
  'a coding in capitals': [
    'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    'POST /a HTTP/1.1',
    'x',
  ],
  'a length with zeros before it': [
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0001\r\nConnection: close\r\n\r\nx',
    'POST /a HTTP/1.1',
    'x',
  ],
  'a length with blanks around it': [
    'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length:  \t1 \t\r\nConnection: close\r\n\r\nx',
    'POST /a HTTP/1.1',
    'x',
  ],
  'a length with underscores in its name': [
    'POST /a HTTP/1.1\r\nHost: a\r\nContent_Length: 30\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx',
    'POST /a HTTP/1.1',
    'x',
  ],
  'two blanks in the request line': [
    'GET  /a  HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /a HTTP/1.1',
    '',
  ],
  'an empty line before the request': [
    '\r\n\r\nGET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /a HTTP/1.1',
    '',
  ],
  'an absolute target': [
    'GET http://a/a?b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /a?b HTTP/1.1',
    '',
  ],
  'an absolute target with the default port': [
    'GET http://a:80/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /a HTTP/1.1',
    '',
  ],
  'an absolute target whose Host has the default port': [
    'GET HTTP://A/a HTTP/1.1\r\nHost: a:80\r\nConnection: close\r\n\r\n',
    'GET /a HTTP/1.1',
    '',
  ],
  'an absolute https target with the default port': [
    'GET https://a:443/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /a HTTP/1.1',
    '',
  ],
  'HTTP/1.0': ['GET /a HTTP/1.0\r\nHost: a\r\n\r\n', 'GET /a HTTP/1.1', ''],
  'a path that begins like a host': [
    'GET //evil.example/a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
    'GET /evil.example/a HTTP/1.1',
    '',
  ],
}

async function startCounting(t: Parameters<typeof start>[0]): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = []
  const backend = await startRawBackend(t, (socket, index) => {
    seen[index] = ''
    let timer: NodeJS.Immediate | undefined
    socket.on('data', chunk => {
      seen[index] += chunk.toString('latin1')
      clearImmediate(timer)
      // The bytes of one request may come in parts; answered once they are complete.
      timer = setImmediate(() => {
        try {
          requestsIn(seen[index] ?? '')
        } catch {
          return
        }
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      })
    })
  })
  const { port } = await start(t, backend.url)
  return { port, seen }
}

describe('what the backend sees', { timeout: 60_000 }, () => {
  for (const [name, [bytes, line, body]] of Object.entries(CLEAR)) {
    test(`of ${name} is exactly one request`, async t => {
      const { port, seen } = await startCounting(t)
      assert.match(await exchangeBytes(port, bytes), /^HTTP\/1\.1 200 /)
      const requests = seen.flatMap(requestsIn)
      assert.deepEqual(
        requests.map(request => [request.line, request.body]),
        [[line, body]],
      )
      assert.doesNotMatch(requests[0]?.head ?? '', /content_length/i)
    })
  }

  test('of bytes after a request that closes is never a second request', async t => {
    const { port, seen } = await startCounting(t)
    const first = 'GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    await exchangeBytes(port, `${first}${EVIL}`)
    assert.ok(!seen.join('').includes('/evil'))
  })

  test('of any mixture of framing headers is what one parser sees, or nothing', async t => {
    const { port, seen } = await startCounting(t)
    const header = fc.constantFrom(
      'Content-Length: 5',
      'Content-Length: 0',
      'Content-Length: 5, 5',
      'content-length: 6',
      'Content-Length : 5',
      'Transfer-Encoding: chunked',
      'Transfer-Encoding: identity',
      'transfer-encoding: CHUNKED',
      'Transfer-Encoding:\tchunked',
      'Transfer-Encoding: chunked, chunked',
      ' Transfer-Encoding: chunked',
      'Transfer_Encoding: chunked',
      'X: y',
      'Connection: Content-Length',
      'Expect: 100-continue',
    )
    const body = fc.constantFrom(
      '',
      'abcde',
      '0\r\n\r\n',
      `5\r\nabcde\r\n0\r\n\r\n${EVIL}`,
      `0\r\n\r\n${EVIL}`,
      `abcde${EVIL}`,
    )
    await fc.assert(
      fc.asyncProperty(fc.array(header, { maxLength: 3 }), body, async (headers, text) => {
        seen.length = 0
        const before = seen.length
        const lines = ['POST /a HTTP/1.1', 'Host: a', 'Connection: close', ...headers, '', text]
        await exchangeBytes(port, lines.join('\r\n'), { end: true })
        const reached = seen.slice(before).filter(bytes => bytes !== '' && bytes !== undefined)
        assert.ok(reached.length <= 1)
        for (const bytes of reached) {
          assert.ok(
            (bytes.match(/^[A-Z]+ \S+ HTTP\/1\.1\r\nhost:/gim) ?? []).length <= 1 ||
              !bytes.includes('\r\n\r\nGET /evil HTTP/1.1\r\nhost'),
          )
          assert.ok(
            !/content-length:[\s\S]*transfer-encoding:|transfer-encoding:[\s\S]*content-length:/i.test(
              bytes.split('\r\n\r\n', 1)[0] ?? '',
            ),
          )
        }
      }),
      { numRuns: 150 },
    )
  })
})

describe('a request head', () => {
  test('of any text is read without an exception, and what goes on can be written on one line each', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 10 }),
        fc.oneof(fc.string({ maxLength: 40 }), fc.webUrl(), fc.constant('/a')),
        fc.constantFrom('1.0', '1.1', 'h2', '0.9'),
        fc.array(
          fc.tuple(
            fc.oneof(fc.constantFrom('Host', 'Connection', 'Content-Length', 'X'), fc.string()),
            fc.string(),
          ),
          { maxLength: 6 },
        ),
        (method, target, version, pairs) => {
          const head = readRequestHead(
            fc.sample(fc.constantFrom('GET', method), 1)[0] as string,
            target,
            version,
            pairs.flat(),
          )
          if ('rule' in head) {
            assert.match(head.rule, /^framing\/[a-z-]+$/)
            return
          }
          assert.match(head.path, /^(?:\/[\x21-\x7e]*|\*)$/)
          for (let i = 1; i < head.forward.length; i += 2)
            assert.doesNotMatch(head.forward[i] as string, /[\r\n\0]/)
        },
      ),
    )
  })
})
