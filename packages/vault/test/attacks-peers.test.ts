// What a holder that is dishonest, or away at the wrong time, can do to another.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { systemClock, systemRandom } from '@postern/core'
import { until } from '../../../test/until.ts'
import { parseHolderConfig } from '../src/holder/holder-config.ts'
import { HolderStore } from '../src/holder/holder-store.ts'
import { PeerOutbox } from '../src/holder/peer-outbox.ts'
import { type RunningHolder, startHolder } from '../src/holder/start-holder.ts'
import { encodeFrame, FrameReader } from '../src/split/frame.ts'
import { SocketLink } from '../src/split/holder-link.ts'
import type { HolderId } from '../src/split/part.ts'
import { identity } from './support/holder-processes.ts'
import { EventList } from './support/holders.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-peers-'))
after(() => rmSync(folder, { recursive: true }))

const OTHERS = { 1: [2, 3], 2: [1, 3], 3: [1, 2] } as const
let started = 0

/** One holder, and what its two peers, its operator and a test may do to it. */
interface Started {
  readonly holder: RunningHolder
  /** Links of the two peers, in the order of their numbers. */
  readonly peers: readonly [SocketLink, SocketLink]
  readonly operator: SocketLink
  readonly data: string
  close(): Promise<void>
}

/** Starts a holder whose peers are played by the test. @param prepare changes its file before */
async function startedHolder(id: HolderId, prepare: (data: string) => void = () => {}): Promise<Started> {
  const home = join(folder, `${++started}`)
  mkdirSync(home)
  const identities = OTHERS[id].map(peer => identity(`holder ${peer}`))
  const key = join(home, 'key')
  writeFileSync(key, Buffer.from(systemRandom.bytes(32)).toString('base64url'), { mode: 0o600 })
  const data = join(home, 'holder.db')
  prepare(data)
  const operatorSocket = join(home, 'operator.sock')
  const holder = await startHolder({
    config: parseHolderConfig(
      {
        id,
        data,
        operator: operatorSocket,
        tls: { host: '127.0.0.1', port: 0 },
        peers: Object.fromEntries(
          OTHERS[id].map((peer, at) => [
            peer,
            { host: '127.0.0.1', port: 1, fingerprint: identities[at]?.fingerprint },
          ]),
        ),
        services: {},
      },
      'holder.json',
    ),
    unlock: { kind: 'file', path: key },
    recorder: new EventList(),
    clock: systemClock,
    random: systemRandom,
  })
  const address = { host: '127.0.0.1', port: holder.port, fingerprint: holder.fingerprint }
  const [first, second] = identities.map(who => new SocketLink(id, address, { identity: who }))
  const operator = new SocketLink(id, { unix: operatorSocket })
  const links = [first as SocketLink, second as SocketLink, operator]
  await until(() => links.every(({ isUp }) => isUp))
  return {
    holder,
    peers: [first as SocketLink, second as SocketLink],
    operator,
    data,
    close: async () => {
      for (const link of links) link.close()
      await holder.close()
    },
  }
}

/** Ten thousand actors that holder 2 had frozen, which is as many as it may. */
function frozenByTwo(data: string, actor = 'made up'): void {
  HolderStore.open(data).close()
  const database = new DatabaseSync(data)
  database.exec(`
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
    INSERT INTO frozen (actor, reason, time) SELECT 'person ${actor} ' || n, 'holder 2: canary', 0 FROM number`)
  database.close()
}

const freeze = (actor: string, reason = 'canary') => ({ op: 'freeze', actor, reason })
const part = (name: string, epoch: number, key: Uint8Array) => ({
  op: 'part',
  epoch,
  part: name,
  key: Buffer.from(key).toString('base64url'),
})

describe('a dishonest holder', () => {
  it('freezes names without end: the others keep a bounded number, and their own freezes go on', async () => {
    const { holder, peers, close } = await startedHolder(1, frozenByTwo)
    try {
      const [dishonest, honest] = peers
      assert.deepEqual(await dishonest.request(freeze('person one more'), 30_000), { refused: 'busy' })
      assert.equal(holder.core.frozen.size, 10_000)
      assert.deepEqual(await honest.request(freeze('person mallory'), 30_000), { done: true })
      holder.core.freeze('service app', 'canary')
      assert.ok(holder.core.frozen.has('person mallory') && holder.core.frozen.has('service app'))
    } finally {
      await close()
    }
  })

  it('names them to one holder, which passes them on: that one can still freeze at the third', async () => {
    const { holder, peers, close } = await startedHolder(3, data => {
      HolderStore.open(data).close()
      const database = new DatabaseSync(data)
      database.exec(`
        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
        INSERT INTO frozen (actor, reason, time)
        SELECT 'person made up ' || n, 'holder 1: holder 2: canary', 0 FROM number`)
      database.close()
    })
    try {
      const [one] = peers
      const passedOn = freeze('person one more', 'holder 2: canary')
      assert.deepEqual(await one.request(passedOn, 30_000), { refused: 'busy' })
      assert.deepEqual(await one.request(freeze('person mallory'), 30_000), { done: true })
      assert.ok(holder.core.frozen.has('person mallory'))
    } finally {
      await close()
    }
  })

  it('names them at full length: the operator still sees what the holder has frozen', async () => {
    const { holder, operator, close } = await startedHolder(1, data =>
      frozenByTwo(data, '\u{1f480}'.repeat(120)),
    )
    try {
      holder.core.freeze('person mallory', 'canary')
      const status = (await operator.request({ op: 'status' }, 30_000)) as Readonly<Record<string, unknown>>
      assert.equal(status['frozenCount'], 10_001)
      assert.ok(Object.hasOwn(status['frozen'] as object, 'person mallory'), 'the newest are shown')
    } finally {
      await close()
    }
  })

  it('leaves parts of epochs to come, and is replaced: none of them is used when one begins', async () => {
    // Holder 2 deals part c. Who has holder 1 knows every part that it hands over.
    const { holder, peers, operator, data, close } = await startedHolder(2)
    try {
      const [stolen, honest] = peers
      const known = systemRandom.bytes(32)
      for (const [name, key] of [
        ['c', systemRandom.bytes(32)],
        ['a', systemRandom.bytes(32)],
      ] as const)
        await (name === 'a' ? honest : stolen).request(part(name, 0, key), 30_000)
      assert.equal(holder.core.epoch, 0)
      for (const epoch of [1, 2, 255])
        assert.deepEqual(await stolen.request(part('c', epoch, known), 30_000), { refused: 'forbidden' })
      await operator.request({ op: 'epoch.begin', epoch: 1 }, 30_000).catch(() => {})
      await honest.request(part('a', 1, systemRandom.bytes(32)), 30_000)
      assert.equal(holder.core.epoch, 1)
    } finally {
      await close()
    }
    const [row] = new DatabaseSync(data).prepare('SELECT count(*) AS count FROM part WHERE epoch > 1').all()
    assert.equal(row?.['count'], 0)
  })

  it('deals a part of the next epoch before it is replaced: the one in its place deals another', async () => {
    // Holder 1 deals part b to holder 3, which deals a.
    const { holder, peers, operator, close } = await startedHolder(3)
    try {
      const [one, two] = peers
      await one.request(part('b', 0, systemRandom.bytes(32)), 30_000)
      await two.request(part('a', 0, systemRandom.bytes(32)), 30_000)
      assert.equal(holder.core.epoch, 0)
      assert.deepEqual(await one.request(part('b', 7, systemRandom.bytes(32)), 30_000), {
        refused: 'forbidden',
      })
      const [stolen, replaced] = [systemRandom.bytes(32), systemRandom.bytes(32)]
      assert.deepEqual(await one.request(part('b', 1, stolen), 30_000), { done: true })
      assert.deepEqual(await one.request(part('b', 1, replaced), 30_000), { done: true })
      await operator.request({ op: 'epoch.begin', epoch: 1 }, 30_000).catch(() => {})
      assert.equal(holder.core.epoch, 1)
      // From here on records are sealed with it.
      await assert.rejects(one.request(part('b', 1, stolen), 30_000))
    } finally {
      await close()
    }
  })
})

describe('a holder that was restored from an old backup', () => {
  it('takes every part that both others have, in any order', async () => {
    const { holder, peers, close } = await startedHolder(2, data => {
      const store = HolderStore.open(data)
      store.markAsCopy()
      store.close()
    })
    try {
      const [one, three] = peers
      for (const [peer, name, epoch] of [
        [one, 'c', 0],
        [three, 'a', 0],
        [one, 'c', 1],
        [one, 'c', 2],
        [three, 'a', 1],
        [three, 'a', 2],
      ] as const)
        assert.deepEqual(await peer.request(part(name, epoch, systemRandom.bytes(32)), 30_000), {
          done: true,
        })
      assert.equal(holder.core.epoch, 2)
    } finally {
      await close()
    }
  })
})

describe('a holder that is stopped with its connections open', () => {
  it('receives every freeze once it goes on, without anything else having to happen', async () => {
    const path = join(folder, 'peer.sock')
    const heard: unknown[] = []
    let isStopped = true
    const server = createServer(socket => {
      // The outbox hangs up while an answer is under way.
      socket.on('error', () => {})
      const reader = new FrameReader()
      socket.on('data', chunk => {
        for (const message of reader.push(chunk)) {
          const { id, body } = message as { readonly id: number; readonly body: { readonly op: string } }
          heard.push(body)
          if (!isStopped) socket.write(encodeFrame({ id, answer: { done: true } }))
        }
      })
    })
    await new Promise<void>(resolve => server.listen(path, resolve))
    const outbox = new PeerOutbox(
      2,
      { unix: path },
      {
        identity: identity('holder 1'),
        greeting: () => [],
        pace: { timeout: 50, again: 50 },
      },
    )
    try {
      await until(() => outbox.isUp)
      for (const actor of ['person one', 'person two']) outbox.send({ op: 'freeze', actor })
      await until(() => !outbox.isUp)
      isStopped = false
      await until(() => JSON.stringify(heard).includes('person two'))
    } finally {
      outbox.close()
      server.close()
    }
  })
})
