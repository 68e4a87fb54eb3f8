import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { exchangeBytes, RawClient, start, startRawBackend } from '../harness.ts'

const GET = 'GET /thing HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** What a backend may answer that is not valid HTTP, or not the answer to one request. */
const GARBAGE: Readonly<Record<string, string>> = {
  'no HTTP at all': 'hello there\r\n\r\n',
  'an SSH greeting': 'SSH-2.0-OpenSSH_9.2\r\n',
  binary: '\x00\x01\x02\x03\xff\xfe\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'two Content-Lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok',
  'a length that is not a number': 'HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok',
  'a negative length': 'HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok',
  'a made-up transfer coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: rot13\r\n\r\nbx',
  'a transfer coding over chunked': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'a header with a blank in its name': 'HTTP/1.1 200 OK\r\nX Y: 1\r\nContent-Length: 2\r\n\r\nok',
  'a header with a NUL': 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\nok',
  'a status that is not a number': 'HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok',
  'a status of one digit': 'HTTP/1.1 2 OK\r\nContent-Length: 2\r\n\r\nok',
  'another version': 'HTTP/7.3 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'headers of 40,000 bytes': `HTTP/1.1 200 OK\r\n${`X: ${'a'.repeat(100)}\r\n`.repeat(400)}\r\n`,
  'an upgrade nobody asked for':
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'nothing, then the end': '',
}

describe('a backend that', { timeout: 30_000 }, () => {
  test('is down is answered 502, with a request id and without its address', async t => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port: dead } = closed.address() as { port: number }
    closed.close()
    await once(closed, 'close')
    const { port, event } = await start(t, `http://127.0.0.1:${dead}`)
    const received = await exchangeBytes(port, GET)
    assert.match(received, /^HTTP\/1\.1 502 /)
    assert.match(received, /application\/problem\+json/)
    assert.match(received, /X-Request-Id: [0-9a-z]{20}/)
    assert.ok(!received.includes(String(dead)) && !received.includes('ECONNREFUSED'))
    const { data } = await event(({ type }) => type === 'gateway.backend-failed')
    assert.deepEqual(data, { failure: 'unreachable', cause: 'ECONNREFUSED' })
    const html = await exchangeBytes(port, GET.replace('\r\n\r\n', '\r\nAccept: text/html\r\n\r\n'))
    assert.match(html, /Content-Type: text\/html[\s\S]*<!doctype html>/)
    assert.ok(!html.includes(String(dead)))
  })

  test('sends a head that is too long has another cause than one that sends something other than HTTP', async t => {
    const backend = await startRawBackend(t, socket => {
      socket.once('data', () => socket.write(GARBAGE['headers of 40,000 bytes'] ?? ''))
    })
    const { port, event } = await start(t, backend.url)
    assert.match(await exchangeBytes(port, GET), /^HTTP\/1\.1 502 /)
    const { data } = await event(({ type }) => type === 'gateway.backend-failed')
    assert.deepEqual(data, { failure: 'invalid', cause: 'UND_ERR_HEADERS_OVERFLOW' })
  })

  test('does not begin to answer in time is answered 504', async t => {
    const backend = await startRawBackend(t, () => undefined)
    const { port } = await start(t, backend.url, { timeouts: { upstreamHead: '300ms' } })
    assert.match(await exchangeBytes(port, GET), /^HTTP\/1\.1 504 /)
  })

  test('stops in the middle of its answer has the client see that it is not whole', async t => {
    const backend = await startRawBackend(t, socket => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', () => socket.destroy()),
      )
    })
    const { port, event } = await start(t, backend.url)
    const received = await exchangeBytes(port, GET)
    assert.match(received, /Content-Length: 100\r\n[\s\S]*\r\n\r\npart$/)
    const { outcome } = await event(({ type }) => type === 'http')
    assert.equal(outcome?.aborted, true)
  })

  test('stops in the middle of a chunked answer has the client see that it is not whole', async t => {
    const backend = await startRawBackend(t, socket => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n'),
      )
    })
    const { port } = await start(t, backend.url)
    const received = await exchangeBytes(port, GET)
    assert.match(received, /part/)
    assert.doesNotMatch(received, /\r\n0\r\n\r\n$/)
  })

  test('resets the connection is answered 502', async t => {
    const backend = await startRawBackend(t, socket => {
      socket.once('data', () => socket.resetAndDestroy())
    })
    const { port } = await start(t, backend.url)
    assert.match(await exchangeBytes(port, GET), /^HTTP\/1\.1 502 /)
  })

  for (const [name, bytes] of Object.entries(GARBAGE)) {
    test(`sends garbage (${name}) is answered 502, and none of it reaches the client`, async t => {
      const backend = await startRawBackend(t, socket => {
        socket.once('data', () => socket.end(bytes, 'latin1'))
      })
      const { port } = await start(t, backend.url)
      const received = await exchangeBytes(port, GET)
      assert.match(received, /^HTTP\/1\.1 502 /)
      assert.equal(received.split('HTTP/1.1 ').length, 2)
    })
  }

  test('sends more than its answer does not answer the next request with the rest', async t => {
    const backend = await startRawBackend(t, (socket, index) => {
      socket.on('data', () =>
        socket.write(index === 0 ? `${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison` : OK),
      )
    })
    const { port } = await start(t, backend.url)
    assert.match(await exchangeBytes(port, GET), /\r\n\r\nok$/)
    assert.match(await exchangeBytes(port, GET), /\r\n\r\nok$/)
  })

  test('answers before it has read the request has its answer delivered', async t => {
    const backend = await startRawBackend(t, socket => {
      socket.once('data', () => socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop'))
    })
    const { port } = await start(t, backend.url)
    const client = new RawClient(port)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n\r\npart')
    assert.match(await client.until('stop'), /^HTTP\/1\.1 413 Too Large/)
    client.close()
  })
})

describe('an idle connection to the backend that dies as a request is written to it', {
  timeout: 30_000,
}, () => {
  /**
   * Answers the first request of the first connection, drops the second request without a byte, answers on
   * other connections.
   */
  async function flaky(
    t: Parameters<typeof start>[0],
    firstBytes = '',
  ): Promise<{ url: string; seen: string[] }> {
    const seen: string[] = []
    const backend = await startRawBackend(t, (socket, index) => {
      let count = 0
      socket.on('data', chunk => {
        seen.push(chunk.toString('latin1').split(' ', 2).join(' '))
        if (index > 0 || count++ === 0) socket.write(OK)
        else if (firstBytes === '') socket.resetAndDestroy()
        else socket.end(firstBytes)
      })
    })
    return { url: backend.url, seen }
  }
  const send = (method: string, path: string, headers = '', body = ''): string =>
    `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n${body}`

  for (const method of ['GET', 'OPTIONS', 'DELETE', 'PUT']) {
    test(`has ${method} without a body sent once more`, async t => {
      const { url, seen } = await flaky(t)
      const { port } = await start(t, url)
      await exchangeBytes(port, send('GET', '/first'))
      assert.match(await exchangeBytes(port, send(method, '/second')), /^HTTP\/1\.1 200 /)
      assert.deepEqual(seen, ['GET /first', `${method} /second`, `${method} /second`])
    })
  }

  for (const [name, request] of Object.entries({
    'POST, which may act twice': send('POST', '/second', 'Content-Length: 0\r\n'),
    'PATCH, which may act twice': send('PATCH', '/second', 'Content-Length: 0\r\n'),
    'PUT with a body, which is gone': send('PUT', '/second', 'Content-Length: 1\r\n', 'x'),
  })) {
    test(`never has ${name} sent again`, async t => {
      const { url, seen } = await flaky(t)
      const { port } = await start(t, url)
      await exchangeBytes(port, send('GET', '/first'))
      assert.match(await exchangeBytes(port, request), /^HTTP\/1\.1 502 /)
      assert.equal(seen.filter(line => line.endsWith('/second')).length, 1)
    })
  }

  test('is not sent again once a byte of an answer has come', async t => {
    const { url, seen } = await flaky(t, 'HTTP/1.1 200 OK\r\nContent-')
    const { port } = await start(t, url)
    await exchangeBytes(port, send('GET', '/first'))
    assert.match(await exchangeBytes(port, send('GET', '/second')), /^HTTP\/1\.1 502 /)
    assert.equal(seen.filter(line => line.endsWith('/second')).length, 1)
  })

  test('is not sent again on a fresh connection that died', async t => {
    const seen: string[] = []
    const backend = await startRawBackend(t, socket => {
      socket.once('data', chunk => {
        seen.push(chunk.toString('latin1').split('\r\n', 1)[0] ?? '')
        socket.resetAndDestroy()
      })
    })
    const { port } = await start(t, backend.url)
    assert.match(await exchangeBytes(port, GET), /^HTTP\/1\.1 502 /)
    assert.equal(seen.length, 1)
  })

  test('closes in time when the backend states how long it keeps one', async t => {
    const closed: Promise<unknown>[] = []
    const backend = await startRawBackend(t, socket => {
      closed.push(once(socket, 'close'))
      socket.on('data', () =>
        socket.write(
          'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok',
        ),
      )
    })
    const { port } = await start(t, backend.url)
    await exchangeBytes(port, GET)
    await closed[0]
    await exchangeBytes(port, GET)
    assert.equal(backend.connections(), 2)
  })
})
