import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { CidrSet, CredentialError, Engine, type Guard, VirtualClock } from '@postern/core'
import { verifyIdentity } from '../src/index.ts'
import { exchangeBytes, RawClient, start, startBackend } from './harness.ts'

const KEY = 'k'.repeat(32)

describe('a request through the gateway', { timeout: 30_000 }, () => {
  test('reaches the backend with its method, path, query, headers and body', async t => {
    const backend = await startBackend(t, async (request, response) => {
      const body = await text(request)
      response.setHeader('Content-Type', 'application/json')
      response.end(JSON.stringify([request.method, request.url, request.headers['x-custom'], body]))
    })
    const { gateway } = await start(t, backend.url)
    const answer = await fetch(`${gateway.url}/a/b%2Fc?x=1&y=%20#gone`, {
      method: 'PATCH',
      headers: { 'X-Custom': 'yes' },
      body: 'some bytes',
    })
    assert.equal(answer.headers.get('content-type'), 'application/json')
    assert.match(answer.headers.get('x-request-id') ?? '', /^[0-9a-z]{20}$/)
    assert.deepEqual(await answer.json(), ['PATCH', '/a/b%2Fc?x=1&y=%20', 'yes', 'some bytes'])
  })

  test('keeps repeated answer headers, the reason phrase and cookies apart', async t => {
    const backend = await startBackend(t, (_request, response) => {
      response.writeHead(299, 'Quite Fine', [
        'Set-Cookie',
        'a=1',
        'Set-Cookie',
        'b=2',
        'X-Two',
        '1',
        'x-two',
        '2',
      ])
      response.end()
    })
    const { port } = await start(t, backend.url)
    const received = await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(received, /^HTTP\/1\.1 299 Quite Fine\r\n/)
    assert.match(received, /Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Two: 1\r\nx-two: 2\r\n/)
  })

  test('loses headers of the connection, those that Connection names, and those that speak for us', async t => {
    const backend = await startBackend(t, (_request, response) => response.end())
    const { port } = await start(t, backend.url)
    await exchangeBytes(
      port,
      [
        'GET / HTTP/1.1',
        'Host: shop.example',
        'Connection: close, X-Hop',
        'X-Hop: 1',
        'Keep-Alive: timeout=5',
        'TE: trailers',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAAQAAP__',
        'Proxy: http://evil.example',
        'Proxy-Authorization: Basic eA==',
        'X-Postern-Identity: forged',
        'X_Postern_Identity: forged',
        'x-postern-anything: forged',
        'X-Forwarded-For: 1.2.3.4',
        'X_Forwarded_For: 1.2.3.4',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Prefix: /admin',
        'Forwarded: for=1.2.3.4',
        'X-Real-IP: 1.2.3.4',
        'X-Original-URL: /admin',
        'X-Rewrite-URL: /admin',
        'X-Request-Id: forged',
        'X-Kept: 1',
        '',
        '',
      ].join('\r\n'),
    )
    const headers = backend.seen[0]?.headers as IncomingHttpHeaders
    const { 'x-request-id': id, ...rest } = headers
    assert.notEqual(id, 'forged')
    assert.deepEqual(rest, {
      host: 'shop.example',
      connection: 'keep-alive',
      'x-kept': '1',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.example',
    })
  })

  test('continues the chain of addresses that a trusted proxy sent', async t => {
    const backend = await startBackend(t, (_request, response) => response.end())
    const engine = new Engine({ trustedProxies: CidrSet.parse(['loopback']) })
    const { gateway } = await start(t, backend.url, { engine })
    await fetch(gateway.url, {
      headers: {
        'X-Forwarded-For': '203.0.113.9',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'shop.example',
      },
    })
    await fetch(gateway.url, { headers: { Forwarded: 'for=203.0.113.9' } })
    await fetch(gateway.url, {
      headers: {
        Forwarded:
          'for=a;proto=http;host=b.example, for="[2001:db8::1]:4711";Proto=HTTPS;host="shop.example"',
      },
    })
    await fetch(gateway.url, {
      headers: { Forwarded: 'proto=https;host=forged.example', 'X-Forwarded-For': '203.0.113.9' },
    })
    await fetch(gateway.url, { headers: { Forwarded: 'for=203.0.113.9;host="a b";proto=ws' } })
    const [first, second, third, fourth, fifth] = backend.seen
    assert.deepEqual(
      [third, fourth, fifth].map(seen => [
        seen?.headers['x-forwarded-for'],
        seen?.headers['x-forwarded-proto'],
        seen?.headers['x-forwarded-host'],
      ]),
      [
        ['2001:db8::1, 127.0.0.1', 'https', 'shop.example'],
        // Who writes X-Forwarded-For passes Forwarded through as the client sent it.
        ['203.0.113.9, 127.0.0.1', 'http', new URL(gateway.url).host],
        ['203.0.113.9, 127.0.0.1', 'http', new URL(gateway.url).host],
      ],
    )
    assert.equal(first?.headers['x-forwarded-for'], '203.0.113.9, 127.0.0.1')
    assert.equal(first?.headers['x-forwarded-proto'], 'https')
    assert.equal(first?.headers['x-forwarded-host'], 'shop.example')
    assert.equal(second?.headers['x-forwarded-for'], '203.0.113.9, 127.0.0.1')
    assert.equal(second?.headers.forwarded, undefined)
  })

  test('carries an identity that the backend can verify, for this request and this minute only', async t => {
    const clock = new VirtualClock()
    const identify: Guard = {
      name: 'identify',
      failure: 'closed',
      decide: exchange => {
        exchange.principal = { kind: 'user', id: 'ada', tenant: 'acme', roles: ['support'] }
        return { effect: 'allow' }
      },
    }
    const backend = await startBackend(t, (_request, response) => response.end())
    const engine = new Engine({ clock, guards: [identify] })
    const { gateway } = await start(t, backend.url, {
      engine,
      signingKey: KEY,
      rewriteHost: 'internal.example',
    })
    await fetch(`${gateway.url}/`, { headers: { 'X-Postern-Identity': 'v1.e30.forged' } })
    const headers = (backend.seen[0] as IncomingMessage).headers
    assert.equal(headers.host, 'internal.example')
    const header = String(headers['x-postern-identity'])
    const requestId = String(headers['x-request-id'])
    const who = verifyIdentity(header, { key: ['o'.repeat(32), KEY], requestId, clock })
    assert.equal(who.client, '127.0.0.1')
    assert.deepEqual(who.principal, { kind: 'user', id: 'ada', tenant: 'acme', roles: ['support'] })
    const refuse = (value: string | readonly string[] | undefined, options: object = {}): void => {
      assert.throws(() => verifyIdentity(value, { key: KEY, requestId, clock, ...options }), CredentialError)
    }
    refuse(undefined)
    refuse('')
    refuse([header])
    refuse(header, { requestId: [requestId] })
    refuse('v1..')
    refuse(`${header}x`)
    refuse(header.replace('v1.', 'v2.'))
    refuse(header, { key: 'o'.repeat(32) })
    refuse(header, { requestId: '00000000000000000000' })
    clock.advance(60_001)
    refuse(header)
  })
})

describe('an answer through the gateway', { timeout: 30_000 }, () => {
  test('to HEAD, and with 204 and 304, has no body and the next request is not confused', async t => {
    const backend = await startBackend(t, (request, response) => {
      if (request.url === '/204') response.writeHead(204).end()
      else if (request.url === '/304') response.writeHead(304, { ETag: '"x"' }).end()
      else
        response
          .writeHead(200, { 'Content-Length': 11 })
          .end(request.method === 'HEAD' ? undefined : 'hello world')
    })
    const { port } = await start(t, backend.url)
    const client = new RawClient(port)
    client.write('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.match(await client.until('\r\n\r\n'), /Content-Length: 11\r\n/)
    client.write('GET /204 HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until(/204 No Content[\s\S]*\r\n\r\n$/)
    client.write('GET /304 HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.until(/304 Not Modified[\s\S]*ETag: "x"[\s\S]*\r\n\r\n$/)
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(await client.untilClosed(), /\r\n\r\nhello world$/)
  })

  test('keeps trailers, but none that frame, route or authenticate', async t => {
    const backend = await startBackend(t, (_request, response) => {
      response.writeHead(200, { Trailer: 'X-Checksum' })
      response.write('abc')
      response.addTrailers([
        ['X-Checksum', '900150'],
        ['Set-Cookie', 'a=b'],
      ])
      response.end()
    })
    const { port } = await start(t, backend.url)
    const received = await exchangeBytes(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(received, /\r\n0\r\nX-Checksum: 900150\r\n\r\n$/)
    assert.doesNotMatch(received, /Set-Cookie/)
  })

  test('of server-sent events arrives event by event', async t => {
    const { promise, resolve } = Promise.withResolvers<(event: string) => void>()
    const backend = await startBackend(t, (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.flushHeaders()
      resolve(event => response.write(event))
    })
    const { port } = await start(t, backend.url)
    const client = new RawClient(port)
    client.write('GET /events HTTP/1.1\r\nHost: a\r\n\r\n')
    const send = await promise
    // Head before any event; each event before the next is sent.
    assert.doesNotMatch(await client.until('text/event-stream'), /data/)
    send('data: one\n\n')
    assert.doesNotMatch(await client.until('data: one\n\n'), /data: two/)
    send('data: two\n\n')
    assert.match(await client.until('data: two\n\n'), /data: one/)
    client.close()
  })

  test('to pipelined requests comes in their order, one after another', async t => {
    let working = 0
    let most = 0
    const backend = await startBackend(t, (request, response) => {
      most = Math.max(most, ++working)
      setImmediate(() => {
        working--
        response.end(request.url)
      })
    })
    const { port } = await start(t, backend.url)
    const paths = ['/1', '/2', '/3', '/4']
    const received = await exchangeBytes(
      port,
      paths
        .map(path => `GET ${path} HTTP/1.1\r\nHost: a\r\n${path === '/4' ? 'Connection: close\r\n' : ''}\r\n`)
        .join(''),
    )
    assert.deepEqual(
      received.match(/\r\n\r\n(\/\d)/g)?.map(part => part.trim()),
      paths,
    )
    assert.equal(most, 1)
  })
})

describe('a body through the gateway', { timeout: 60_000 }, () => {
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

  test('of some megabytes goes both ways unchanged, with and without a stated length', async t => {
    const bytes = randomBytes(8 * 1_048_576)
    const backend = await startBackend(t, (request, response) => request.pipe(response))
    const { gateway } = await start(t, backend.url)
    for (const headers of [{ 'Content-Length': bytes.length }, { 'Transfer-Encoding': 'chunked' }]) {
      const request = httpRequest(gateway.url, { method: 'POST', headers, agent: false })
      request.end(bytes)
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      assert.equal(hash(Buffer.concat(await response.toArray())), hash(bytes))
    }
  })

  test('that a guard read ahead still reaches the backend whole', async t => {
    const read: (readonly [number, boolean])[] = []
    const reader: Guard = {
      name: 'reader',
      failure: 'closed',
      decide: async exchange => {
        const prefix = await exchange.readBody()
        read.push([prefix.bytes.length, prefix.complete])
        return { effect: 'allow' }
      },
    }
    const backend = await startBackend(t, (request, response) => request.pipe(response))
    const { gateway } = await start(t, backend.url, {
      engine: new Engine({ guards: [reader], bodyLimit: 1_000 }),
    })
    for (const size of [0, 1, 999, 1_000, 1_001, 500_000]) {
      const bytes = randomBytes(size)
      const answer = await fetch(gateway.url, { method: 'POST', body: bytes })
      assert.equal(hash(await answer.bytes()), hash(bytes), `${size} bytes`)
    }
    assert.deepEqual(read, [
      [0, true],
      [1, true],
      [999, true],
      [1_000, false],
      [1_000, false],
      [1_000, false],
    ])
  })

  test('is asked for with 100 Continue only once the request is allowed', async t => {
    const guard: Guard = {
      name: 'door',
      failure: 'closed',
      decide: exchange =>
        exchange.path.raw === '/no'
          ? { effect: 'deny', guard: 'door', status: 403, reasons: [{ rule: 'door/no', message: 'No.' }] }
          : { effect: 'allow' },
    }
    const backend = await startBackend(t, (request, response) => request.pipe(response))
    const { port } = await start(t, backend.url, { engine: new Engine({ guards: [guard] }) })
    const head = (path: string): string =>
      `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n`
    const allowed = new RawClient(port)
    allowed.write(head('/yes'))
    await allowed.until('100 Continue\r\n\r\n')
    allowed.write('abc')
    await allowed.until(/200 OK[\s\S]*abc/)
    allowed.close()
    const refused = new RawClient(port)
    refused.write(head('/no'))
    const received = await refused.untilClosed()
    assert.doesNotMatch(received, /100 Continue/)
    assert.match(received, /^HTTP\/1\.1 403 [\s\S]*Connection: close/)
    assert.equal(backend.seen.length, 1)
  })

  test('of a refused request is read and forgotten, and the connection lives on', async t => {
    const guard: Guard = {
      name: 'door',
      failure: 'closed',
      decide: exchange =>
        exchange.method === 'POST'
          ? { effect: 'deny', guard: 'door', status: 403, reasons: [{ rule: 'door/no', message: 'No.' }] }
          : { effect: 'allow' },
    }
    const backend = await startBackend(t, (_request, response) => response.end('fine'))
    const { port } = await start(t, backend.url, { engine: new Engine({ guards: [guard] }) })
    const client = new RawClient(port)
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n`)
    await client.until('403 Forbidden')
    client.write('x'.repeat(100_000))
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(await client.untilClosed(), /200 OK[\s\S]*fine$/)
    assert.deepEqual(
      backend.seen.map(request => request.method),
      ['GET'],
    )
  })

  test('that nobody wants and that does not end costs the client its connection', async t => {
    const deny: Guard = {
      name: 'door',
      failure: 'closed',
      decide: () => ({
        effect: 'deny',
        guard: 'door',
        status: 403,
        reasons: [{ rule: 'door/no', message: 'No.' }],
      }),
    }
    const backend = await startBackend(t, (_request, response) => response.end())
    const { port } = await start(t, backend.url, { engine: new Engine({ guards: [deny] }) })
    const client = new RawClient(port)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n')
    await client.until('403 Forbidden')
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    while (!client.closed) {
      client.write(chunk)
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.equal(backend.seen.length, 0)
  })
})
