import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { services } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { cli, startGatewayProcess } from './cli.ts'

test('a ban cuts the WebSockets and streams of events of its principal on both instances, by event, and leaves those of others', {
  timeout: 180_000,
}, async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-ban-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { redis } = await services()
  // Nothing is asked about again by itself within the test: what cuts is the event.
  const configured = (name: string): string => {
    const place = join(folder, `${name}.config.mjs`)
    writeFileSync(
      place,
      `export default {
        dataDirectory: ${JSON.stringify(join(folder, name))},
        stores: { redis: ${JSON.stringify(redis)} },
        identify: exchange => {
          const id = exchange.header('x-who')
          return id === undefined ? undefined : { kind: 'user', id, authenticatedAt: 1_700_000_000_000 }
        },
        timeouts: { tunnelRecheck: '1h' },
      }`,
    )
    return place
  }
  const backend = createServer((request, response) => {
    if (request.url !== '/events') return response.end('hello')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    return response.write('data: hello\n\n')
  })
  backend.on('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => {})
    // The accept value of the key below (RFC 6455 section 4.2.2).
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\nhello',
    )
  })
  await new Promise<void>(resolve => backend.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    backend.closeAllConnections()
    backend.close()
  })
  const upstream = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`
  const places = [configured('one'), configured('two')]
  const gateways = await Promise.all(
    places.map(place => startGatewayProcess(['--to', upstream, '--config', place], folder)),
  )
  t.after(() => Promise.all(gateways.map(gateway => gateway.stop())))

  const opened = async (url: string, who: string, what: 'events' | 'upgrade'): Promise<Socket> => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
    t.after(() => socket.destroy())
    const upgrade =
      what === 'upgrade'
        ? 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
        : ''
    socket.write(`GET /events HTTP/1.1\r\nHost: shop.example\r\nX-Who: ${who}\r\n${upgrade}\r\n`)
    let seen = ''
    socket.on('data', (piece: Buffer) => {
      seen += piece.toString('latin1')
    })
    await until(() => seen.includes('hello'))
    return socket
  }
  const mallory = `mallory-${process.pid}-${Date.now()}`
  const open = await Promise.all(
    gateways.flatMap(({ url }) => [
      opened(url, mallory, 'events'),
      opened(url, mallory, 'upgrade'),
      opened(url, 'bob', 'events'),
      opened(url, 'bob', 'upgrade'),
    ]),
  )
  const [theirs, others] = [open.filter((_, i) => i % 4 < 2), open.filter((_, i) => i % 4 >= 2)]
  assert.equal(
    theirs.some(socket => socket.closed),
    false,
  )

  const { code, stderr } = await cli(
    ['ban', `principal:${mallory}`, '--for', '1h', '--config', places[0] as string],
    folder,
  )
  assert.equal(code, 0, stderr)
  await until(() => theirs.every(socket => socket.closed))
  assert.equal(
    others.some(socket => socket.closed),
    false,
  )
})
