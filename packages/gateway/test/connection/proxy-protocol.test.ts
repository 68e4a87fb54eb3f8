import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import fc from 'fast-check'
import { readProxyHeader } from '../../src/connection/proxy-protocol.ts'
import { exchangeBytes, RawClient, start, startBackend } from '../harness.ts'
import { certificate, http2Request } from '../tls.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const V1 = 'PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n'

function version2(command: number, family: number, addresses: readonly number[]): Buffer {
  const head = Buffer.from([
    0x0d,
    0x0a,
    0x0d,
    0x0a,
    0,
    0x0d,
    0x0a,
    0x51,
    0x55,
    0x49,
    0x54,
    0x0a,
    command,
    family,
    0,
    addresses.length,
  ])
  return Buffer.concat([head, Buffer.from(addresses)])
}

const V2 = version2(0x21, 0x11, [203, 0, 113, 7, 192, 0, 2, 1, 0x12, 0x67, 1, 0xbb])
const V2_IPV6 = version2(0x21, 0x21, [
  ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
  ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x12, 0x67, 1, 0xbb],
])

/** What is not a PROXY header. */
const INVALID: Readonly<Record<string, string | Buffer>> = {
  'HTTP at once': GET,
  'small letters': 'proxy tcp4 203.0.113.7 192.0.2.1 4711 443\r\n',
  'another family': 'PROXY UDP4 203.0.113.7 192.0.2.1 4711 443\r\n',
  'IPv6 as TCP4': 'PROXY TCP4 2001:db8::1 192.0.2.1 4711 443\r\n',
  'IPv4 as TCP6': 'PROXY TCP6 203.0.113.7 192.0.2.1 4711 443\r\n',
  'an invalid address': 'PROXY TCP4 203.0.113.777 192.0.2.1 4711 443\r\n',
  'a port beyond 65535': 'PROXY TCP4 203.0.113.7 192.0.2.1 70000 443\r\n',
  'two blanks': 'PROXY TCP4  203.0.113.7 192.0.2.1 4711 443\r\n',
  'too few parts': 'PROXY TCP4 203.0.113.7 192.0.2.1 4711\r\n',
  'too many parts': 'PROXY TCP4 203.0.113.7 192.0.2.1 4711 443 1\r\n',
  'a bare LF': `PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\n${GET}${'x'.repeat(100)}`,
  'a line without end': `PROXY TCP4 ${'1'.repeat(200)}`,
  'version 3': version2(0x31, 0x11, [...V2.subarray(16)]),
  'an unknown command': version2(0x22, 0x11, [...V2.subarray(16)]),
  'a family of unix sockets': version2(
    0x21,
    0x31,
    Array.from({ length: 216 }, () => 0),
  ),
  'addresses cut short': version2(0x21, 0x11, [203, 0, 113]),
}

describe('a PROXY protocol header', () => {
  test('names the client, in version 1 and 2', () => {
    assert.deepEqual(readProxyHeader(Buffer.from(V1)), { length: V1.length, client: '203.0.113.7' })
    assert.deepEqual(readProxyHeader(Buffer.from('PROXY TCP6 2001:DB8::7 2001:db8::1 1 2\r\n')), {
      length: 40,
      client: '2001:db8::7',
    })
    assert.deepEqual(readProxyHeader(V2), { length: 28, client: '203.0.113.7' })
    assert.deepEqual(readProxyHeader(V2_IPV6), { length: 52, client: '2001:db8::7' })
  })

  test('may name nobody: UNKNOWN, and LOCAL for the health checks of a proxy', () => {
    assert.deepEqual(readProxyHeader(Buffer.from('PROXY UNKNOWN\r\n')), { length: 15, client: undefined })
    assert.deepEqual(readProxyHeader(version2(0x20, 0, [])), { length: 16, client: undefined })
  })

  for (const [name, bytes] of Object.entries(INVALID)) {
    test(`is refused: ${name}`, () => assert.equal(readProxyHeader(Buffer.from(bytes)), 'invalid'))
  }

  test('that arrives in pieces is read the same', () => {
    for (const whole of [Buffer.from(V1), V2, V2_IPV6]) {
      for (let i = 0; i < whole.length; i++) assert.equal(readProxyHeader(whole.subarray(0, i)), 'more')
      assert.notEqual(readProxyHeader(whole), 'more')
    }
  })

  test('of any bytes is read without an exception, and is never longer than what there is', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom<Buffer>(Buffer.alloc(0), V2.subarray(0, 12), Buffer.from('PROXY ')),
        (tail, start) => {
          const bytes = Buffer.concat([start, tail])
          const read = readProxyHeader(bytes)
          assert.ok(typeof read === 'string' || read.length <= bytes.length)
        },
      ),
    )
  })
})

describe('a listener that expects the PROXY protocol', { timeout: 30_000 }, () => {
  test('takes the client from the header, however it is cut', async t => {
    const backend = await startBackend(t, (request, response) =>
      response.end(request.headers['x-forwarded-for']),
    )
    const { port, event } = await start(t, backend.url, {
      listen: { port: 0, proxyProtocolFrom: ['loopback'] },
    })
    assert.match(await exchangeBytes(port, V1 + GET), /203\.0\.113\.7$/)
    assert.match(await exchangeBytes(port, Buffer.concat([V2, Buffer.from(GET)])), /203\.0\.113\.7$/)
    const client = new RawClient(port)
    for (const letter of V1 + GET) {
      client.write(letter)
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.match(await client.untilClosed(), /203\.0\.113\.7$/)
    const { actor } = await event(({ type }) => type === 'http')
    assert.equal(actor.address, '203.0.113.7')
    assert.match(await exchangeBytes(port, `PROXY UNKNOWN\r\n${GET}`), /127\.0\.0\.1$/)
  })

  test('ends connections without one, with a broken one, or that never send one', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('x'))
    const { port } = await start(t, backend.url, {
      listen: { port: 0, proxyProtocolFrom: ['loopback'] },
      timeouts: { head: '300ms' },
    })
    for (const bytes of Object.values(INVALID)) assert.equal(await exchangeBytes(port, bytes as string), '')
    assert.equal(await exchangeBytes(port, 'PROXY TCP4 203'), '')
    assert.equal(backend.seen.length, 0)
  })

  test('ends connections from elsewhere than the stated proxies', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('x'))
    const { port } = await start(t, backend.url, { listen: { port: 0, proxyProtocolFrom: ['10.0.0.0/8'] } })
    assert.equal(await exchangeBytes(port, V1 + GET), '')
    assert.equal(backend.seen.length, 0)
  })

  test('still cuts off slow heads', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('x'))
    const { port } = await start(t, backend.url, {
      listen: { port: 0, proxyProtocolFrom: ['loopback'] },
      timeouts: { head: '300ms' },
    })
    assert.match(await exchangeBytes(port, `${V1}GET / HTTP/1.1\r\nHost: a\r\nX: `), /^HTTP\/1\.1 408 /)
  })

  test('takes it before TLS', async t => {
    const backend = await startBackend(t, (request, response) =>
      response.end(request.headers['x-forwarded-for']),
    )
    const { port } = await start(t, backend.url, {
      listen: { port: 0, proxyProtocolFrom: ['loopback'], tls: certificate() },
    })
    const tcp = connectTcp(port, '127.0.0.1')
    await once(tcp, 'connect')
    tcp.write(V1)
    const session = connectHttp2('https://localhost', {
      createConnection: () =>
        connectTls({ socket: tcp, servername: 'localhost', ca: certificate().cert, ALPNProtocols: ['h2'] }),
    })
    assert.equal((await http2Request(session, { ':path': '/' })).body, '203.0.113.7')
    session.destroy()
  })
})

describe('a listener that does not expect the PROXY protocol', { timeout: 30_000 }, () => {
  test('refuses it as no HTTP', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('x'))
    const { port } = await start(t, backend.url)
    assert.match(await exchangeBytes(port, V1 + GET), /^HTTP\/1\.1 400 /)
    assert.match(await exchangeBytes(port, Buffer.concat([V2, Buffer.from(GET)])), /^HTTP\/1\.1 400 /)
    assert.equal(backend.seen.length, 0)
  })
})
