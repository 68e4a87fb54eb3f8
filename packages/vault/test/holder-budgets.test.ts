import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemRandom } from '@postern/core'
import fc from 'fast-check'
import { holderShare } from '../src/holder/budgets.ts'
import { CountedRecords } from '../src/holder/counted-records.ts'
import { HolderCore } from '../src/holder/holder-core.ts'
import { MemoryJournal } from '../src/holder/memory-journal.ts'
import { packed, TestPerson, testHolders } from './support/holders.ts'
import { context, item, named, refusedAs } from './support/requests.ts'

describe('budgets', () => {
  const budgets = { person: 8, service: 4, served: 1_000, table: 1_000, all: 1_000 }
  const open = (core: HolderCore, ...rows: number[]) =>
    core.answer('app', { op: 'open', items: packed(rows.map(row => item(row))) })

  it('a holder counts three quarters, so that the bound is 1.5 B even for a thief of another holder', () => {
    assert.deepEqual([1, 2, 4, 100, 1_000].map(holderShare), [1, 1, 3, 75, 750])
    const holders = testHolders({ budgets })
    const [, two, three] = holders.cores as [HolderCore, HolderCore, HolderCore]
    // Holder 1 is the thief's: each record needs one answer of 2 or of 3.
    let got = 0
    for (let row = 0; row < 100; row++) {
      if (refusedAs(open(two, row)) === undefined || refusedAs(open(three, row)) === undefined) got++
    }
    assert.ok(got <= 1.5 * budgets.service, `${got} opened`)
    assert.equal(got, 6)
  })

  it('count distinct record versions: reading again is free, another version is not', () => {
    const { cores } = testHolders({ budgets })
    const [core] = cores as [HolderCore]
    for (let i = 0; i < 10; i++) assert.equal(refusedAs(open(core, 1, 2)), undefined)
    assert.equal(refusedAs(open(core, 3)), undefined)
    assert.equal(refusedAs(open(core, 4)), 'budget')
    const again = { ...item(1), context: { ...context(1), version: 1 } }
    assert.equal(refusedAs(core.answer('app', { op: 'open', items: packed([again]) })), 'budget')
  })

  it('a batch over the budget opens nothing and costs nothing', () => {
    const { cores } = testHolders({ budgets })
    const [core] = cores as [HolderCore]
    assert.equal(refusedAs(open(core, 1, 2, 3, 4)), 'budget')
    assert.equal(core.used('service app'), 0)
    assert.equal(refusedAs(open(core, 1, 2, 3)), undefined)
  })

  it('say when there is room again, and there is then', () => {
    const { cores, clock } = testHolders({ budgets })
    const [core] = cores as [HolderCore]
    open(core, 1)
    clock.advance(600_000)
    open(core, 2, 3)
    const refusal = open(core, 4)
    assert.ok('retryAt' in refusal)
    assert.equal(refusal.retryAt - clock.now(), 3_000_000)
    clock.advance(3_000_000)
    assert.equal(refusedAs(open(core, 4)), undefined)
    assert.equal(refusedAs(open(core, 5)), 'budget')
  })

  it('a clock that is set back frees nothing', () => {
    const { cores, clock } = testHolders({ budgets })
    const [core] = cores as [HolderCore]
    open(core, 1, 2, 3)
    clock.step(clock.now() - 86_400_000)
    assert.equal(refusedAs(open(core, 4)), 'budget')
  })

  it('hold over a restart', () => {
    const { cores, options } = testHolders({ budgets })
    const [core] = cores as [HolderCore]
    open(core, 1, 2, 3)
    const [option] = options
    assert.ok(option !== undefined)
    const restarted = new HolderCore(option)
    assert.equal(refusedAs(open(restarted, 4)), 'budget')
    assert.equal(refusedAs(open(restarted, 1, 2, 3)), undefined)
  })

  it('a charge that cannot be written down opens nothing', () => {
    const { options } = testHolders({ budgets })
    const [option] = options
    assert.ok(option !== undefined)
    const journal = new MemoryJournal()
    journal.opened = () => {
      throw new Error('disk full')
    }
    const core = new HolderCore({ ...option, journal })
    assert.throws(() => open(core, 1), /disk full/)
  })

  it('people, tables and all are counted apart', () => {
    const holders = testHolders({ budgets: { person: 4, service: 100, served: 6, table: 100, all: 100 } })
    const [core] = holders.cores as [HolderCore]
    const as = (person: TestPerson, ...rows: number[]) =>
      core.answer('app', {
        op: 'open',
        items: packed(rows.map(row => item(row))),
        capability: person.capability(named(...rows)),
      })
    const [alice, bob] = ['alice', 'bob'].map(
      name => new TestPerson(name, holders.enroller, holders.clock),
    ) as [TestPerson, TestPerson]
    assert.equal(refusedAs(as(alice, 1, 2, 3)), undefined)
    assert.equal(refusedAs(as(alice, 4)), 'budget')
    assert.equal(refusedAs(as(bob, 4)), undefined)
    const over = as(bob, 5)
    assert.ok('budget' in over && over.budget === 'served app')
  })

  it('counting agrees with counting by hand, in every scope, also while the table grows', () => {
    const steps = fc.array(fc.record({ scope: fc.nat(3), version: fc.nat(30), wait: fc.nat(20) }), {
      maxLength: 150,
    })
    fc.assert(
      fc.property(steps, list => {
        // Two entries of room, so that the table grows again and again.
        const records = new CountedRecords(100, systemRandom, 2)
        const byHand = new Map<string, { readonly scope: string; readonly time: number }>()
        let now = 0
        for (const { scope: number, version: letter, wait } of list) {
          now += wait
          const [scope, version] = [`scope ${number}`, `version ${letter}`.padEnd(16)]
          for (const [key, { time }] of byHand) if (time + 100 <= now) byHand.delete(key)
          const own = [...byHand.values()].filter(entry => entry.scope === scope)
          const scopes = new Set([...byHand.values()].map(entry => entry.scope))
          assert.equal(records.used(scope, now), own.length)
          assert.equal(records.size(now), byHand.size)
          assert.equal(records.scopes, scopes.size)
          assert.equal(records.freeAt(scope, 1, own.length, now), (own[0]?.time ?? now) + 100)
          assert.equal(records.freeAtInAll(1, byHand.size, now), ([...byHand.values()][0]?.time ?? now) + 100)
          const isNew = !byHand.has(scope + version)
          assert.equal(records.has(scope, version), !isNew)
          assert.equal(records.add(scope, version, now), isNew)
          if (isNew) byHand.set(scope + version, { scope, time: now })
        }
      }),
      { numRuns: 200 },
    )
  })
})
