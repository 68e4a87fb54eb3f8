import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { until } from '../../../test/until.ts'
import { type Config, type Exchange, type Postern, type Principal, postern } from '../src/index.ts'

const SSE = { 'content-type': 'text/event-stream; charset=utf-8' }

const identify = (exchange: Exchange): Principal | undefined => {
  const id = exchange.header('authorization')
  return id === undefined ? undefined : { kind: 'user', id, authenticatedAt: Date.now() - 1_000 }
}

async function layerOf(t: TestContext, config: Config = {}): Promise<Postern> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-open-'))
  const layer = await postern({ folder, identify, log: 'none', config })
  t.after(async () => {
    await layer.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return layer
}

/** A node server whose `/events` streams and whose upgrades echo; how to open either as somebody. */
async function serve(
  t: TestContext,
  layer: Postern,
): Promise<(who: string, what: 'events' | 'upgrade') => Promise<Socket>> {
  const server = createServer(
    layer.node((_request, response) => {
      response.setHeader('Content-Type', SSE['content-type'])
      response.write('data: hello\n\n')
    }),
  )
  layer.guardUpgrades(server)
  server.on('upgrade', (_request, socket: Socket) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return async (who, what) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.on('error', () => {})
    t.after(() => socket.destroy())
    const upgrade = what === 'upgrade' ? 'Connection: Upgrade\r\nUpgrade: websocket\r\n' : ''
    socket.write(`GET /events HTTP/1.1\r\nHost: a\r\nAuthorization: ${who}\r\n${upgrade}\r\n`)
    let seen = ''
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1')
    })
    await until(() => seen.includes('hello'))
    return socket
  }
}

describe('what the application of this process has open', { timeout: 120_000 }, () => {
  test('WebSockets and streams of events end when their principal is revoked, and those of others go on', async t => {
    const layer = await layerOf(t)
    const open = await serve(t, layer)
    const [stream, socket, other] = await Promise.all([
      open('alice', 'events'),
      open('alice', 'upgrade'),
      open('bob', 'upgrade'),
    ])
    await layer.revocations?.revokePrincipal('alice')
    await until(() => stream.closed && socket.closed)
    assert.equal(other.closed, false)
  })

  test('a ban ends them at once; where bans are only observed they go on', async t => {
    const enforcing = await layerOf(t)
    const observing = await layerOf(t, { mode: 'observe' })
    const [open, openObserved] = [await serve(t, enforcing), await serve(t, observing)]
    const [stream, socket, other, observed] = await Promise.all([
      open('alice', 'events'),
      open('alice', 'upgrade'),
      open('bob', 'events'),
      openObserved('alice', 'events'),
    ])
    for (const layer of [observing, enforcing])
      layer.remediations.add({
        actor: { kind: 'principal', value: 'alice' },
        measure: 'block',
        for: '1h',
        reason: 'test',
      })
    await until(() => stream.closed && socket.closed)
    assert.equal(other.closed, false)
    assert.equal(observed.closed, false)
  })

  test('a stream of a fetch handler fails, and its source is cancelled', async t => {
    const layer = await layerOf(t)
    let cancelled = false
    const handle = layer.fetch(
      () =>
        new Response(
          new ReadableStream<Uint8Array>({
            start: controller => controller.enqueue(Buffer.from('data: hello\n\n')),
            cancel: () => {
              cancelled = true
            },
          }),
          { headers: SSE },
        ),
      { peer: () => '203.0.113.9' },
    )
    const answer = await handle(new Request('http://shop.example/', { headers: { authorization: 'alice' } }))
    const reader = answer.body?.getReader()
    assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), 'data: hello\n\n')
    const failed = assert.rejects(async () => reader?.read())
    await layer.revocations?.revokePrincipal('alice')
    await failed
    assert.equal(cancelled, true)
  })
})
