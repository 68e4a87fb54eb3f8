import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { HolderCore, type HolderCoreOptions } from '../src/holder/holder-core.ts'
import { HolderStore } from '../src/holder/holder-store.ts'
import { MemoryJournal } from '../src/holder/memory-journal.ts'
import { testHolders } from './support/holders.ts'
import { refusedAs } from './support/requests.ts'

const SEARCHES = 8
/** What one holder counts of it. */
const SHARE = 6

const guess = (purpose: 'search' | 'store', value: number) => ({
  op: 'term',
  tenant: '',
  table: 'customers',
  column: 'email',
  epoch: 0,
  digests: [Buffer.alloc(32, `guess ${value}`).toString('base64url')],
  purpose,
})

function optionsOf(policy: Parameters<typeof testHolders>[0]): HolderCoreOptions {
  const [options] = testHolders(policy).options
  assert.ok(options !== undefined)
  return options
}

describe('who runs a dictionary through the search', () => {
  it('crashes the holder in between: it has counted every term, in its file', test => {
    const folder = mkdtempSync(join(tmpdir(), 'vault-restart-'))
    test.after(() => rmSync(folder, { recursive: true }))
    const options = optionsOf({ searches: SEARCHES })
    let answered = 0
    for (let life = 0; life < 3; life++) {
      const journal = HolderStore.open(join(folder, 'holder.db'))
      const core = new HolderCore({ ...options, journal })
      for (let value = life * 4; value < life * 4 + 4; value++)
        if (refusedAs(core.answer('app', guess('search', value))) === undefined) answered++
      assert.equal(refusedAs(core.answer('app', guess('search', 0))), undefined, 'the same one is free')
      journal.close()
    }
    assert.equal(answered, SHARE)
  })

  it('does so for terms that are stored, of which there are a hundred times as many', () => {
    const options = optionsOf({ searches: 1 })
    const share = 75
    let answered = 0
    for (let life = 0; life < 2; life++) {
      const core = new HolderCore(options)
      for (let value = life * 50; value < life * 50 + 50; value++)
        if (refusedAs(core.answer('app', guess('store', value))) === undefined) answered++
    }
    assert.equal(answered, share)
  })

  it('waits for a window: its entries are gone from the file then, and units are free', test => {
    const folder = mkdtempSync(join(tmpdir(), 'vault-restart-'))
    const holders = testHolders({ searches: SEARCHES })
    const journal = HolderStore.open(join(folder, 'holder.db'))
    test.after(() => {
      journal.close()
      rmSync(folder, { recursive: true })
    })
    const [options] = holders.options
    assert.ok(options !== undefined)
    const core = new HolderCore({ ...options, journal })
    for (let value = 0; value < SHARE; value++) core.answer('app', guess('search', value))
    assert.equal(refusedAs(core.answer('app', guess('search', 99))), 'budget')
    holders.clock.advance(3_600_001)
    journal.prune(holders.clock.now() - 3_600_000)
    assert.deepEqual([...journal.searchedSince(0)], [])
    assert.equal(refusedAs(core.answer('app', guess('search', 99))), undefined)
  })

  it('restores a backup of a holder: it makes no term for a window, as it opens nothing', () => {
    const holders = testHolders({ searches: SEARCHES })
    const [options] = holders.options
    assert.ok(options !== undefined)
    const core = new HolderCore({ ...options, closedUntil: holders.clock.now() + 3_600_000 })
    for (const purpose of ['search', 'store'] as const)
      assert.equal(refusedAs(core.answer('app', guess(purpose, 1))), 'budget')
    holders.clock.advance(3_600_001)
    assert.equal(refusedAs(core.answer('app', guess('search', 1))), undefined)
  })
})

describe('who may harden passwords', () => {
  it('names users without end: the holder remembers a bounded number, and those it knows go on', async () => {
    const { ristretto255_oprf } = await import('@noble/curves/ed25519.js')
    const { blinded } = ristretto255_oprf.oprf.blind(Buffer.alloc(8, 1))
    const options = optionsOf({ guesses: 4 })
    const remembered = Array.from({ length: 100_000 }, (_, i) => ({
      user: `user${i}`,
      time: options.clock.now(),
    }))
    const journal = new MemoryJournal()
    for (const { user, time } of remembered) journal.guessed(user, time)
    const core = new HolderCore({ ...options, journal })
    const request = (user: string) => ({
      op: 'harden',
      user,
      epoch: 0,
      blinded: Buffer.from(blinded).toString('base64url'),
    })
    assert.equal(refusedAs(core.answer('app', request('one more'))), 'budget')
    assert.equal(refusedAs(core.answer('app', request('user1'))), undefined)
  })
})
