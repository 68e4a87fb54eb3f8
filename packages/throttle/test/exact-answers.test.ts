import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import fc from 'fast-check'
import { concurrency, gcra, memoryStore, sharedTable, window } from '../src/index.ts'
import type { LimitStore } from '../src/limit/limit-store.ts'
import { limitName, Question } from '../src/limit/question.ts'
import { type Ask, PlainLimits } from './plain-limits.ts'

const NAME = limitName('exact')
/** Lengths that sub-windows hold exactly, so that all arithmetic is in whole milliseconds. */
const RULES = [
  window(5, '8s'),
  window(40, '1s'),
  window(70_000, '4s'),
  gcra({ rate: 4, burst: 6 }),
  concurrency(3, { lease: '16s' }),
] as const
const KEYS = ['a', 'b', 'a longer key of somebody', '\u4e00\u4e01'] as const

type Step =
  | {
      readonly do: 'ask'
      readonly after: number
      readonly asks: readonly (readonly [number, number, number])[]
    }
  | { readonly do: 'release'; readonly after: number; readonly which: number }
  | { readonly do: 'reset'; readonly after: number; readonly key: number }

const after = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 1_100 }) },
  { weight: 2, arbitrary: fc.constantFrom(125, 999, 1_000, 1_001, 2_000, 7_999, 8_000, 9_000) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 40_000 }) },
)
const cost = fc.oneof(
  { weight: 6, arbitrary: fc.constant(1) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 7 }) },
  { weight: 1, arbitrary: fc.constant(0) },
)
const ask = fc.tuple(fc.nat(RULES.length - 1), fc.nat(KEYS.length - 1), cost)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        do: fc.constant('ask' as const),
        after,
        asks: fc.array(ask, { minLength: 1, maxLength: 1 }),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('ask' as const),
        after,
        asks: fc.uniqueArray(ask, { minLength: 2, maxLength: 4, selector: ([rule, key]) => rule * 10 + key }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), after, which: fc.nat(9) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('reset' as const), after, key: fc.nat(KEYS.length - 1) }),
    },
  ),
  { minLength: 5, maxLength: 80, size: 'max' },
)

/** A store and plain arithmetic that are asked the same. */
class Compared {
  readonly #clock = new VirtualClock()
  readonly #plain = new PlainLimits()
  readonly #question = new Question()
  readonly #places: { readonly ask: Ask; readonly ticket: number }[] = []
  readonly #store: LimitStore

  constructor(makeStore: (clock: VirtualClock) => LimitStore) {
    this.#store = makeStore(this.#clock)
  }

  take(step: Step): void {
    this.#clock.advance(step.after)
    if (step.do === 'ask') this.#ask(step.asks)
    else if (step.do === 'release') this.#release(step.which)
    else {
      const key = KEYS[step.key] as string
      this.#store.reset(NAME, key)
      this.#plain.reset(key)
    }
  }

  #release(which: number): void {
    const [place] = this.#places.splice(which, 1)
    if (place === undefined) return
    const { ask: taken, ticket } = place
    this.#store.release(NAME, taken.key, taken.rule, ticket, taken.cost)
    this.#plain.release(taken, ticket, this.#clock.monotonic())
  }

  #ask(list: readonly (readonly [number, number, number])[]): void {
    const question = this.#question.clear()
    const asks = list.map(([rule, key, units]) => ({
      rule: RULES[rule] as (typeof RULES)[number],
      key: KEYS[key] as string,
      // The wide window is only of interest where it is nearly full.
      cost: rule === 2 ? units * 10_007 : units,
    }))
    for (const one of asks) question.ask(NAME, one.key, one.rule, one.cost)
    this.#store.decide(question)
    const { refused, told } = this.#plain.decide(asks, this.#clock.monotonic())
    assert.equal(question.refused, refused)
    for (const [i, wanted] of told.entries()) {
      const { rule, cost: units } = asks[i] as Ask
      assert.equal(question.remaining[i], wanted.remaining)
      assertNear(question.resetAfter[i], wanted.resetAfter, 'resetAfter')
      // What costs more than the limit passes at no time.
      if (units <= rule.limit) assertNear(question.retryAfter[i], wanted.retryAfter, 'retryAfter')
      if (rule.kind === 'gcra') continue
      assert.equal(question.tickets[i], wanted.ticket)
      if (refused < 0 && rule.kind === 'concurrency')
        this.#places.push({ ask: asks[i] as Ask, ticket: wanted.ticket })
    }
  }
}

function assertNear(found: number | undefined, wanted: number, name: string): void {
  assert.ok(Math.abs((found ?? Number.NaN) - wanted) < 0.01, `${name} ${found}, not ${wanted}`)
}

function answersExactly(makeStore: (clock: VirtualClock) => LimitStore, runs: number): void {
  const property = fc.property(steps, list => {
    const compared = new Compared(makeStore)
    for (const step of list) compared.take(step)
  })
  fc.assert(property, { numRuns: runs })
}

describe('what a store in memory answers', () => {
  test('is exactly what counting by hand gives: what is left, when all of it is back, when to retry', () => {
    answersExactly(clock => memoryStore({ clock, slots: 1_024 }), 300)
  })

  test('is the same in a table that threads share', () => {
    answersExactly(clock => memoryStore({ clock, table: sharedTable({ slots: 1_024 }) }), 100)
  })
})
