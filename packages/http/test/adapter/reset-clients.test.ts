import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ALLOW, CidrSet, Engine, type Event, type Guard } from '@postern/core'
import express5 from 'express'
import { express, forwardAuth, guardUpgrades, node } from '../../src/index.ts'

const REQUEST = 'DELETE /orders HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n'
const UPGRADE =
  'GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const ASKING =
  'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Method: GET\r\nX-Forwarded-Uri: /a\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n'

const allowing: Guard = { name: 'test', failure: 'closed', decide: () => ALLOW }

/** Sends a request and resets the connection in one turn, so that the server reads it from a dead one. */
async function sendAndReset(server: Server, request: string): Promise<string | undefined> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await once(client, 'connect')
    const [socket] = await accepted
    const closed = new Promise(resolve => socket.on('close', resolve))
    let seen: string | undefined
    const { emit } = server
    server.emit = function (this: Server, event: string, ...rest: unknown[]) {
      if (event === 'request' || event === 'upgrade') seen = String(socket.remoteAddress)
      return Reflect.apply(emit, this, [event, ...rest]) as boolean
    } as typeof emit
    client.write(request)
    client.resetAndDestroy()
    await closed
    await new Promise(setImmediate)
    return seen
  } finally {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}

function watched(): { engine: Engine; events: Event[] } {
  const engine = new Engine({ guards: [allowing], trustedProxies: CidrSet.parse(['loopback']) })
  const events: Event[] = []
  engine.listen(event => events.push(event))
  return { engine, events }
}

describe('a client that resets its connection behind a request', { timeout: 30_000 }, () => {
  test('is no longer known to the system, and its request does not come from this machine', async () => {
    const { engine, events } = watched()
    let handled = 0
    const seen = await sendAndReset(createServer(node(engine, () => handled++)), REQUEST)
    assert.equal(seen, 'undefined', 'the system still knew the peer: this test shows nothing')
    assert.equal(handled, 0)
    assert.deepEqual(
      events.map(event => [event.actor.address, event.outcome?.status]),
      [['0.0.0.0', 0]],
    )
  })

  test('does not reach a route of Express', async () => {
    const { engine } = watched()
    let handled = 0
    const app = express5()
    app.use(express(engine))
    app.use(() => handled++)
    assert.equal(await sendAndReset(createServer(app), REQUEST), 'undefined')
    assert.equal(handled, 0)
  })

  test('does not upgrade its connection', async () => {
    const { engine } = watched()
    let upgraded = 0
    const server = createServer()
    guardUpgrades(server, engine)
    server.on('upgrade', () => upgraded++)
    assert.equal(await sendAndReset(server, UPGRADE), 'undefined')
    assert.equal(upgraded, 0)
  })

  test('is not a trusted proxy that asks for a decision', async () => {
    const { engine, events } = watched()
    const trusted = CidrSet.parse(['loopback'])
    const server = createServer(forwardAuth(engine, { dialect: 'traefik', trusted }))
    assert.equal(await sendAndReset(server, ASKING), 'undefined')
    assert.deepEqual(events, [])
  })
})

test('a request over a Unix socket comes from this machine', async () => {
  const { engine, events } = watched()
  const server = createServer(node(engine, (_request, response) => void response.end('hello')))
  const path = join(tmpdir(), `postern-reset-${process.pid}.sock`)
  server.listen(path)
  await once(server, 'listening')
  try {
    const client = connect(path)
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    await once(client.resume(), 'close')
    await new Promise(setImmediate)
    assert.equal(events[0]?.actor.address, '127.0.0.1')
  } finally {
    await new Promise(resolve => server.close(resolve))
  }
})
