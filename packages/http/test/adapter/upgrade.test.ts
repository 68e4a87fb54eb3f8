import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, test } from 'node:test'
import { ALLOW, type Decision, Engine, type Event, type Guard, type Refusal } from '@postern/core'
import { guardUpgrades } from '../../src/index.ts'
import { text } from '../applications/streams.ts'

const HANDSHAKE =
  'GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

const DENIAL: Refusal = {
  effect: 'deny',
  guard: 'test',
  status: 403,
  headers: ['X-Split', 'a\r\nX-Injected: yes'],
  reasons: [{ rule: 'test/live', message: 'Not here.', evidence: { location: 'path', span: 'hidden-span' } }],
}

function guard(decide: () => Decision | Promise<Decision>, settle?: () => void): Guard {
  return { name: 'test', failure: 'closed', decide, ...(settle !== undefined && { settle }) }
}

async function withServer(
  guards: readonly Guard[],
  run: (port: number, upgraded: () => number, nextEvent: Promise<Event>) => Promise<void>,
): Promise<void> {
  const engine = new Engine({ guards })
  const settled = Promise.withResolvers<Event>()
  engine.listen(settled.resolve)
  const server: Server = createServer((_request, response) => response.end('plain'))
  let upgraded = 0
  guardUpgrades(server, engine)
  server.on('upgrade', (_request, socket) => {
    upgraded++
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    socket.on('data', data => socket.end(data))
  })
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  try {
    await run((server.address() as AddressInfo).port, () => upgraded, settled.promise)
  } finally {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
}

describe('upgrades of a node server', { timeout: 30_000 }, () => {
  for (const [how, decide] of [
    ['at once', () => ALLOW],
    ['after a while', async () => ALLOW],
  ] as const) {
    test(`lets an upgrade pass ${how}, and settles when the connection ends`, async () => {
      let settles = 0
      await withServer([guard(decide, () => settles++)], async (port, upgraded, nextEvent) => {
        const socket = connect(port, '127.0.0.1')
        socket.write(HANDSHAKE)
        await new Promise(resolve => socket.once('data', resolve))
        assert.equal(upgraded(), 1)
        assert.equal(settles, 0)
        socket.write('hello')
        assert.match(await text(socket), /hello$/)
        const event = await nextEvent
        assert.equal(event.outcome?.status, 101)
        assert.equal(event.request?.path, '/live')
        assert.equal(event.actor.address, '127.0.0.1')
        assert.ok((event.outcome?.bytes ?? 0) > 'hello'.length)
        assert.equal(settles, 1)
      })
    })
  }

  for (const [how, decide] of [
    ['at once', () => DENIAL],
    ['after a while', async () => DENIAL],
  ] as const) {
    test(`refuses an upgrade ${how} before any listener receives it`, async () => {
      await withServer([guard(decide)], async (port, upgraded, nextEvent) => {
        const socket = connect(port, '127.0.0.1')
        socket.write(HANDSHAKE)
        const answer = await text(socket)
        assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/)
        assert.match(answer, /\r\nConnection: close\r\n\r\n\{"type":"urn:postern:refusal:deny"/)
        assert.ok(!answer.includes('hidden-span'))
        assert.ok(!answer.includes('\r\nX-Injected'))
        assert.equal(upgraded(), 0)
        const event = await nextEvent
        assert.equal(event.decision, 'deny')
        assert.equal(event.outcome?.status, 403)
      })
    })
  }

  test('survives a client that leaves while the engine decides, and upgrades nobody', async () => {
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<Decision>()
    const waiting = guard(() => {
      asked.resolve()
      return answer.promise
    })
    await withServer([waiting], async (port, upgraded, nextEvent) => {
      const socket = connect(port, '127.0.0.1')
      socket.write(HANDSHAKE)
      await asked.promise
      const closed = new Promise(resolve => socket.once('close', resolve))
      socket.resetAndDestroy()
      await closed
      await new Promise(setImmediate)
      await new Promise(setImmediate)
      answer.resolve(ALLOW)
      const event = await nextEvent
      assert.equal(event.outcome?.aborted, true)
      assert.equal(upgraded(), 0)
    })
  })

  test('leaves ordinary requests alone', async () => {
    await withServer([guard(() => DENIAL)], async port => {
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'plain')
    })
  })
})
