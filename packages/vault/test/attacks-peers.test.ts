// What a holder that is dishonest, or away at the wrong time, can do to another.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
import { startHolder } from '../src/holder/start-holder.ts'
import { encodeFrame, FrameReader } from '../src/split/frame.ts'
import { SocketLink } from '../src/split/holder-link.ts'
import { identity } from './support/holder-processes.ts'
import { EventList } from './support/holders.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-peers-'))
after(() => rmSync(folder, { recursive: true }))

describe('a dishonest holder', () => {
  it('freezes names without end: the others keep a bounded number, and their own freezes go on', async () => {
    const [peer, other] = [identity('holder 2'), identity('holder 3')]
    const key = join(folder, 'key')
    writeFileSync(key, Buffer.from(systemRandom.bytes(32)).toString('base64url'), { mode: 0o600 })
    const data = join(folder, 'holder.db')
    HolderStore.open(data).close()
    const database = new DatabaseSync(data)
    database.exec(`
      WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10000)
      INSERT INTO frozen (actor, reason, time) SELECT 'person made up ' || n, 'holder 2: canary', 0 FROM number`)
    database.close()
    const port = 1
    const holder = await startHolder({
      config: parseHolderConfig(
        {
          id: 1,
          data,
          operator: join(folder, 'operator.sock'),
          tls: { host: '127.0.0.1', port: 0 },
          peers: {
            2: { host: '127.0.0.1', port, fingerprint: peer.fingerprint },
            3: { host: '127.0.0.1', port, fingerprint: other.fingerprint },
          },
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
    const links = [peer, other].map(who => new SocketLink(1, address, who))
    try {
      await until(() => links.every(({ isUp }) => isUp))
      const [dishonest, honest] = links as [SocketLink, SocketLink]
      const freeze = (actor: string) => ({ op: 'freeze', actor, reason: 'canary' })
      assert.deepEqual(await dishonest.request(freeze('person one more'), 30_000), { refused: 'busy' })
      assert.equal(holder.core.frozen.size, 10_000)
      assert.deepEqual(await honest.request(freeze('person mallory'), 30_000), { done: true })
      holder.core.freeze('service app', 'canary')
      assert.ok(holder.core.frozen.has('person mallory') && holder.core.frozen.has('service app'))
    } finally {
      for (const link of links) link.close()
      await holder.close()
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
    const outbox = new PeerOutbox(2, { unix: path }, identity('holder 1'), () => [], {
      timeout: 50,
      again: 50,
    })
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
