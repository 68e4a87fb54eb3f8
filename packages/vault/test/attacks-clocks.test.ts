import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { HolderCore, type HolderCoreOptions } from '../src/holder/holder-core.ts'
import type { HolderJournal } from '../src/holder/holder-journal.ts'
import { HolderStore } from '../src/holder/holder-store.ts'
import { MemoryJournal } from '../src/holder/memory-journal.ts'
import { SeenCapabilities } from '../src/holder/seen-capabilities.ts'
import { packed, TestPerson, testHolders } from './support/holders.ts'
import { item, named, refusedAs } from './support/requests.ts'

const HOUR = 3_600_000
const folder = mkdtempSync(join(tmpdir(), 'vault-clocks-'))
after(() => rmSync(folder, { recursive: true }))

function setting(journal: HolderJournal) {
  const holders = testHolders()
  const options: HolderCoreOptions = { ...(holders.options[0] as HolderCoreOptions), journal }
  const alice = new TestPerson('alice', holders.enroller, holders.clock)
  const ask = (core: HolderCore, capability: string): string | undefined =>
    refusedAs(core.answer('app', { op: 'open', items: packed([item(1)]), capability }))
  return { clock: holders.clock, options, alice, ask }
}

describe('who sets the clock of a holder back', () => {
  it('while it runs: a capability that has expired stays so, also one that was never shown to it', () => {
    const { clock, options, alice, ask } = setting(new MemoryJournal())
    const core = new HolderCore(options)
    const captured = alice.capability(named(1))
    clock.advance(HOUR)
    assert.equal(ask(core, captured), 'capability')
    clock.step(clock.now() - HOUR)
    assert.equal(ask(core, captured), 'capability')
  })

  it('and the statement of whose key it is: that stays expired, too', () => {
    const { clock, options, alice, ask } = setting(new MemoryJournal())
    const core = new HolderCore(options)
    const identity = alice.identity(clock.now() + HOUR)
    clock.advance(2 * HOUR)
    clock.step(clock.now() - 2 * HOUR)
    assert.equal(ask(core, alice.capability(named(1), { identity })), 'capability')
  })

  for (const [name, open] of [
    ['in memory', () => new MemoryJournal()],
    ['in a file', () => HolderStore.open(join(folder, 'holder.db'))],
  ] as const)
    it(`and restarts it: what was used is taken no second time, though it was cleared from the journal ${name}`, () => {
      const journal = open()
      const { clock, options, alice, ask } = setting(journal)
      const used = alice.capability(named(1))
      assert.equal(ask(new HolderCore(options), used), undefined)
      clock.advance(3 * HOUR)
      journal.prune(clock.now() - HOUR)
      assert.deepEqual([...journal.usedAfter(0)], [])
      clock.step(clock.now() - 3 * HOUR)
      const restarted = new HolderCore(options)
      assert.equal(ask(restarted, used), 'capability')
      clock.advance(1_000)
      assert.equal(ask(restarted, alice.capability(named(1))), undefined, 'a new one opens')
      if (journal instanceof HolderStore) journal.close()
    })

  it('clearing them piece by piece forgets the oldest first', () => {
    const journal = HolderStore.open(join(folder, 'many.db'))
    for (let number = 0; number < 2_500; number++)
      journal.opened(
        { time: 0, person: 'p', service: 's', records: new Map() },
        { service: 's', actor: 'p', nonce: `${number}`, expiresAt: 10_000 - number },
      )
    journal.prune(20_000)
    assert.equal(journal.forgottenUntil(), 8_500)
    assert.ok([...journal.usedAfter(0)].every(({ expiresAt }) => expiresAt > 8_500))
    journal.close()
  })
})

describe('capabilities that were seen', () => {
  it('are refused once they may have been forgotten, whatever the clock says then', () => {
    const seen = new SeenCapabilities({ most: 10, mostOfOne: 2 })
    const use = (nonce: string, expiresAt: number, now: number): boolean =>
      seen.use({ service: 'shop', actor: 'alice', nonce, expiresAt }, now)
    assert.ok(use('one', 100, 0))
    assert.ok(use('two', 200, 0))
    assert.ok(use('three', 300, 150), 'the first had expired, and made room')
    assert.equal(use('one', 100, 50), false)
  })
})
