import assert from 'node:assert/strict'
import { createServer, type Server, type Socket } from 'node:net'
import { after, describe, it } from 'node:test'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { until } from '../../../test/until.ts'
import { encodeFrame, FrameReader } from '../src/split/frame.ts'
import { SocketLink } from '../src/split/holder-link.ts'
import { identity } from './support/holder-processes.ts'

const own = identity('holder')
const app = identity('app')
const PATIENCE = { connect: 150, silence: 150 }
const open: { close(): void }[] = []

after(() => {
  for (const one of open.splice(0)) one.close()
})

/** A port of loopback that this server listens on. */
async function portOf(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  open.push({
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function linkTo(port: number): SocketLink {
  const address = { host: '127.0.0.1', port, fingerprint: own.fingerprint }
  const link = new SocketLink(1, address, { identity: app, patience: PATIENCE })
  open.push(link)
  return link
}

function tlsServer(onConnection: (socket: TLSSocket) => void, maxVersion: 'TLSv1.2' | 'TLSv1.3'): Server {
  return createTlsServer(
    { key: own.privateKey, cert: own.certificate, requestCert: true, rejectUnauthorized: false, maxVersion },
    socket => {
      socket.on('error', () => {})
      onConnection(socket)
    },
  )
}

function answers(socket: TLSSocket): void {
  const reader = new FrameReader()
  socket.on('data', (chunk: Buffer) => {
    for (const message of reader.push(chunk)) {
      const { id } = message as { readonly id: number }
      socket.write(encodeFrame({ id, answer: { pong: true } }))
    }
  })
}

describe('a link to a holder', () => {
  it('connects again where the connection is accepted and its handshake never ends', async () => {
    const holder = tlsServer(answers, 'TLSv1.3')
    let attempts = 0
    const network = createServer(socket => {
      if (++attempts > 1) holder.emit('connection', socket)
    })
    const link = linkTo(await portOf(network))
    await until(() => link.isUp)
    assert.deepEqual(await link.request({ op: 'ping' }, 30_000), { pong: true })
  })

  it('connects again where a connection stays open and nothing is answered on it', async () => {
    let connections = 0
    const holder = tlsServer(socket => {
      if (++connections > 1) answers(socket)
      else socket.resume()
    }, 'TLSv1.3')
    const link = linkTo(await portOf(holder))
    await until(() => link.isUp)
    await assert.rejects(link.request({ op: 'ping' }, 1), { code: 'POSTERN_STORE' })
    assert.equal(link.isUp, false)
    // The client may be through with its handshake before the server says that it is.
    await until(() => link.isUp && connections > 1)
    assert.equal(connections, 2)
    assert.deepEqual(await link.request({ op: 'ping' }, 30_000), { pong: true })
  })

  it('keeps a connection whose holder answers again in time', async () => {
    let waiting: (() => void) | undefined
    let connections = 0
    const holder = tlsServer(socket => {
      connections++
      socket.once('data', () => {
        waiting = () => {
          socket.write(encodeFrame({ id: 0, answer: { pong: true } }))
          answers(socket)
        }
      })
    }, 'TLSv1.3')
    const port = await portOf(holder)
    const address = { host: '127.0.0.1', port, fingerprint: own.fingerprint }
    const link = new SocketLink(1, address, { identity: app, patience: { connect: 60_000, silence: 60_000 } })
    open.push(link)
    await until(() => link.isUp)
    await assert.rejects(link.request({ op: 'ping' }, 1))
    await until(() => waiting !== undefined)
    waiting?.()
    await until(() => link.isUp)
    assert.deepEqual(await link.request({ op: 'ping' }, 30_000), { pong: true })
    assert.equal(connections, 1)
  })

  it('speaks TLS 1.3 and nothing older', async () => {
    let refused = 0
    const old = tlsServer(answers, 'TLSv1.2')
    old.on('tlsClientError', () => refused++)
    const link = linkTo(await portOf(old))
    await until(() => refused > 1)
    assert.equal(link.isUp, false)
  })
})
