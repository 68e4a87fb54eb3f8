import assert from 'node:assert/strict'
import { connect as connectPlain, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { until } from '../../../test/until.ts'
import { listenTls } from '../src/holder/holder-listener.ts'
import type { TlsIdentity } from '../src/primitive/certificate.ts'
import { SocketLink } from '../src/split/holder-link.ts'
import { identity } from './support/holder-processes.ts'

const own = identity('holder')
const shop = identity('shop')
const billing = identity('billing')

async function holder(
  t: TestContext,
): Promise<{ readonly port: number; pings(who: TlsIdentity): Promise<boolean> }> {
  const known = new Set([shop.fingerprint, billing.fingerprint])
  const { port, close } = await listenTls({ host: '127.0.0.1', port: 0 }, own, fingerprint =>
    known.has(fingerprint) ? () => ({ pong: true }) : undefined,
  )
  t.after(close)
  const pings = async (who: TlsIdentity): Promise<boolean> => {
    const address = { host: '127.0.0.1', port, fingerprint: own.fingerprint }
    const link = new SocketLink(1, address, { identity: who })
    try {
      await until(() => link.isUp)
      return ((await link.request({ op: 'ping' }, 5_000)) as { readonly pong?: boolean }).pong === true
    } finally {
      link.close()
    }
  }
  return { port, pings }
}

/** A connection with a certificate, once it is made, or undefined when it was ended before an answer. */
function dial(t: TestContext, port: number, who: TlsIdentity): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { privateKey: key, certificate: cert } = who
    const options = {
      host: '127.0.0.1',
      port,
      key,
      cert,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    } as const
    const socket = connect(options, () => resolve(socket))
    socket.on('error', reject)
    t.after(() => socket.destroy())
  })
}

test('attack: strangers who connect and say nothing keep nobody out of a holder', async t => {
  const { port, pings } = await holder(t)
  const strangers: Socket[] = []
  const come = (many: number): void => {
    for (let i = 0; i < many; i++) {
      const socket = connectPlain(port, '127.0.0.1')
      socket.on('error', () => {})
      t.after(() => socket.destroy())
      strangers.push(socket)
    }
  }
  // No more at once than a listener has waiting for it in the system.
  for (let i = 0; i < 15; i++) {
    come(60)
    await until(() => strangers.every(socket => !socket.connecting))
  }
  const more = setInterval(() => come(40), 20)
  t.after(() => clearInterval(more))
  assert.equal(await pings(shop), true)
})

test('attack: a stolen certificate keeps only those out who have the same', async t => {
  const { port, pings } = await holder(t)
  const thieves: TLSSocket[] = []
  for (let round = 0; round < 14; round++)
    thieves.push(...(await Promise.all(Array.from({ length: 50 }, () => dial(t, port, shop)))))
  await until(() => thieves.filter(socket => !socket.destroyed && socket.readyState === 'open').length <= 512)
  assert.equal(await pings(billing), true)
})

test('attack: messages of one certificate that never end take a bounded part of the memory', async t => {
  const { port, pings } = await holder(t)
  const half = Buffer.alloc(3_000_000, 0x20)
  half.writeUInt32BE(4_000_000)
  const thieves = await Promise.all(Array.from({ length: 80 }, () => dial(t, port, shop)))
  for (const socket of thieves) {
    // Whoever is ended reads that only when reading.
    socket.on('error', () => {}).resume()
    socket.write(half)
  }
  await until(() => thieves.filter(socket => socket.readyState === 'open').length <= 45)
  assert.equal(await pings(shop), true)
  assert.equal(await pings(billing), true)
})
