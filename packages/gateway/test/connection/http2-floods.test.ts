import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { ALLOW, Engine, type Guard } from '@postern/core'
import { until } from '../../../../test/until.ts'
import { type Backend, start, startBackend, type TestGateway } from '../harness.ts'
import { certificate, fields, frame, http2Request, http2Session, PREFACE, rawHttp2 } from '../tls.ts'

const DATA = 0
const HEADERS = 1
const PRIORITY = 2
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const WINDOW_UPDATE = 8
const UNKNOWN = 0xbb
const END_STREAM = 1
const END_HEADERS = 4
const EMPTY = Buffer.alloc(0)

const POST: readonly (readonly [string, string])[] = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/upload'],
]

interface Attacked extends TestGateway {
  readonly backend: Backend
  readonly socket: TLSSocket
  readonly isClosed: () => boolean
}

/** A connection whose frames the test writes by hand; slow bodies are late after 300 ms. */
async function attack(t: TestContext, engine: Engine = new Engine()): Promise<Attacked> {
  const backend = await startBackend(t, (request, response) => {
    request.on('error', () => undefined)
    request.resume().on('end', () => response.end('hello'))
  })
  const gateway = await start(t, backend.url, {
    engine,
    listen: { port: 0, tls: certificate() },
    timeouts: { bodyProgress: '300ms' },
  })
  const socket = rawHttp2(gateway.port)
  t.after(() => socket.destroy())
  let closed = false
  socket.on('close', () => {
    closed = true
  })
  await once(socket, 'secureConnect')
  socket.resume()
  socket.write(PREFACE)
  socket.write(frame(SETTINGS, 0, 0, EMPTY))
  return { ...gateway, backend, socket, isClosed: () => closed }
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

const upload = (stream: number, flags = END_HEADERS): Buffer => frame(HEADERS, flags, stream, fields(...POST))

/** Writes the same frames again and again, and lets the gateway work on them meanwhile. */
async function flood(
  { socket, isClosed }: Attacked,
  frames: (index: number) => Buffer,
  count: number,
): Promise<void> {
  for (let index = 0; index < count && !isClosed(); index++) {
    if (!socket.write(frames(index))) await new Promise(resolve => setImmediate(resolve))
  }
}

/** The gateway still serves others, and nothing of the attack is left in it. */
async function assertServes({ port }: TestGateway): Promise<void> {
  const session = http2Session(port)
  assert.equal((await http2Request(session, { ':path': '/' })).body, 'hello')
  session.close()
}

/** Frames that cost their sender nothing, a thousand at a time. */
const FLOODS: Readonly<Record<string, (index: number) => Buffer>> = {
  'PING (CVE-2019-9512)': index => frame(PING, 0, 0, Buffer.concat([u32(index), u32(index)])),
  'SETTINGS (CVE-2019-9515)': () => frame(SETTINGS, 0, 0, EMPTY),
  'SETTINGS that change the table of headers to and fro': index =>
    frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, 1]), u32(index % 2 === 0 ? 0 : 65_536)])),
  'SETTINGS that change every window to and fro': index =>
    frame(SETTINGS, 0, 0, Buffer.concat([Buffer.from([0, 4]), u32(index % 2 === 0 ? 0 : 65_535)])),
  'PRIORITY of idle streams in a chain (CVE-2019-9513)': index =>
    frame(PRIORITY, 0, 3 + 2 * index, Buffer.concat([u32(1 + 2 * index), Buffer.from([255])])),
  'PRIORITY that turns the tree round': index =>
    frame(
      PRIORITY,
      0,
      3 + 2 * (index % 2),
      Buffer.concat([u32(5 - 2 * (index % 2)), Buffer.from([index % 256])]),
    ),
  'WINDOW_UPDATE of the connection': () => frame(WINDOW_UPDATE, 0, 0, u32(1)),
  'frames of unknown types': () => frame(UNKNOWN, 0, 0, Buffer.alloc(64)),
  'RST_STREAM of streams that are long closed': () => frame(RST_STREAM, 0, 1, u32(8)),
}

describe('a flood of HTTP/2 frames that carry nothing', { timeout: 120_000 }, () => {
  for (const [name, frames] of Object.entries(FLOODS))
    test(`takes no memory and keeps nobody waiting: ${name}`, async t => {
      const attacked = await attack(t)
      attacked.socket.write(upload(1, END_HEADERS | END_STREAM))
      await attacked.event(({ type }) => type === 'http')
      await flood(attacked, frames, 1_000)
      await assertServes(attacked)
      assert.equal(attacked.gateway.inFlight, 0)
    })

  test('is not progress of an upload: DATA of no bytes (CVE-2019-9518)', async t => {
    const attacked = await attack(t)
    attacked.socket.write(upload(1))
    const late = attacked.event(({ outcome }) => outcome?.status === 408)
    const sending = setInterval(() => void flood(attacked, () => frame(DATA, 0, 1, EMPTY), 20), 10)
    t.after(() => clearInterval(sending))
    await late
    await until(() => attacked.gateway.inFlight === 0)
    await assertServes(attacked)
  })

  test('is not progress of an upload: DATA of padding only', async t => {
    const attacked = await attack(t)
    attacked.socket.write(upload(1))
    const late = attacked.event(({ outcome }) => outcome?.status === 408)
    const padding = Buffer.concat([Buffer.from([200]), Buffer.alloc(200)])
    const sending = setInterval(() => void flood(attacked, () => frame(DATA, 8, 1, padding), 2), 10)
    t.after(() => clearInterval(sending))
    await late
    await assertServes(attacked)
  })
})

test('streams that are opened and cancelled in one segment ask no guard and leave nothing (CVE-2023-44487)', async t => {
  let asked = 0
  const guard: Guard = {
    name: 'counting',
    failure: 'closed',
    decide: () => {
      asked++
      return ALLOW
    },
  }
  const attacked = await attack(t, new Engine({ guards: [guard] }))
  const STREAMS = 60
  const frames = Array.from({ length: STREAMS }, (_, i) => [
    upload(1 + 2 * i, END_HEADERS | END_STREAM),
    frame(RST_STREAM, 0, 1 + 2 * i, u32(8)),
  ])
  attacked.socket.write(Buffer.concat(frames.flat()))
  await assertServes(attacked)
  await until(() => attacked.gateway.inFlight === 0)
  assert.equal(asked, 1, 'only about the request of assertServes')
  assert.equal(attacked.backend.seen.length, 1)
})

describe('uploads over HTTP/2', { timeout: 120_000 }, () => {
  test('that are cancelled in the middle leave nothing at the backend and count as cancelled', async t => {
    const attacked = await attack(t)
    let gone = 0
    attacked.backend.server.on('request', request => request.on('close', () => gone++))
    const UPLOADS = 40
    for (let i = 0; i < UPLOADS; i++) {
      attacked.socket.write(upload(1 + 2 * i))
      attacked.socket.write(frame(DATA, 0, 1 + 2 * i, Buffer.alloc(1_000)))
    }
    await until(() => attacked.gateway.inFlight === UPLOADS)
    for (let i = 0; i < UPLOADS; i++) attacked.socket.write(frame(RST_STREAM, 0, 1 + 2 * i, u32(8)))
    await until(() => attacked.gateway.inFlight === 0)
    await until(() => gone === attacked.backend.seen.length)
    await assertServes(attacked)
  })

  // What still arrives for a client that is gone is answered with a reset; a quiet connection only ends.
  for (const [what, pause] of [
    ['breaks', 0],
    ['ends quietly', 150],
  ] as const)
    test(`whose connection ${what} in the middle of all of them harm nobody`, async t => {
      const attacked = await attack(t)
      for (let i = 0; i < 40; i++) {
        attacked.socket.write(upload(1 + 2 * i))
        attacked.socket.write(frame(DATA, 0, 1 + 2 * i, Buffer.alloc(1_000)))
      }
      await until(() => attacked.gateway.inFlight === 40)
      await new Promise(resolve => setTimeout(resolve, pause))
      attacked.socket.destroy()
      await until(() => attacked.gateway.inFlight === 0)
      await assertServes(attacked)
    })

  test('longer than they said end with an error, and the backend does not get them whole', async t => {
    const attacked = await attack(t)
    const whole: number[] = []
    attacked.backend.server.on('request', request => request.on('end', () => whole.push(1)))
    attacked.socket.write(frame(HEADERS, END_HEADERS, 1, fields(...POST, ['content-length', '10'])))
    attacked.socket.write(frame(DATA, END_STREAM, 1, Buffer.alloc(20)))
    await until(() => attacked.gateway.inFlight === 0)
    await assertServes(attacked)
    assert.equal(whole.length, 1, 'only the request of assertServes ended')
  })

  test('shorter than they said end with an error, and the backend does not get them whole', async t => {
    const attacked = await attack(t)
    const whole: number[] = []
    attacked.backend.server.on('request', request => request.on('end', () => whole.push(1)))
    attacked.socket.write(frame(HEADERS, END_HEADERS, 1, fields(...POST, ['content-length', '10'])))
    attacked.socket.write(frame(DATA, END_STREAM, 1, Buffer.alloc(5)))
    await assertServes(attacked)
    await until(() => attacked.gateway.inFlight === 0)
    assert.equal(whole.length, 1, 'only the request of assertServes ended')
  })

  test('with trailers that frame, route or authenticate carry none of them to the backend', async t => {
    const attacked = await attack(t)
    const trailers: string[] = []
    attacked.backend.server.on('request', request =>
      request.on('end', () => trailers.push(...request.rawTrailers.map(name => name.toLowerCase()))),
    )
    attacked.socket.write(upload(1))
    attacked.socket.write(frame(DATA, 0, 1, Buffer.alloc(10)))
    attacked.socket.write(
      frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        fields(
          ['x-postern-identity', 'forged'],
          ['authorization', 'Bearer forged'],
          ['content-length', '99'],
        ),
      ),
    )
    await attacked.event(({ type }) => type === 'http')
    assert.deepEqual(trailers, [])
    await assertServes(attacked)
  })
})
