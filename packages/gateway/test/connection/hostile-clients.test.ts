import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import {
  type Backend,
  exchangeBytes,
  RawClient,
  start,
  startBackend,
  startRawBackend,
  type TestGateway,
} from '../harness.ts'
import { certificate, fields, frame, http2Request, http2Session, PREFACE, rawHttp2 } from '../tls.ts'

const HEADERS = 1
const SETTINGS = 4
const WINDOW_UPDATE = 8
const CONTINUATION = 9
const END_STREAM = 1
const END_HEADERS = 4

const GET: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/'],
]

interface Attacked extends TestGateway {
  readonly backend: Backend
  readonly socket: Socket
}

/** A connection of HTTP/2 whose frames the test writes by hand. */
async function attack(t: TestContext): Promise<Attacked> {
  const backend = await startBackend(t, (_request, response) => response.end('hello'))
  const gateway = await start(t, backend.url, { listen: { port: 0, tls: certificate() } })
  const socket = rawHttp2(gateway.port)
  await once(socket, 'secureConnect')
  socket.resume()
  socket.write(PREFACE)
  socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)))
  return { ...gateway, backend, socket }
}

/**
 * Writes on and on, each time as fast as the other side takes it, until it hangs up.
 * @returns how often it wrote
 */
async function writeUntilClosed(
  socket: Socket,
  part: (index: number) => Buffer | string,
  most: number,
): Promise<number> {
  let isOpen = true
  socket.once('close', () => {
    isOpen = false
  })
  let index = 0
  for (; isOpen && index < most; index++) {
    socket.write(part(index))
    await new Promise(resolve => setImmediate(resolve))
  }
  socket.destroy()
  return index
}

/** The gateway still serves others. */
async function assertServes({ port }: TestGateway): Promise<void> {
  const session = http2Session(port)
  assert.equal((await http2Request(session, { ':path': '/' })).status, 200)
  session.close()
}

describe('a client that reads nothing', () => {
  test('holds no place forever with small answers on HTTP/2, whose window it keeps shut', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('hello'))
    const { port, gateway } = await start(t, backend.url, {
      listen: { port: 0, tls: certificate() },
      timeouts: { clientStall: '150ms' },
    })
    const session = connectHttp2(`https://localhost:${port}`, {
      ca: certificate().cert,
      settings: { initialWindowSize: 0 },
    })
    session.on('error', () => undefined)
    await once(session, 'remoteSettings')
    const closed = Array.from({ length: 20 }, () => {
      const stream = session.request({ ':path': '/' })
      stream.on('error', () => undefined)
      stream.pause()
      return new Promise(resolve => stream.once('close', resolve))
    })
    await Promise.all(closed)
    assert.equal(gateway.inFlight, 0)
    session.destroy()
    const other = http2Session(port)
    assert.equal((await http2Request(other, { ':path': '/' })).status, 200)
    other.close()
  })

  test('holds no place forever with a small answer on HTTP/1, behind all that the kernel already holds for it', async t => {
    const backend = await startBackend(t, (_request, response) => response.end(Buffer.alloc(12_000)))
    const { port, gateway, events } = await start(t, backend.url, { timeouts: { clientStall: '150ms' } })
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    await once(socket, 'connect')
    // A client that does not read does not learn either that it was cut off.
    const isGone = (): boolean => events.length > 0 && gateway.connections === 0
    // One after the other, for those sent ahead of their answers have a cap of their own.
    for (let asked = 1; !isGone(); asked++) {
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      while (!isGone() && events.length < asked) await new Promise(resolve => setImmediate(resolve))
    }
    socket.destroy()
    while (gateway.inFlight > 0) await new Promise(resolve => setImmediate(resolve))
    assert.ok(events.length > 10)
  })
})

describe('a crowd of slow clients', { timeout: 30_000 }, () => {
  const CROWD = 40

  /** Each sends a beginning and no more: all are refused for being late, and another client is served. */
  async function assertRefused(t: TestContext, beginning: string): Promise<void> {
    const backend = await startBackend(t, (request, response) => {
      request.resume().on('end', () => response.end('hello'))
    })
    const gateway = await start(t, backend.url, { timeouts: { head: '200ms', bodyProgress: '200ms' } })
    const refused = Promise.all(Array.from({ length: CROWD }, () => exchangeBytes(gateway.port, beginning)))
    await gateway.event(event => event.outcome?.status === 408)
    const good = await exchangeBytes(gateway.port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    assert.match(good, /hello$/)
    for (const answer of await refused) assert.match(answer, /^HTTP\/1\.1 408 /)
    assert.equal(gateway.gateway.inFlight, 0)
  }

  test('that runs out of time with its heads is refused, one after another', t =>
    assertRefused(t, 'GET / HTTP/1.1\r\nHost: a\r\n'))

  test('that runs out of time with its bodies is refused, one after another', t =>
    assertRefused(t, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\na'))

  test('loses nothing that arrives while its refusal waits', async t => {
    const backend = await startBackend(t, (_request, response) => response.end('hello'))
    const gateway = await start(t, backend.url, { timeouts: { head: '200ms' } })
    const crowd = Array.from({ length: CROWD }, () => new RawClient(gateway.port))
    for (const client of crowd) client.write('GET / HTTP/1.1\r\nHost: a\r\n')
    await gateway.event(event => event.outcome?.status === 408)
    for (const client of crowd) client.write('Connection: close\r\n\r\n')
    const answers = await Promise.all(crowd.map(client => client.untilClosed()))
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 (200|408) /)
    assert.ok(answers.some(answer => answer.endsWith('hello')))
  })
})

describe('a connection of which not a byte was used', { timeout: 30_000 }, () => {
  for (const tls of [undefined, certificate()])
    test(`is closed without an entry, ${tls === undefined ? 'plain' : 'encrypted'}`, async t => {
      const backend = await startBackend(t, (_request, response) => response.end('hello'))
      const gateway = await start(t, backend.url, {
        listen: { port: 0, ...(tls !== undefined && { tls }) },
        timeouts: { head: '200ms' },
      })
      const closed = (beginning: string) =>
        new Promise<string>(resolve => {
          const socket: Socket =
            tls === undefined
              ? connect(gateway.port, '127.0.0.1')
              : connectTls({ port: gateway.port, host: '127.0.0.1', rejectUnauthorized: false })
          let received = ''
          socket.setEncoding('latin1').on('data', (text: string) => {
            received += text
          })
          socket.on('error', () => undefined).on('close', () => resolve(received))
          socket.write(beginning)
        })
      assert.equal(await closed(''), '')
      const late = gateway.event(event => event.outcome?.status === 408)
      assert.match(await closed('G'), /^HTTP\/1\.1 408 /)
      await late
      assert.equal(gateway.events.filter(event => event.outcome !== undefined).length, 1)
    })
})

describe('a client that makes little work cost much', () => {
  test('cannot unpack small frames into many megabytes of headers (HPACK bomb)', async t => {
    const attacked = await attack(t)
    const { socket, backend } = attacked
    const value = Buffer.alloc(3_900, 'a')
    const length = value.length - 127
    const indexed = Buffer.concat([
      Buffer.from([0x40, 1, 120, 127, (length & 127) | 128, length >> 7]),
      value,
    ])
    socket.write(frame(HEADERS, END_STREAM | END_HEADERS, 1, Buffer.concat([fields(...GET), indexed])))
    // Each byte of these names the entry of 3,900 bytes again: 60 MB a request.
    const bomb = Buffer.concat([fields(...GET), Buffer.alloc(16_000, 0xbe)])
    await writeUntilClosed(
      socket,
      index => frame(HEADERS, END_STREAM | END_HEADERS, 3 + 2 * index, bomb),
      100,
    )
    await assertServes(attacked)
    for (const { rawHeaders } of backend.seen) assert.ok(rawHeaders.join('').length < 16_384)
  })

  test('cannot send a head that never ends, in full or in empty frames (CVE-2024-27316)', async t => {
    for (const part of [fields(['x', 'y'.repeat(200)]), Buffer.alloc(0)]) {
      const attacked = await attack(t)
      attacked.socket.write(frame(HEADERS, END_STREAM, 1, fields(...GET)))
      const sent = await writeUntilClosed(attacked.socket, () => frame(CONTINUATION, 0, 1, part), 100_000)
      assert.ok(sent < 100_000)
      assert.equal(attacked.backend.seen.length, 0)
      await assertServes(attacked)
    }
  })

  test('cannot make us reset its streams without end (CVE-2025-8671)', async t => {
    const attacked = await attack(t)
    const increment = Buffer.from([0x7f, 0xff, 0xff, 0xff])
    const sent = await writeUntilClosed(
      attacked.socket,
      index =>
        Buffer.concat([
          frame(HEADERS, END_STREAM | END_HEADERS, 1 + 2 * index, fields(...GET)),
          frame(WINDOW_UPDATE, 0, 1 + 2 * index, increment),
        ]),
      100_000,
    )
    assert.ok(sent < 100_000)
    await assertServes(attacked)
  })

  test('cannot send trailers or extensions of chunks without end', async t => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    for (const [begin, part] of [
      [`${head}1\r\nx\r\n0\r\n`, `T: ${'y'.repeat(200)}\r\n`],
      [`${head}1;`, `a=${'y'.repeat(200)};`],
    ] as const) {
      const backend = await startBackend(t, (request, response) => {
        request.on('error', () => undefined)
        request.resume().on('end', () => response.end())
      })
      const { port } = await start(t, backend.url)
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.resume()
      socket.write(begin)
      assert.ok((await writeUntilClosed(socket, () => part, 100_000)) < 100_000)
    }
  })

  test('cannot fill our memory through a tunnel whose other end does not read', async t => {
    const answer =
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n'
    const backend = await startRawBackend(t, socket => {
      socket.once('data', () => {
        socket.write(answer)
        socket.pause()
      })
    })
    const { port } = await start(t, backend.url, { timeouts: { tunnelIdle: '300ms' } })
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    )
    await once(socket, 'data')
    let isOpen = true
    socket.once('close', () => {
      isOpen = false
    })
    // Written only while there is room, so that what is not taken stays here; the tunnel ends when nothing
    // moves any more.
    const chunk = Buffer.alloc(65_536)
    const most = 256 * 1_048_576
    while (isOpen && socket.bytesWritten < most) {
      if (socket.writableLength === 0) socket.write(chunk)
      await new Promise(resolve => setImmediate(resolve))
    }
    assert.ok(socket.bytesWritten < 64 * 1_048_576, `${socket.bytesWritten}`)
  })
})
