import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tryOpenRecord } from '../src/record/open-record.ts'
import type { RecordContext } from '../src/record/record-context.ts'
import { encodeContext } from '../src/record/record-context.ts'
import { parseRecord } from '../src/record/record-format.ts'
import { sealRecord } from '../src/record/seal-record.ts'
import { PARTS_OF } from '../src/split/part.ts'
import type { SplitKeys } from '../src/split/split-keys.ts'
import { dealt, type TestHolders, TestPerson, testHolders } from './support/holders.ts'

const context = (row: number | string, table = 'customers', column = 'email'): RecordContext => ({
  tenant: '',
  table,
  column,
  row: [`${row}`],
  version: 0,
})

const named = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => ({
    tenant: '',
    table: 'customers',
    row: [`${from + i}`],
    columns: ['email'],
  }))

async function sealed(keys: SplitKeys, contexts: readonly RecordContext[]) {
  const sealKeys = await keys.seal(contexts)
  return contexts.map((place, index) => {
    const { recordKey, salt, epoch } = sealKeys[index] as (typeof sealKeys)[number]
    const encoded = encodeContext(place)
    const bytes = sealRecord({
      recordKey,
      salt,
      mode: 'split',
      epoch,
      context: encoded,
      plaintext: Buffer.from(`secret ${place.row[0]}`),
    })
    return { context: place, encoded, record: parseRecord(bytes) }
  })
}

async function opened(keys: SplitKeys, records: Awaited<ReturnType<typeof sealed>>, capability?: string) {
  const found = await keys.open(records, capability)
  return records.map(({ context: place, record }, index) => {
    for (const candidate of found.candidates[index] ?? []) {
      const text = tryOpenRecord(record, candidate.recordKey, encodeContext(place))?.toString()
      if (text !== undefined) {
        keys.blame(candidate.against)
        return text
      }
    }
    return undefined
  })
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => context(from + i))

describe('split keys', () => {
  it('seal and open a page in one round trip to two holders', async () => {
    const { keys, links } = testHolders()
    const page = await sealed(keys, range(0, 50))
    const before = links.map(({ requests }) => requests)
    assert.deepEqual(
      await opened(keys, page),
      range(0, 50).map(({ row }) => `secret ${row[0]}`),
    )
    const asked = links.map(({ requests }, index) => requests - (before[index] ?? 0))
    assert.equal(
      asked.reduce((sum, count) => sum + count),
      2,
    )
  })

  it('seal many pages at the same time: no two of them share contributions', async () => {
    const { keys } = testHolders()
    const pages = await Promise.all(
      Array.from({ length: 30 }, (_, page) => sealed(keys, range(page * 50, page * 50 + 50))),
    )
    const salts = pages.flat().map(({ record }) => Buffer.from(record.salt).toString('hex'))
    assert.equal(new Set(salts).size, 1_500)
    assert.equal((await opened(keys, pages[29] ?? [])).at(-1), 'secret 1499')
  })

  for (const fault of ['down', 'frozen'] as const) {
    for (const victim of [0, 1, 2]) {
      it(`go on reading and writing with holder ${victim + 1} ${fault}`, async () => {
        const { keys, links } = testHolders()
        const page = await sealed(keys, range(0, 3))
        const link = links[victim] as (typeof links)[number]
        link.fault = fault
        assert.deepEqual(await opened(keys, page), ['secret 0', 'secret 1', 'secret 2'])
        link.isUp = false
        const more = await sealed(keys, range(3, 4))
        link.fault = 'none'
        link.isUp = true
        assert.deepEqual(await opened(keys, [...page, ...more]), [
          'secret 0',
          'secret 1',
          'secret 2',
          'secret 3',
        ])
      })
    }
  }

  it('with two holders down nothing is read or written, as an error that may be retried', async () => {
    const { keys, links } = testHolders()
    const page = await sealed(keys, range(0, 1))
    for (const link of links.slice(1)) {
      link.fault = 'down'
      link.isUp = false
    }
    await assert.rejects(keys.open(page), { code: 'POSTERN_STORE', retryable: true })
    await assert.rejects(keys.seal(range(1, 2)), { code: 'POSTERN_STORE', retryable: true })
  })

  for (const liar of [0, 1, 2]) {
    it(`a lying holder ${liar + 1} is found out, blamed, and costs no read`, async () => {
      const { keys, links, liars } = testHolders()
      const pages = await sealed(keys, range(0, 12))
      ;(links[liar] as (typeof links)[number]).fault = 'lies'
      for (const [index, record] of pages.entries())
        assert.deepEqual(await opened(keys, [record]), [`secret ${index}`])
      assert.ok(liars.length > 0)
      assert.deepEqual([...new Set(liars)], [liar + 1])
      await assert.rejects(keys.seal(range(20, 21)), {
        code: 'POSTERN_INTEGRITY',
        message: new RegExp(`holder ${liar + 1} contradicts`),
      })
    })
  }

  it('seal more than holders take at once, and say so where more are to be opened', async () => {
    const { keys } = testHolders({
      budgets: { person: 1, service: 5_000, served: 1, table: 5_000, all: 5_000 },
    })
    const records = await sealed(keys, range(0, 1_001))
    assert.equal(records.length, 1_001)
    assert.equal((await opened(keys, records.slice(1))).at(-1), 'secret 1000')
    await assert.rejects(keys.open(records), {
      code: 'POSTERN_CONFIG',
      message: /1001 values at once, and holders open at most 1000/,
    })
    const digests = Array.from({ length: 1_001 }, (_, i) => Buffer.alloc(32, `${i}`))
    const place = { tenant: '', table: 'customers', column: 'email', epoch: 0, purpose: 'store' } as const
    const terms = await keys.terms({ ...place, digests })
    assert.deepEqual(terms.at(-1), (await keys.terms({ ...place, digests: digests.slice(-1) }))[0])
  })

  it('a record sealed in an earlier epoch opens after the next one began', async () => {
    const holders = testHolders()
    const old = await sealed(holders.keys, range(0, 1))
    beginEpoch(holders, 1)
    const { keys } = holders.client('app')
    const fresh = await sealed(keys, range(1, 2))
    assert.equal(fresh[0]?.record.epoch, 1)
    assert.deepEqual(await opened(keys, [...old, ...fresh]), ['secret 0', 'secret 1'])
  })

  it('a client that knows only the old epoch goes on while the next one begins, and follows it', async () => {
    const holders = testHolders()
    await holders.keys.prepare()
    beginEpoch(holders, 1)
    assert.deepEqual(await opened(holders.keys, await sealed(holders.keys, range(0, 1))), ['secret 0'])
    beginEpoch(holders, 2)
    const after = await sealed(holders.keys, range(1, 2))
    assert.deepEqual(await opened(holders.keys, after), ['secret 1'])
    assert.equal(after[0]?.record.epoch, 2)
  })

  it('a record does not open in another place, and no candidate pretends to', async () => {
    const { keys } = testHolders()
    const [record] = await sealed(keys, range(0, 1))
    assert.ok(record !== undefined)
    assert.deepEqual(await opened(keys, [{ ...record, context: context(1) }]), [undefined])
  })

  it('errors name the budget and when it is free again', async () => {
    const holders = testHolders({ budgets: { person: 4, service: 4, served: 100, table: 100, all: 100 } })
    const page = await sealed(holders.keys, range(0, 10))
    await assert.rejects(opened(holders.keys, page), {
      code: 'POSTERN_BUDGET_EXCEEDED',
      budget: 'vault service app',
    })
    const alice = new TestPerson('alice', holders.enroller, holders.clock)
    await assert.rejects(opened(holders.keys, page, alice.capability(named(0, 10))), {
      code: 'POSTERN_BUDGET_EXCEEDED',
      budget: 'vault person alice',
    })
    assert.equal((await opened(holders.keys, page.slice(0, 3), alice.capability(named(0, 3)))).length, 3)
  })
})

function beginEpoch(holders: TestHolders, epoch: number): void {
  const secrets = dealt(epoch)
  for (const { keys } of holders.options)
    for (const part of PARTS_OF[keys.id]) keys.add(epoch, part, secrets[part])
}
