import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoreError, VirtualClock } from '@postern/core'
import { concurrency, gcra, window } from '../src/index.ts'
import { limitName, Question } from '../src/limit/question.ts'
import type { LimitBatch } from '../src/remote/limit-batch.ts'
import { RemoteStore } from '../src/remote/remote-store.ts'
import { settled } from './virtual-timers.ts'

const NAME = limitName('n')
const OTHER = limitName('other')
/** The server's time, of which an answer's first number tells in microseconds. */
const TIME = 80_000

/** A server that keeps the batches it is sent, and is answered for by the test. */
function setUp() {
  const clock = new VirtualClock()
  const batches: {
    readonly batch: LimitBatch
    readonly answer: (...numbers: number[]) => Promise<void>
    readonly fail: () => Promise<void>
  }[] = []
  const forgotten: string[] = []
  const store = new RemoteStore({
    name: 'server',
    prefix: 'p:',
    clock,
    decide: batch =>
      new Promise((resolve, reject) => {
        batches.push({
          batch,
          answer: (...numbers) => {
            resolve([TIME * 1_000, ...numbers])
            return turn()
          },
          fail: () => {
            reject(new StoreError('is gone', { store: 'server', retryable: true }))
            return turn()
          },
        })
      }),
    forget: async key => void forgotten.push(key),
    health: () => ({ name: 'limits', ok: true, required: false }),
  })
  const ask = (...asks: readonly Parameters<Question['ask']>[]) => {
    const question = new Question()
    for (const one of asks) question.ask(...one)
    return { question, pending: store.decide(question) }
  }
  const sent = (i: number) => {
    const one = batches[i]
    assert.ok(one, `batch ${i} was sent`)
    return one
  }
  return { clock, store, batches, forgotten, ask, sent }
}

/** What is sent at the end of a turn of the event loop has been sent. */
async function turn(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
  await settled()
}

describe('a store on a server', () => {
  test('fails where it is answered less than it asked: nothing read as a number lets nobody pass', async () => {
    for (const [cost, numbers] of [
      [1, []],
      [1, [Number.NaN]],
      [2, [9, undefined as never]],
      // A refusal goes on with when to retry.
      [2, [0, 0]],
    ] as const) {
      const { ask, sent } = setUp()
      const { pending } = ask([NAME, 'a', window(10, '8s'), cost])
      await settled()
      const refused = assert.rejects(Promise.resolve(pending), /answered less than it was asked/)
      await sent(0).answer(...numbers)
      await refused
    }
  })

  test('sends one unit of one limit as one number, and reads what is left or when to retry', async () => {
    const { ask, sent, batches } = setUp()
    const rule = window(10, '8s')
    const first = ask([NAME, 'a', rule, 1])
    const second = ask([NAME, 'b', rule, 1])
    const again = ask([OTHER, 'a', window(5, '4s'), 1])
    await settled()
    const { batch, answer } = sent(0)
    assert.deepEqual(batch.keys, ['p:n:a#1000', 'p:n:b#1000', 'p:other:a#500'])
    assert.deepEqual(batch.rules, [10, 1_000, 0, 5, 500, 0])
    assert.deepEqual(batch.decisions, [0, 1, 2 + 1_024])
    await answer(7, -1 - 2_500, 5)
    await Promise.all([first.pending, second.pending, again.pending])
    const told = ({ question }: { question: Question }) => [
      question.refused,
      question.remaining[0],
      question.retryAfter[0],
      question.resetAfter[0],
      question.tickets[0],
    ]
    assert.deepEqual(told(first), [-1, 7, 0, 9_000, 80])
    assert.deepEqual(told(second), [0, 0, 2_500, 9_000, 80])
    assert.deepEqual(told(again), [-1, 5, 0, 0, 160], 'nothing is counted: nothing has to come back')
    assert.equal(batches.length, 1)
  })

  test('sends anything else as four numbers an ask, and reads as many as the answer has', async () => {
    const { ask, sent } = setUp()
    const rate = gcra({ rate: 10, burst: 20 })
    const busy = concurrency(4, { lease: '8s' })
    const { question, pending } = ask([NAME, 'a', rate, 3], [OTHER, 'a', busy, 1], [NAME, 'b', rate, 0])
    const refused = ask([NAME, 'a', rate, 2], [OTHER, 'a', busy, 1])
    await settled()
    const { batch, answer } = sent(0)
    assert.deepEqual(batch.rules, [20, 0, 100, 4, 1_000, 0])
    assert.deepEqual(batch.decisions, [-3, 0, 0, 3, 3, 1, 1, 1, 1, 2, 0, 0, 0, -2, 0, 0, 2, 2, 1, 1, 1, 1])
    await answer(-1, 17, 3, 19, 40, 1, 1, 60, 0, 7_000)
    await Promise.all([pending, refused.pending])
    assert.equal(question.refused, -1)
    assert.deepEqual([...question.remaining.slice(0, 3)], [17, 3, 19])
    assert.deepEqual([...question.retryAfter.slice(0, 3)], [0, 0, 40])
    assert.deepEqual([...question.resetAfter.slice(0, 3)], [300, 9_000, 100])
    assert.deepEqual([...question.tickets.slice(0, 3)], [0, 80, 0])
    assert.equal(refused.question.refused, 1)
    assert.deepEqual([...refused.question.remaining.slice(0, 2)], [1, 0])
    assert.deepEqual([...refused.question.retryAfter.slice(0, 2)], [60, 7_000])
  })

  test('sends at most 32 decisions in a call, and the rest in the next', async () => {
    const { ask, sent, batches } = setUp()
    const rule = window(10, '8s')
    const all = Array.from({ length: 33 }, (_, i) => ask([NAME, `k${i % 2}`, rule, 1]))
    await turn()
    assert.equal(sent(0).batch.decisions.length, 32)
    assert.deepEqual(sent(0).batch.keys, ['p:n:k0#1000', 'p:n:k1#1000'], 'each key once')
    assert.equal(sent(1).batch.decisions.length, 1)
    await sent(0).answer(...Array(32).fill(1))
    await sent(1).answer(1)
    await Promise.all(all.map(({ pending }) => pending))
    assert.equal(batches.length, 2)
  })

  test('rejects what is asked when the server fails, and asks it again next time', async () => {
    const { ask, sent } = setUp()
    const failing = assert.rejects(async () => ask([NAME, 'a', window(1, '1m'), 1]).pending, StoreError)
    await settled()
    await sent(0).fail()
    await failing
    const { question, pending } = ask([NAME, 'a', window(1, '1m'), 1])
    await settled()
    await sent(1).answer(0)
    await pending
    assert.equal(question.refused, -1)
  })

  test('gives a place back that was taken for a question which no longer waits', async () => {
    const { ask, sent, store } = setUp()
    const busy = concurrency(4, { lease: '8s' })
    const late = [ask([NAME, 'a', busy, 1]), ask([NAME, 'a', busy, 2]), ask([NAME, 'b', window(9, '8s'), 2])]
    store.release(OTHER, 'x', busy, 77, 1)
    await settled()
    for (const { question } of late) question.clear()
    assert.deepEqual(sent(0).batch.decisions.slice(-5), [-99, 2, 0, 1, 77])
    await sent(0).answer(3, -1, 1, -1, 7)
    await turn()
    const { batch, answer } = sent(1)
    assert.deepEqual(batch.keys, ['p:n:a#1000'])
    assert.deepEqual(batch.decisions, [-99, 0, 0, 1, 80, -99, 0, 0, 2, 80])
    await answer()
    for (const { question } of late) assert.equal(question.refused, -1, 'the next question is left alone')
  })

  test('forgets a key by its whole name, under each rule that it was asked for or has', async () => {
    const { store, forgotten, ask } = setUp()
    ask([NAME, 'b', window(5, '4s'), 1], [NAME, 'b', gcra({ rate: 1, burst: 5 }), 1])
    await store.reset({ ...NAME, rule: window(9, '8s') }, 'a')
    assert.deepEqual(forgotten, ['p:n:a#500', 'p:n:a#0', 'p:n:a#1000'])
  })

  test('asks nothing for a question without limits', () => {
    const { ask, batches } = setUp()
    assert.equal(ask().pending, undefined)
    assert.equal(batches.length, 0)
  })
})

describe('units in hand', () => {
  const rule = window(1_000, '8s', { lease: 10 })

  /** A store that was granted ten units, of which one was spent. */
  async function withLease() {
    const all = setUp()
    const { question, pending } = all.ask([NAME, 'a', rule, 1])
    await settled()
    const { batch, answer } = all.sent(0)
    assert.deepEqual(batch.decisions, [-1, 0, 0, 1, 10])
    assert.deepEqual(batch.rules, [1_000, 1_125, 0], 'counted an eighth longer: they may be spent that late')
    await answer(-1, 990, 10)
    await pending
    assert.equal(question.remaining[0], 990)
    return all
  }

  test('are spent without asking, and no longer than an eighth of the window', async () => {
    const { ask, batches, clock, sent } = await withLease()
    for (let left = 8; left >= 1; left--) {
      const { question, pending } = ask([NAME, 'a', rule, 1])
      assert.equal(pending, undefined)
      assert.deepEqual([question.refused, question.remaining[0], question.resetAfter[0]], [-1, left, 8_000])
      assert.deepEqual([question.retryAfter[0], question.tickets[0]], [0, 0])
    }
    assert.ok(ask([NAME, 'b', rule, 1]).pending, 'another key has none')
    await settled()
    await sent(1).answer(-1, 990, 10)
    clock.advance(999)
    assert.equal(ask([NAME, 'a', rule, 1]).pending, undefined)
    clock.advance(1)
    assert.ok(ask([NAME, 'a', rule, 1]).pending, 'spent or not, they are over')
    assert.ok(ask([NAME, 'b', rule, 1]).pending)
    await turn()
    assert.equal(batches.length, 3)
  })

  test('do not pay for what costs more than they are', async () => {
    const { ask, sent } = await withLease()
    const { pending, question } = ask([NAME, 'a', rule, 12])
    assert.ok(pending)
    await settled()
    assert.deepEqual(sent(1).batch.decisions, [-1, 0, 0, 12, 12])
    await sent(1).answer(-1, 978)
    await pending
    assert.equal(question.remaining[0], 978)
    assert.equal(ask([NAME, 'a', rule, 9]).pending, undefined, 'and stay as they were')
  })

  test('pay their part of a question over several limits, and come back when another refuses', async () => {
    const { ask, sent } = await withLease()
    const other = window(1, '8s')
    const both = ask([NAME, 'a', rule, 4], [OTHER, 'x', other, 1])
    await settled()
    assert.deepEqual(sent(1).batch.decisions, [-2, 0, 0, 0, 0, 1, 1, 1, 1])
    assert.ok(ask([NAME, 'a', rule, 6]).pending, 'four of nine are spent meanwhile')
    await sent(1).answer(1, 986, 0, 0, 5_000)
    await both.pending
    assert.equal(both.question.refused, 1)
    assert.equal(ask([NAME, 'a', rule, 9]).pending, undefined)
  })

  test('are spent for good when all limits agree', async () => {
    const { ask, sent } = await withLease()
    const both = ask([NAME, 'a', rule, 4], [OTHER, 'x', window(9, '8s'), 1])
    await settled()
    await sent(1).answer(-1, 986, 0, 8)
    await both.pending
    assert.equal(both.question.refused, -1)
    assert.ok(ask([NAME, 'a', rule, 6]).pending)
    assert.equal(ask([NAME, 'a', rule, 5]).pending, undefined)
  })

  test('are forgotten with their key', async () => {
    const { ask, store } = await withLease()
    await store.reset(NAME, 'a')
    assert.ok(ask([NAME, 'a', rule, 1]).pending)
  })
})
