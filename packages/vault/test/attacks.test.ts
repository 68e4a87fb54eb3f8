// Attacks on the vault that go around its parts rather than through them. Each is a test of one sentence of
// docs/vault-threat-model.md.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { systemRandom } from '@postern/core'
import type { HolderAnswer } from '../src/holder/holder-answer.ts'
import { HolderCore } from '../src/holder/holder-core.ts'
import type { UsedCapability } from '../src/holder/holder-journal.ts'
import { HolderStore } from '../src/holder/holder-store.ts'
import { MemoryJournal } from '../src/holder/memory-journal.ts'
import { OutstandingNonces } from '../src/holder/outstanding-nonces.ts'
import { restoreHolder } from '../src/holder/restore-holder.ts'
import { SeenCapabilities } from '../src/holder/seen-capabilities.ts'
import { unlockKey } from '../src/holder/unlock.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import { tryOpenRecord } from '../src/record/open-record.ts'
import { encodeContext, type RecordContext } from '../src/record/record-context.ts'
import { parseRecord } from '../src/record/record-format.ts'
import { namedIn } from '../src/split/capability.ts'
import { packOpenings } from '../src/split/open-batch.ts'
import { PART_BYTES } from '../src/split/part.ts'
import type { SplitKeys, StoredRecord } from '../src/split/split-keys.ts'
import { packed, TestPerson, testHolders } from './support/holders.ts'
import { opened, place, sealed } from './support/split-records.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-attacks-'))
after(() => rmSync(folder, { recursive: true }))

const item = (row: number) => ({
  context: place(row),
  epoch: 0,
  salt: Buffer.alloc(16, row).toString('base64url'),
})
const opening = (...rows: number[]) => ({ op: 'open', items: packed(rows.map(item)) })
const named = (...rows: number[]) =>
  rows.map(row => ({ tenant: '', table: 'customers', row: [`${row}`], columns: ['email'] }))
const byActor = (a: UsedCapability, b: UsedCapability): number => a.actor.localeCompare(b.actor)
const refusedAs = (answer: HolderAnswer | undefined): string | undefined =>
  answer !== undefined && 'refused' in answer ? answer.refused : undefined
const first = ({ cores }: ReturnType<typeof testHolders>): HolderCore => cores[0] as HolderCore

/** The record with the salt of another. */
const withSalt = ({ record }: StoredRecord, other: StoredRecord) => {
  const bytes = Buffer.from(record.bytes)
  bytes.set(other.record.salt, 4)
  return parseRecord(bytes)
}

const rows = (count: number): number[] => Array.from({ length: count }, (_, row) => row)

describe('who has the application and its database', () => {
  it('swaps the salts of two records in a request: neither opens, and both are paid for', async () => {
    const { keys, cores } = testHolders()
    const [one, two] = (await sealed(keys, [1, 2])) as [StoredRecord, StoredRecord]
    const swapped = [
      { encoded: one.encoded, record: withSalt(one, two) },
      { encoded: two.encoded, record: withSalt(two, one) },
    ]
    assert.deepEqual(await opened(keys, swapped), [undefined, undefined])
    assert.equal(Math.max(...cores.map(core => core.used('service app'))), 2)
  })

  it('changes the suite, the epoch or the version of a stored record: it is no other record then', async () => {
    const { keys } = testHolders()
    const [{ encoded, record } = {} as StoredRecord] = await sealed(keys, [1])
    const bytes = Buffer.concat([record.header, record.ciphertext, record.tag])
    for (const [at, value] of [
      [1, 0],
      [2, 0],
      [2, 9],
    ] as const) {
      const changed = Buffer.from(bytes)
      changed[at] = value
      assert.throws(() => parseRecord(changed), { code: 'POSTERN_INTEGRITY' })
    }
    // As mode local: the key of the record opens it only under the header it was sealed with.
    const found = await keys.open([{ encoded, record }])
    const local = Buffer.from(bytes)
    local[2] = 1
    assert.equal(
      tryOpenRecord(parseRecord(local), found.candidates[0]?.[0]?.recordKey ?? bytes, encoded),
      undefined,
    )
  })

  it('mixes records of an epoch that is gone into a batch: nothing of the batch opens or is counted', () => {
    const holders = testHolders()
    const items = packed([item(1), { ...item(2), epoch: 7 }])
    assert.equal(refusedAs(first(holders).answer('app', { op: 'open', items })), 'epoch')
    assert.equal(first(holders).used('service app'), 0)
  })

  it('races for a budget at all holders at once: no more opens than 1.125 B', async () => {
    const B = 40
    const holders = testHolders({
      budgets: { person: B, service: B, served: 1_000, table: 1_000, all: 1_000 },
    })
    const records = await sealed(holders.keys, rows(120))
    const clients = [0, 1, 2, 3].map(() => holders.client('app').keys)
    const results = await Promise.allSettled(
      records.map(async (record, index) => opened(clients[index % 4] as SplitKeys, [record])),
    )
    const count = results.filter(({ status }) => status === 'fulfilled').length
    assert.ok(count > 0 && count <= 1.125 * B, `${count} opened`)
  })

  it('asks one holder for the record and another for a different one: parts of two records make no key', async () => {
    const { keys, cores } = testHolders()
    const [one, two] = (await sealed(keys, [1, 2])) as [StoredRecord, StoredRecord]
    const asked = ({ encoded, record }: StoredRecord) =>
      packOpenings([{ encoded, epoch: 0, salt: record.salt }])
    const partsOf = (index: number, record: StoredRecord) => {
      const answer = cores[index]?.answer('app', { op: 'open', items: asked(record) })
      return answer !== undefined && 'parts' in answer ? answer.parts : {}
    }
    const { b, c } = partsOf(0, one)
    const { a } = partsOf(1, two)
    const [x, y, z] = [a, b, c].map(part => Buffer.from(part ?? '', 'base64url')) as [Buffer, Buffer, Buffer]
    const key = Buffer.from(x.map((byte, at) => byte ^ (y[at] ?? 0) ^ (z[at] ?? 0)))
    assert.equal(key.length, PART_BYTES)
    for (const { record, encoded } of [one, two]) assert.equal(tryOpenRecord(record, key, encoded), undefined)
  })

  it('looks for canaries: whatever is refused before the budget looks the same for a canary', () => {
    const holders = testHolders({ services: { app: { seal: ['*'], open: ['customers.email'], search: [] } } })
    const core = first(holders)
    core.addCanary(encodeContext(place(66)))
    const person = new TestPerson('mallory', holders.enroller, holders.clock)
    const probes: readonly ((row: number) => HolderAnswer)[] = [
      row => core.answer('app', { op: 'open', items: packed([{ ...item(row), epoch: 9 }]) }),
      row =>
        core.answer('app', {
          op: 'open',
          items: packed([{ ...item(row), context: { ...place(row), column: 'phone' } }]),
        }),
      row => core.answer('app', { ...opening(row), capability: person.capability(named(1_000)) }),
      row => core.answer('nobody', opening(row)),
      row =>
        core.answer('app', {
          op: 'seal',
          epoch: 0,
          items: [
            {
              context: place(row),
              contributions: [1, 2].map(holder => ({ holder, nonce: item(1).salt })),
            },
          ],
        }),
    ]
    for (const probe of probes) assert.deepEqual(probe(66), probe(5))
    assert.equal(core.frozen.size, 0)
    // The only question that tells is the one that freezes, also when the budget would refuse it.
    assert.equal(
      refusedAs(
        core.answer('app', {
          op: 'open',
          items: packed([item(66), ...rows(300).map(r => ({ ...item(1), context: place(r) }))]),
        }),
      ),
      'frozen',
    )
  })

  it('tells by the requests whether a searched value exists: a hit and a miss look alike to the holders', async () => {
    const { keys, links } = testHolders()
    const ask = async (digest: Buffer): Promise<number> => {
      const before = links.reduce((sum, { requests }) => sum + requests, 0)
      const [term] = await keys.terms({
        tenant: '',
        table: 'customers',
        column: 'email',
        epoch: 0,
        digests: [digest],
        purpose: 'search',
      })
      assert.equal(term?.length, PART_BYTES)
      return links.reduce((sum, { requests }) => sum + requests, 0) - before
    }
    assert.equal(await ask(Buffer.alloc(32, 1)), await ask(Buffer.alloc(32, 2)))
  })
})

describe('who has capabilities of people', () => {
  it('shows one for other records, columns, tenants or compound keys: refused, and not used up', () => {
    const holders = testHolders()
    const core = first(holders)
    const person = new TestPerson('anne', holders.enroller, holders.clock)
    const capability = person.capability(named(1))
    const others: readonly RecordContext[] = [
      place(2),
      { ...place(1), column: 'phone' },
      { ...place(1), table: 'orders' },
      { ...place(1), tenant: 'b' },
      { ...place(1), row: ['1', '1'] },
      { ...place(1), row: ['1 '] },
      { ...place(1), column: 'constructor' },
    ]
    for (const context of others)
      assert.equal(
        refusedAs(core.answer('app', { op: 'open', items: packed([{ ...item(1), context }]), capability })),
        'capability',
      )
    assert.equal(refusedAs(core.answer('app', { ...opening(1), capability })), undefined)
    assert.equal(refusedAs(core.answer('app', { ...opening(1), capability })), 'capability')
  })

  it('signs without end: one person fills only their own share of what a holder remembers', () => {
    const seen = new SeenCapabilities({ most: 100, mostOfOne: 10 })
    const use = (actor: string, nonce: string, expiresAt: number, now: number): boolean =>
      seen.use({ service: 'shop', actor, nonce, expiresAt }, now)
    for (let i = 0; i < 50; i++) assert.equal(use('mallory', `${i}`, 1_000, 0), i < 10)
    assert.equal(use('anne', '0', 1_000, 0), true)
    assert.equal(use('anne', '0', 1_000, 0), false)
    // Expired ones make room again, and only those.
    assert.equal(use('mallory', 'later', 3_000, 2_000), true)
    for (let i = 0; i < 200; i++) use(`person ${i}`, 'n', 9_000, 2_000)
    assert.equal(use('one too many', 'n', 9_000, 2_000), false)
  })

  it('invents people without end, with the key of an enroller: people of other services go on, also after a restart', () => {
    const journal = HolderStore.open(join(folder, 'seen.db'))
    const seen = new SeenCapabilities({ services: 4, most: 80 })
    const invented = Array.from({ length: 100 }, (_, number) => ({
      ...{ service: 'mallory', actor: `invented ${number}`, nonce: 'n', expiresAt: 9_000 },
    }))
    // Its own share of ten, and the forty that are common.
    const taken = invented.filter(used => seen.use(used, 0))
    assert.equal(taken.length, 50)
    for (const service of ['shop', 'support', 'billing'])
      for (let person = 0; person < 20; person++) {
        const used = { service, actor: `${service} ${person}`, nonce: 'n', expiresAt: 9_000 }
        assert.equal(seen.use(used, 0), person < 10)
      }
    for (const used of taken)
      journal.opened({ time: 0, person: used.actor, service: used.service, records: new Map() }, used)
    assert.deepEqual([...journal.usedAfter(0)].sort(byActor), [...taken].sort(byActor))
    journal.close()
  })

  it('names a thousand records and asks for a thousand: each is looked at once', () => {
    let read = 0
    const records = rows(1_000).map(row => ({
      tenant: '',
      table: 'customers',
      columns: ['email'],
      get row() {
        read++
        return [`${row}`]
      },
    }))
    const isNamed = namedIn(records)
    for (const row of rows(1_000)) assert.equal(isNamed('', 'customers', 'email', [`${row}`]), true)
    assert.equal(isNamed('', 'customers', 'email', ['1000']), false)
    assert.equal(read, 1_000)
  })
})

describe('who has one service and wants to hurt the others', () => {
  it('asks for contributions without end: those of other services stay', () => {
    const nonces = new OutstandingNonces(systemRandom, 100)
    const theirs = nonces.issue('shop', 10, 0)
    for (let i = 0; i < 50; i++) nonces.issue('mallory', 100, 0)
    assert.equal(nonces.take('shop', theirs), true)
    assert.equal(nonces.take('shop', theirs), false)
  })

  it('opens records with keys as long as they may be: what the log gets stays small', () => {
    const holders = testHolders()
    const long = rows(16).map(() => 'x'.repeat(1_000))
    const items = rows(100).map(r => ({
      ...item(1),
      context: { ...place(r), row: [...long.slice(1), `${r}`] },
    }))
    assert.equal(refusedAs(first(holders).answer('app', { op: 'open', items: packed(items) })), undefined)
    assert.ok(JSON.stringify(holders.recorder.events.at(-1)).length < 64 * 1_024)
  })

  it('waits for others to be frozen in its place: a name that looks like another actor is itself', () => {
    const holders = testHolders()
    const core = first(holders)
    core.addCanary(encodeContext(place(66)))
    const person = new TestPerson('x\nservice app', holders.enroller, holders.clock)
    assert.equal(
      refusedAs(core.answer('app', { ...opening(66), capability: person.capability(named(66)) })),
      'frozen',
    )
    assert.equal(refusedAs(core.answer('app', opening(1))), undefined)
  })
})

describe('who has the time, the disk or a backup of a holder', () => {
  const B = 8
  const budgets = { person: B, service: B, served: 1_000, table: 1_000, all: 1_000 }

  it('sets its clock an hour ahead, and back: no unit of a budget is free before its time', () => {
    const holders = testHolders({ budgets })
    const core = first(holders)
    assert.equal(refusedAs(core.answer('app', opening(1, 2, 3, 4, 5, 6))), undefined)
    for (const step of [7_200_000, -7_200_000, 86_400_000]) {
      holders.clock.step(holders.clock.now() + step)
      assert.equal(refusedAs(core.answer('app', opening(7))), 'budget')
    }
    holders.clock.advance(3_600_000)
    assert.equal(refusedAs(core.answer('app', opening(7))), undefined)
  })

  it('rolls its database back again and again: that is one holder whole, and 1.5 B', () => {
    const holders = testHolders({ budgets })
    const [, two, three] = holders.cores as [HolderCore, HolderCore, HolderCore]
    const option = holders.options[0]
    assert.ok(option !== undefined)
    let count = 0
    for (let row = 0; row < 60; row++) {
      // Forgets everything before each record.
      const rolledBack = new HolderCore({ ...option, journal: new MemoryJournal() })
      const own = refusedAs(rolledBack.answer('app', opening(row))) === undefined
      const other = [two, three].some(core => refusedAs(core.answer('app', opening(row))) === undefined)
      if (own && other) count++
    }
    assert.equal(count, 1.5 * B)
  })

  it('restores a backup to have fresh budgets: nothing opens until all of them would be free anyway', async () => {
    const path = join(folder, 'holder.db')
    const holders = testHolders({ budgets })
    const option = holders.options[0]
    assert.ok(option !== undefined)
    const store = HolderStore.open(path)
    store.setSettings({ id: Uint8Array.of(1) })
    const start = (journal: HolderStore): HolderCore => {
      const closedUntil = journal.closedUntil(holders.clock.now(), holders.policy.window)
      return new HolderCore({ ...option, journal, closedUntil })
    }
    const core = start(store)
    assert.equal(refusedAs(core.answer('app', opening(1, 2))), undefined)
    await store.backup(join(folder, 'backup.db'))
    assert.equal(refusedAs(core.answer('app', opening(3, 4, 5, 6))), undefined)
    store.close()
    assert.throws(() => restoreHolder(join(folder, 'backup.db'), path, 2), { code: 'POSTERN_CONFIG' })
    assert.throws(() => restoreHolder(join(folder, 'none.db'), path, 1), { code: 'POSTERN_CONFIG' })
    restoreHolder(join(folder, 'backup.db'), path, 1)
    const restored = HolderStore.open(path)
    const later = start(restored)
    const refusal = later.answer('app', opening(7))
    assert.ok('retryAt' in refusal && refusal.retryAt === holders.clock.now() + holders.policy.window)
    // Sealing goes on, and a second start does not shorten the wait.
    assert.ok('nonces' in later.answer('app', { op: 'nonces', count: 1 }))
    holders.clock.advance(holders.policy.window - 1)
    assert.equal(refusedAs(start(restored).answer('app', opening(7))), 'budget')
    holders.clock.advance(1)
    assert.equal(refusedAs(start(restored).answer('app', opening(7))), undefined)
    restored.close()
  })

  it('puts a pipe, a folder or a device where the key file was: an error at once, not a holder that waits', async () => {
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', ['-m', '600', pipe])
    const store = HolderStore.open(join(folder, 'unlock.db'))
    for (const path of [pipe, folder, '/dev/zero']) {
      await assert.rejects(unlockKey(store, { kind: 'file', path }, systemRandom), { code: 'POSTERN_CONFIG' })
      assert.throws(() => LocalKeys.read(path), { code: 'POSTERN_CONFIG' })
    }
    writeFileSync(join(folder, 'short'), Buffer.alloc(31).toString('base64url'), { mode: 0o600 })
    await assert.rejects(unlockKey(store, { kind: 'file', path: join(folder, 'short') }, systemRandom), {
      code: 'POSTERN_CONFIG',
    })
    store.close()
  })
})
