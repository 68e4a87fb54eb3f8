import assert from 'node:assert/strict'
import { once } from 'node:events'
import { constants } from 'node:http2'
import { describe, type TestContext, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { CidrSet, Engine } from '@postern/core'
import { until } from '../../../../test/until.ts'
import { AddressResets } from '../../src/connection/address-resets.ts'
import { start, startBackend } from '../harness.ts'
import { certificate, fields, frame, PREFACE, rawHttp2 } from '../tls.ts'

const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const RESETS = 5
const HEAD = fields([':method', 'GET'], [':scheme', 'https'], [':authority', 'localhost'], [':path', '/'])
const CANCEL = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL])
const PONG = Buffer.from([0, 0, 8, PING, 1, 0, 0, 0, 0])
const GOAWAY = /\0\0\x08\x07\0\0\0\0\0[\s\S]{4}\0\0\0\x0b/

interface Client {
  readonly socket: TLSSocket
  received(): string
  isClosed(): boolean
}

async function gateway(t: TestContext, engine: Engine = new Engine()): Promise<number> {
  const backend = await startBackend(t, () => undefined)
  const listen = { port: 0, tls: certificate() }
  return (await start(t, backend.url, { engine, listen, limits: { resets: RESETS } })).port
}

/** Opens a connection; undefined where it is refused. */
async function connect(t: TestContext, port: number): Promise<Client | undefined> {
  const socket = rawHttp2(port)
  t.after(() => socket.destroy())
  let received = ''
  let closed = false
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  const gone = once(socket, 'close').then(() => {
    closed = true
  })
  await Promise.race([once(socket, 'secureConnect'), gone]).catch(() => undefined)
  if (closed || socket.destroyed) return undefined
  socket.write(Buffer.concat([Buffer.from(PREFACE), frame(SETTINGS, 0, 0, Buffer.alloc(0))]))
  return { socket, received: () => received, isClosed: () => closed }
}

/** Opens streams and cancels them, and waits until the gateway has read it or closed the connection. */
async function cancel(client: Client, streams: number): Promise<void> {
  for (let i = 0; i < streams; i++) {
    client.socket.write(
      Buffer.concat([frame(HEADERS, 5, 1 + 2 * i, HEAD), frame(RST_STREAM, 0, 1 + 2 * i, CANCEL)]),
    )
  }
  client.socket.write(frame(PING, 0, 0, Buffer.alloc(8)))
  await until(() => client.isClosed() || client.received().includes(PONG.toString('latin1')))
}

/** Connections that each cancel fewer streams than one may. */
async function manyConnections(t: TestContext, port: number, count: number): Promise<Client[]> {
  const clients: Client[] = []
  for (let i = 0; i < count; i++) {
    const client = await connect(t, port)
    if (client === undefined) break
    clients.push(client)
    await cancel(client, RESETS - 1)
  }
  return clients
}

describe('Cancelled streams of one address', { timeout: 60_000 }, () => {
  test('over many connections, each below its own limit, end with ENHANCE_YOUR_CALM and no further connection', async t => {
    const port = await gateway(t)
    const clients = await manyConnections(t, port, 15)
    await until(() => clients.some(client => client.isClosed()))
    assert.ok(clients.some(client => GOAWAY.test(client.received())))
    assert.equal(await connect(t, port), undefined)
  })

  test('over connections that are replaced before their own limit end with no further connection', async t => {
    const port = await gateway(t)
    let opened = 0
    for (; opened < 40; opened++) {
      const client = await connect(t, port)
      if (client === undefined) break
      await cancel(client, RESETS - 1)
      client.socket.destroy()
    }
    assert.ok(opened < 40, `${opened} connections`)
  })

  test('leave the connections alone while they are few together', async t => {
    const clients = await manyConnections(t, await gateway(t), 10)
    assert.equal(clients.length, 10)
    assert.ok(clients.every(client => !client.isClosed()))
  })

  test('leave the connections of a trusted proxy alone', async t => {
    const engine = new Engine({ trustedProxies: CidrSet.parse(['loopback']) })
    const clients = await manyConnections(t, await gateway(t, engine), 15)
    assert.equal(clients.length, 15)
    assert.ok(clients.every(client => !client.isClosed()))
  })
})

describe('AddressResets', () => {
  test('counts within ten seconds, each network for itself', () => {
    const resets = new AddressResets(2)
    assert.deepEqual(
      [0, 1, 2].map(now => resets.add('a', now)),
      [false, false, true],
    )
    assert.equal(resets.add('b', 3), false)
    assert.equal(resets.add('a', 10_001), false)
  })

  test('remembers 10,000 networks at most', () => {
    const resets = new AddressResets(2)
    for (let i = 0; i < 20_000; i++) resets.add(`network ${i}`, 0)
    assert.equal(resets.size, 10_000)
  })
})
