import { StoreError } from '@postern/core'
import type { Question } from '../limit/question.ts'
import type { Rule } from '../rule/rule.ts'

/** Sub-windows of a window in stores beyond this process, where nine counts of any size have room. */
const PARTS = 8
/**
 * Most keys and decisions of one call: further calls follow at once, so that client and server work at the
 * same time.
 */
const MOST = 32
/** Numbers per ask. */
const ASK_NUMBERS = 4
const KEYS_PER_RULE = 1_024
const RELEASE = -99

interface Asked {
  readonly question: Question
  readonly turn: number
  /** Where its numbers begin in `decisions`. */
  readonly at: number
}

/** What to do with parts of an answer that the question itself has no place for. */
export interface BatchListener {
  /** Units granted beyond the cost. */
  granted(key: string, rule: Rule, units: number): void
  /** A place was taken in a concurrency limit for a question that no longer waits. */
  late(key: string, rule: Rule, ticket: number, cost: number): void
}

/**
 * The decisions of one tick, as one call to a store: each key once, each rule once (limit, sub-window,
 * interval), and numbers.
 *
 * | what is asked | in | out |
 * |---|---|---|
 * | one unit of one limit | key + 1024 x rule | units left, or -1 less the milliseconds until it may pass |
 * | anything else | less the count of asks; for each four numbers | refused ask or -1; numbers of each ask |
 * | a place given back | -99, key, rule, cost, sub-window it was counted in | nothing |
 *
 * The first number of the answer is the store's time in microseconds.
 *
 * The four numbers of an ask: key, rule, cost, units wanted (more than the cost for a lease). Its answer: the
 * units left; then, when the decision was refused or the ask only looked, the milliseconds until it may pass,
 * else, when more than the cost were wanted, the units granted.
 */
export class LimitBatch {
  readonly keys: string[] = []
  readonly rules: number[] = []
  readonly decisions: number[] = []
  readonly #keyIndex = new Map<string, number>()
  readonly #ruleIndex = new Map<Rule, number>()
  readonly #ruleList: Rule[] = []
  readonly #asked: Asked[] = []
  /** Numbers that an answer has at least: a shorter one would read as nothing, and let everything pass. */
  #leastAnswer = 1
  /** Settles when the batch was answered: one promise for all of its decisions. */
  readonly answered: Promise<void>
  readonly #resolve: () => void
  readonly #reject: (error: unknown) => void

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.answered = promise
    this.#resolve = resolve
    this.#reject = reject
  }

  get isFull(): boolean {
    return this.keys.length >= MOST || this.#asked.length >= MOST
  }

  /**
   * Adds a question.
   * @param keys as the store names them, per ask
   * @param costs what is to be taken in the store, per ask
   * @param wants what is to be taken if there is as much, per ask; at least the cost
   */
  ask(question: Question, keys: readonly string[], costs: Float64Array, wants: Float64Array): void {
    const { count } = question
    this.#asked.push({ question, turn: question.turn, at: this.decisions.length })
    const rule = this.#ruleNumber(question.rules[0] as Rule)
    if (count === 1 && costs[0] === 1 && wants[0] === 1) {
      this.#leastAnswer++
      this.decisions.push(this.#keyNumber(keys[0] as string) + rule * KEYS_PER_RULE)
      return
    }
    this.#leastAnswer += 1 + count
    this.decisions.push(-count)
    for (let i = 0; i < count; i++) {
      const number = this.#ruleNumber(question.rules[i] as Rule)
      this.decisions.push(this.#keyNumber(keys[i] as string), number, costs[i] as number, wants[i] as number)
    }
  }

  /** Adds a place to give back. */
  release(key: string, rule: Rule, ticket: number, cost: number): void {
    this.decisions.push(RELEASE, this.#keyNumber(key), this.#ruleNumber(rule), cost, ticket)
  }

  #keyNumber(key: string): number {
    const known = this.#keyIndex.get(key)
    if (known !== undefined) return known
    this.#keyIndex.set(key, this.keys.length)
    return this.keys.push(key) - 1
  }

  #ruleNumber(rule: Rule): number {
    const known = this.#ruleIndex.get(rule)
    if (known !== undefined) return known
    this.rules.push(rule.limit, shapeOf(rule), rule.interval)
    this.#ruleIndex.set(rule, this.#ruleList.length)
    return this.#ruleList.push(rule) - 1
  }

  /** Writes the store's answer into the questions that still wait for it, and settles. */
  answer(reply: readonly number[], listener: BatchListener): void {
    if (reply.length < this.#leastAnswer || !reply.every(Number.isFinite)) {
      this.fail(tooShort())
      return
    }
    const now = (reply[0] ?? 0) / 1_000
    let from = 1
    for (const asked of this.#asked) {
      const first = this.decisions[asked.at] as number
      if (first < 0) from = this.#answerMany(asked, -first, reply, from, now, listener)
      else {
        this.#answerOne(asked, first, reply[from] as number, now, listener)
        from++
      }
    }
    // What a refusal or a lease adds is known once it was read.
    if (from > reply.length) this.fail(tooShort())
    else this.#resolve()
  }

  #answerOne(asked: Asked, number: number, said: number, now: number, listener: BatchListener): void {
    const { question, turn } = asked
    const rule = this.#ruleList[Math.floor(number / KEYS_PER_RULE)] as Rule
    if (question.turn === turn) {
      question.refused = said < 0 ? 0 : -1
      this.#write(question, 0, rule, said < 0 ? 0 : said, said < 0 ? -1 - said : 0, now)
    } else if (said >= 0 && rule.kind === 'concurrency') {
      listener.late(this.keys[number % KEYS_PER_RULE] as string, rule, subWindow(rule, now), 1)
    }
  }

  #answerMany(
    asked: Asked,
    count: number,
    reply: readonly number[],
    start: number,
    now: number,
    listener: BatchListener,
  ): number {
    const { question, turn, at } = asked
    const waits = question.turn === turn
    const refused = reply[start] as number
    let from = start + 1
    if (waits) question.refused = refused
    for (let i = 0; i < count; i++) {
      const numbers = at + 1 + i * ASK_NUMBERS
      const key = this.keys[this.decisions[numbers] as number] as string
      const rule = this.#ruleList[this.decisions[numbers + 1] as number] as Rule
      const cost = this.decisions[numbers + 2] as number
      const remaining = reply[from++] as number
      const looked = refused >= 0 || cost === 0
      const retryAfter = looked ? (reply[from++] as number) : 0
      if (waits) this.#write(question, i, rule, remaining, retryAfter, now)
      if (looked) continue
      if ((this.decisions[numbers + 3] as number) > cost) {
        const granted = reply[from++] as number
        if (waits) listener.granted(key, rule, granted - cost)
      }
      if (!waits && rule.kind === 'concurrency') listener.late(key, rule, subWindow(rule, now), cost)
    }
    return from
  }

  #write(
    question: Question,
    i: number,
    rule: Rule,
    remaining: number,
    retryAfter: number,
    now: number,
  ): void {
    question.remaining[i] = remaining
    question.retryAfter[i] = retryAfter
    if (rule.kind === 'gcra') {
      question.tickets[i] = 0
      question.resetAfter[i] = (rule.limit - remaining) * rule.interval
    } else {
      const index = subWindow(rule, now)
      question.tickets[i] = index
      question.resetAfter[i] = remaining >= rule.limit ? 0 : (index + PARTS + 1) * stepOf(rule) - now
    }
  }

  /** Settles without an answer. */
  fail(error: unknown): void {
    this.#reject(error)
  }
}

function tooShort(): StoreError {
  return new StoreError('the store of the limits answered less than it was asked', {
    store: 'limits',
    retryable: true,
  })
}

/**
 * Milliseconds of a sub-window. Leased units are spent up to an eighth of the window after their debit, so
 * they are counted that much longer.
 */
function stepOf(rule: Rule): number {
  return (rule.lease > 0 ? (rule.window * 9) / 8 : rule.window) / PARTS
}

/** What tells the counts of one rule from those of another: milliseconds of a sub-window, 0 for a rate. */
export function shapeOf(rule: Rule): number {
  return rule.kind === 'gcra' ? 0 : stepOf(rule)
}

function subWindow(rule: Rule, now: number): number {
  return Math.floor(now / stepOf(rule))
}
