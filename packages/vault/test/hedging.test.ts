import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '@postern/core'
import { parseRecord } from '../src/record/record-format.ts'
import { HedgeDelay } from '../src/split/hedge-delay.ts'
import { SplitKeys } from '../src/split/split-keys.ts'
import { Vault } from '../src/table/vault.ts'
import { testHolders } from './support/holders.ts'

describe('when a third holder is asked', () => {
  const after = (times: readonly number[]): number => {
    const delay = new HedgeDelay(15)
    for (const time of times) delay.observe(time)
    return delay.current
  }
  const steady = (time: number): readonly number[] => Array.from({ length: 100 }, () => time)

  it('is 15 ms at first', () => {
    assert.ok(Math.abs(new HedgeDelay(15).current - 15) < 0.01)
  })

  it('is soon where holders answer at once, and never below 2 ms', () => {
    assert.equal(after(steady(0.5)), 2)
    assert.ok(after(steady(3)) < 4)
  })

  it('waits for holders that are far away instead of asking a third for every page', () => {
    const delay = after(steady(40))
    assert.ok(delay >= 40 && delay < 60, `${delay} ms`)
  })

  it('does not grow without end when a holder hangs', () => {
    assert.ok(after(steady(60_000)) <= 200)
  })

  it('once: a frozen holder is asked last until it answers, so only the first page is late', async () => {
    const { links } = testHolders()
    // The clock stands still: only an answer can end the preference for the others.
    const keys = new SplitKeys({ links, clock: new VirtualClock(), hedgeAfter: 5, timeout: 200 })
    const vault = new Vault({
      tables: { t: { key: ['id'], columns: { x: { mode: 'split' } } } },
      split: keys,
    })
    const rows = await vault.sealRows(
      't',
      Array.from({ length: 20 }, (_, id) => ({ id, x: `${id}` })),
    )
    assert.equal(parseRecord(rows[0]?.['x'] as Uint8Array).mode, 'split')
    const [first] = links
    assert.ok(first !== undefined)
    first.fault = 'frozen'
    const before = first.requests
    for (const row of rows) await vault.openRows('t', [row])
    assert.equal(first.requests - before, 1)
  })
})
