import assert from 'node:assert/strict'
import { VirtualClock } from '@postern/core'
import fc from 'fast-check'
import type { LimitStore } from '../src/limit/limit-store.ts'
import { limitName, Question } from '../src/limit/question.ts'
import { concurrency, gcra, type Rule, window } from '../src/rule/rule.ts'

/** One try: how long after the last, milliseconds, and what it costs. */
interface Arrival {
  readonly after: number
  readonly cost: number
  /** Which process it comes to. */
  readonly process: number
}

const SPAN = 8_000

/** Rests, trickles and bursts, with weight on the edges of sub-windows. */
const arrivals: fc.Arbitrary<Arrival[]> = fc.array(
  fc.record({
    after: fc.oneof(
      { weight: 6, arbitrary: fc.constant(0) },
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 300 }) },
      { weight: 2, arbitrary: fc.constantFrom(999, 1_000, 1_001, 7_000, 7_999, 8_000, 8_001, 9_000) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
    ),
    cost: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, fc.integer({ min: 0, max: 7 })),
    process: fc.nat(2),
  }),
  { minLength: 1, maxLength: 120, size: 'max' },
)

/** The rules, all of them promising at most `limit` units in any 8 seconds. */
const rules: fc.Arbitrary<{ rule: Rule; limit: number }> = fc
  .record({
    limit: fc.integer({ min: 2, max: 40 }),
    which: fc.constantFrom('window', 'leased', 'gcra', 'concurrency'),
  })
  .map(({ limit, which }) => {
    if (which === 'leased') return { rule: window(limit, SPAN, { lease: Math.ceil(limit / 3) }), limit }
    if (which === 'gcra') return { rule: gcra({ limit, window: SPAN, burst: Math.ceil(limit / 2) }), limit }
    if (which === 'concurrency') return { rule: concurrency(limit, { lease: SPAN }), limit }
    return { rule: window(limit, SPAN), limit }
  })

/**
 * Checks the promise on a store whose time the given clock is: whatever arrives whenever, no 8 seconds hold
 * more units than the limit, and a refused request was indeed one too many for the oldest counts' sake (it
 * passes after `retryAfter`).
 * @param processes how many stores share their counts
 */
export async function holdsInAnyWindow(
  makeStore: (clock: VirtualClock) => LimitStore,
  runs: number,
  processes = 1,
): Promise<void> {
  let number = 0
  await fc.assert(
    fc.asyncProperty(rules, arrivals, async ({ rule, limit }, tries) => {
      const clock = new VirtualClock()
      const stores = Array.from({ length: processes }, () => makeStore(clock))
      const storeOf = (number: number): LimitStore => stores[number % processes] as LimitStore
      const name = limitName('any')
      const key = `key-${number++}`
      const question = new Question()
      const admitted: { at: number; cost: number }[] = []
      for (const { after, cost, process } of tries) {
        clock.advance(after)
        question.clear().ask(name, key, rule, cost)
        await storeOf(process).decide(question)
        if (question.refused < 0) admitted.push({ at: clock.now(), cost })
        else assert.ok((question.retryAfter[0] as number) > 0)
      }
      for (const [index, { at }] of admitted.entries()) {
        let units = 0
        for (let i = index; i < admitted.length; i++) {
          const other = admitted[i]
          if (other !== undefined && other.at - at < SPAN) units += other.cost
        }
        assert.ok(units <= limit, `${units} of ${limit} within ${SPAN} ms`)
      }
      const wait = question.retryAfter[0] as number
      const last = tries.at(-1)
      if (question.refused >= 0 && last !== undefined && last.cost <= rule.limit) {
        clock.advance(Math.ceil(wait) + 1)
        question.clear().ask(name, key, rule, last.cost)
        await storeOf(last.process).decide(question)
        assert.equal(question.refused, -1, 'passes after the time of its Retry-After')
      }
    }),
    { numRuns: runs },
  )
}

/** Checks that a question over several limits takes from all or from none. */
export async function takesAllOrNothing(makeStore: (clock: VirtualClock) => LimitStore): Promise<void> {
  const clock = new VirtualClock()
  const store = makeStore(clock)
  const [a, b, c] = [limitName('a'), limitName('b'), limitName('c')]
  const question = new Question()
  const asks = (): Question => {
    question.clear()
    question.ask(a, 'k', window(10, '1m'), 2)
    question.ask(b, 'k', gcra({ rate: 1, burst: 3 }), 1)
    question.ask(c, 'k', concurrency(100), 1)
    return question
  }
  for (let i = 0; i < 3; i++) {
    await store.decide(asks())
    assert.equal(question.refused, -1)
  }
  await store.decide(asks())
  assert.equal(question.refused, 1)
  assert.deepEqual([...question.remaining.slice(0, 3)], [4, 0, 97])
  store.release(c, 'k', concurrency(100), question.tickets[2] as number, 3)
  await store.decide(asks())
  assert.deepEqual([...question.remaining.slice(0, 3)], [4, 0, 100])
  await store.reset(b, 'k')
  await store.decide(asks())
  assert.equal(question.refused, -1)
  assert.deepEqual([...question.remaining.slice(0, 3)], [2, 2, 99])
}
