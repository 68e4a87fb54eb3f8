import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ristretto255_oprf } from '@noble/curves/ed25519.js'
import { ConfigError } from '@postern/core'
import { holderShare } from '../src/holder/budgets.ts'
import type { HolderAnswer } from '../src/holder/holder-answer.ts'
import { parseHolderConfig } from '../src/holder/holder-config.ts'
import { HolderCore, type HolderCoreOptions } from '../src/holder/holder-core.ts'
import type { HolderPolicy } from '../src/holder/holder-policy.ts'
import { HolderStore } from '../src/holder/holder-store.ts'
import { longestWindow } from '../src/holder/window-budgets.ts'
import { packed, TestPerson, testHolders } from './support/holders.ts'
import { context, item, named, refusedAs } from './support/requests.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const budgets = { person: 8, service: 4, served: 1_000, table: 1_000, all: 1_000 }

const open = (core: HolderCore, row: number, version = 0) => {
  const one = item(row)
  return core.answer('app', {
    op: 'open',
    items: packed([{ ...one, context: { ...context(row), version } }]),
  })
}

/** Opens what a budget lets through, every hour as much as fits, of records never seen before. */
function thief(cores: readonly HolderCore[], advance: () => void, hours: number): number {
  let [row, got] = [0, 0]
  for (let hour = 0; hour < hours; hour++) {
    for (let tries = 0; tries < 8; tries++)
      if (cores.some(core => refusedAs(open(core, row)) === undefined)) {
        got++
        row++
      }
    advance()
  }
  return got
}

describe('a thief with patience', () => {
  it('stays below the budget of the hour for a week: a daily budget is what it gets, each day', () => {
    for (const [daily, most] of [
      [undefined, 1.5 * budgets.service * 24 * 7],
      [{ service: 8 }, 1.5 * 8 * 8],
    ] as const) {
      const holders = testHolders({ budgets, ...(daily !== undefined && { daily }) })
      const [, two, three] = holders.cores as [HolderCore, HolderCore, HolderCore]
      const got = thief([two, three], () => holders.clock.advance(HOUR), 7 * 24)
      assert.ok(got <= most, `${got} of at most ${most}`)
      assert.ok(got > most / 2, `${got} of at most ${most}`)
    }
  })

  it('in the name of people, of a table, and of everything', () => {
    const scopes: readonly Partial<HolderPolicy['budgets']>[] = [
      { person: 8 },
      { served: 8 },
      { table: 8 },
      { all: 8 },
    ]
    for (const daily of scopes) {
      const { cores, clock, enroller } = testHolders({ budgets, daily })
      const [core] = cores as [HolderCore]
      const person = new TestPerson('anne', enroller, clock)
      let got = 0
      for (let hour = 0; hour < 23; hour++) {
        for (const row of [hour * 2, hour * 2 + 1]) {
          const capability = person.capability(named(row))
          const answer = core.answer('app', { op: 'open', items: packed([item(row)]), capability })
          if (refusedAs(answer) === undefined) got++
          else assert.equal(refusedAs(answer), 'budget', JSON.stringify(answer))
        }
        clock.advance(HOUR)
      }
      assert.equal(got, holderShare(8), JSON.stringify(daily))
    }
  })

  it('opens the same again for free within the day, and another version not', () => {
    const { cores, clock } = testHolders({ budgets, daily: { service: 4 } })
    const [core] = cores as [HolderCore]
    for (let hour = 0; hour < 20; hour++) {
      for (const row of [1, 2, 3]) assert.equal(refusedAs(open(core, row)), undefined)
      assert.equal(refusedAs(open(core, 1, 1)), 'budget')
      clock.advance(HOUR)
    }
  })

  it('hears when there is room, and there is then; the budget is named as one of a day', () => {
    const { cores, clock } = testHolders({ budgets, daily: { service: 4 } })
    const [core] = cores as [HolderCore]
    open(core, 1)
    clock.advance(5 * HOUR)
    for (const row of [2, 3]) open(core, row)
    const refusal = open(core, 4)
    assert.ok('refused' in refusal && refusal.refused === 'budget')
    assert.equal(refusal.budget, 'daily service app')
    assert.equal(refusal.retryAt - clock.now(), 19 * HOUR)
    clock.advance(19 * HOUR)
    assert.equal(refusedAs(open(core, 4)), undefined)
    assert.equal(refusedAs(open(core, 5)), 'budget')
  })

  it('has the holder killed, clears its file by many openings, and sets the clock back', test => {
    const folder = mkdtempSync(join(tmpdir(), 'vault-patience-'))
    test.after(() => rmSync(folder, { recursive: true }))
    const { options, clock } = testHolders({
      budgets: { ...budgets, service: 2_000 },
      daily: { service: 1_600 },
    })
    const [option] = options
    assert.ok(option !== undefined)
    let [got, row] = [0, 0]
    for (let life = 0; life < 6; life++) {
      const journal = HolderStore.open(join(folder, 'holder.db'))
      const core = new HolderCore({ ...option, journal })
      for (let i = 0; i < 400; i++, row++) if (refusedAs(open(core, row)) === undefined) got++
      clock.advance(3 * HOUR)
      if (life === 4) clock.step(clock.now() - 2 * HOUR)
      journal.close()
    }
    assert.equal(got, holderShare(1_600))
  })

  it('restores a backup to have the day twice: it opens nothing for a day', test => {
    const folder = mkdtempSync(join(tmpdir(), 'vault-patience-'))
    test.after(() => rmSync(folder, { recursive: true }))
    const { policy, clock } = testHolders({ budgets, daily: { all: 8 } })
    const store = HolderStore.open(join(folder, 'holder.db'))
    store.markAsCopy()
    assert.equal(store.closedUntil(clock.now(), longestWindow(policy)) - clock.now(), DAY)
    store.close()
  })

  it('is bounded in one service alone, where only that one has a budget of a day', () => {
    const rights = { seal: ['*'], open: ['*'], search: [] }
    const services = { app: { ...rights, daily: { service: 4 } }, batch: rights }
    const { cores, clock } = testHolders({ budgets, services })
    const [core] = cores as [HolderCore]
    const got = { app: 0, batch: 0 }
    for (let hour = 0; hour < 20; hour++) {
      for (const name of ['app', 'batch'] as const) {
        const answer = core.answer(name, { op: 'open', items: packed([item(hour)]) })
        if (refusedAs(answer) === undefined) got[name]++
      }
      clock.advance(HOUR)
    }
    assert.deepEqual(got, { app: 3, batch: 20 })
  })
})

describe('a guesser with patience', () => {
  const term = (core: HolderCore, text: string, purpose: 'search' | 'store' = 'search') =>
    core.answer('app', {
      ...{ op: 'term', tenant: 't1', table: 'customers', column: 'email', epoch: 0, purpose },
      digests: [createHash('sha256').update(text).digest('base64url')],
    })
  const { blinded } = ristretto255_oprf.oprf.blind(Buffer.alloc(8, 1))
  const unlock = (core: HolderCore, user: string) =>
    core.answer('app', {
      op: 'harden',
      ...{ user, epoch: 0, blinded: Buffer.from(blinded).toString('base64url') },
    })

  /** Asks a fresh question every hour for as long, of a holder that is killed every five hours. */
  const patient = (
    options: readonly HolderCoreOptions[],
    clock: { advance(by: number): void },
    ask: (core: HolderCore, hour: number) => HolderAnswer,
    hours: number,
  ): number => {
    const [option] = options
    assert.ok(option !== undefined)
    let [core, got] = [new HolderCore(option), 0]
    for (let hour = 0; hour < hours; hour++) {
      if (hour % 5 === 4) core = new HolderCore(option)
      const refused = refusedAs(ask(core, hour))
      if (refused === undefined) got++
      else assert.equal(refused, 'budget')
      clock.advance(HOUR)
    }
    return got
  }

  it('searches for guesses, a few an hour: the day has a budget, which holds over kills', () => {
    for (const [daily, most] of [
      [{}, 23],
      [{ searches: 8 }, holderShare(8)],
    ] as const) {
      const { options, clock } = testHolders({ searches: 400, daily })
      assert.equal(
        patient(options, clock, (core, hour) => term(core, `guess ${hour}`), 23),
        most,
      )
    }
  })

  it('has its guesses stored as terms: a hundred times as many, and no more', () => {
    const { options, clock } = testHolders({ searches: 400, daily: { searches: 1 } })
    const [option] = options
    assert.ok(option !== undefined)
    const core = new HolderCore(option)
    let got = 0
    for (let i = 0; i < 160; i++) {
      if (refusedAs(term(core, `guess ${i}`, 'store')) === undefined) got++
      if (i % 10 === 9) clock.advance(HOUR)
    }
    assert.equal(got, holderShare(100))
    assert.equal(refusedAs(term(core, 'guess 1', 'store')), undefined, 'the same again is free')
    assert.equal(refusedAs(term(core, 'a search', 'search')), undefined, 'counted apart')
  })

  it('guesses at one password, a few an hour; other users unlock', () => {
    const { options, clock } = testHolders({ guesses: 400, daily: { guesses: 8 } })
    assert.equal(
      patient(options, clock, core => unlock(core, 'alice'), 23),
      holderShare(8),
    )
    const [option] = options
    assert.ok(option !== undefined)
    const core = new HolderCore(option)
    assert.equal(refusedAs(unlock(core, 'bob')), undefined)
    const refusal = unlock(core, 'alice')
    assert.ok('refused' in refusal && refusal.refused === 'budget')
    assert.equal(refusal.budget, 'daily guesses')
    clock.advance(refusal.retryAt - clock.now())
    assert.equal(refusedAs(unlock(core, 'alice')), undefined)
  })

  it('keeps the budget of the hour as well, and a term is free while either counts it', () => {
    const { cores, clock } = testHolders({ searches: 4, daily: { searches: 8 } })
    const [core] = cores as [HolderCore]
    for (const text of ['a', 'b', 'c']) assert.equal(refusedAs(term(core, text)), undefined)
    const refusal = term(core, 'd')
    assert.ok('refused' in refusal && refusal.refused === 'budget')
    assert.equal(refusal.budget, 'search app')
    clock.advance(HOUR + 1)
    // Counted again in the hour, not in the day.
    for (const text of ['a', 'b', 'c']) assert.equal(refusedAs(term(core, text)), undefined)
    assert.equal(refusedAs(term(core, 'd')), 'budget')
    clock.advance(HOUR + 1)
    for (const text of ['d', 'e', 'f']) assert.equal(refusedAs(term(core, text)), undefined)
    clock.advance(HOUR + 1)
    const last = term(core, 'g')
    assert.ok('refused' in last && last.refused === 'budget')
    assert.equal(last.budget, 'daily search app')
  })
})

describe('daily in holder.json', () => {
  const whole = { id: 1, data: 'holder.db', operator: 'operator.sock' }

  it('is read, for the holder and for a service', () => {
    const services = { app: { unix: 'app.sock', daily: { service: 5 } } }
    const { policy } = parseHolderConfig({ ...whole, daily: { all: 9 }, services }, 'holder.json')
    assert.deepEqual(policy.daily, { all: 9 })
    assert.deepEqual(policy.services['app']?.daily, { service: 5 })
    const asked = parseHolderConfig({ ...whole, daily: { searches: 9, guesses: 4 } }, 'holder.json')
    assert.deepEqual(asked.policy.daily, { searches: 9, guesses: 4 })
    assert.equal(longestWindow(asked.policy), DAY)
  })

  it('is refused where it would count nothing, or not what it says', () => {
    for (const wrong of [
      { daily: { person: 0 } },
      { daily: { persons: 5 } },
      { daily: 5 },
      { daily: { guesses: 0 } },
      { services: { app: { unix: 'app.sock', daily: { searches: 5 } } } },
      { daily: { person: 5 }, window: '24h' },
      { services: { app: { unix: 'app.sock', daily: { service: 1.5 } } } },
      { services: { app: { unix: 'app.sock', daily: { service: 5 } } }, window: '2d' },
    ])
      assert.throws(
        () => parseHolderConfig({ ...whole, ...wrong }, 'holder.json'),
        (error: unknown) => error instanceof ConfigError && /daily/.test(error.message),
        JSON.stringify(wrong),
      )
  })
})
