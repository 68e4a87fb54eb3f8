import { type Clock, type Health, type RandomSource, systemClock } from '@postern/core'
import { KeyedHash } from '../hash/keyed-hash.ts'
import type { LimitStore } from '../limit/limit-store.ts'
import { type LimitName, MAX_ASKS, type Question } from '../limit/question.ts'
import type { Rule } from '../rule/rule.ts'
import type { BucketLocks } from './bucket-locks.ts'
import { BucketTable, bucketsFor, formatTable, GCRA_CODE, slotShape, tableBytes } from './bucket-table.ts'
import { openSharedTable } from './shared-table.ts'
import {
  addNarrow,
  addWide,
  countNarrow,
  countWide,
  narrowUntil,
  takeNarrow,
  takeWide,
  wideUntil,
} from './window-counters.ts'

/** How many keys a store in memory holds, or the memory that it shares. */
export interface MemoryStoreOptions {
  /** How many keys fit, 32 bytes each. Default: 131,072 (4 MiB). Ignored with `table`. */
  readonly slots?: number
  /** Memory that several worker threads share; see `sharedTable`. */
  readonly table?: SharedArrayBuffer
  /** Only its monotonic time is read. Worker threads that share a table must all leave it out. */
  readonly clock?: Clock
  readonly random?: RandomSource
}

/** Figures of a memory store, for metrics. */
export interface MemoryFigures {
  readonly bytes: number
  readonly slots: number
  /** Keys forgotten before their window had passed, because more keys were active than fit. */
  readonly liveEvictions: number
}

/** Gives the sum of two rounding errors no say: a thousandth of a thousandth of a unit. */
const ROUNDING = 1e-6

/**
 * Counts in this process's memory, or in memory shared by worker threads. Of fixed size whatever is asked of
 * it: when more keys are active than fit, those that have used the least of their limit are forgotten first,
 * so a flood of fresh keys does not free a caller who is being refused. Answers at once and allocates
 * nothing.
 */
export class MemoryStore implements LimitStore {
  readonly name = 'memory'
  readonly #table: BucketTable
  readonly #hash: KeyedHash
  readonly #locks: BucketLocks | undefined
  readonly #now: () => number
  readonly #hashes: Int32Array = new Int32Array(MAX_ASKS * 2)
  readonly #slots: Int32Array = new Int32Array(MAX_ASKS)
  #step = 0
  #stepIndex = 0
  #stepEnd = 0

  constructor(options: MemoryStoreOptions = {}) {
    const { clock } = options
    if (options.table !== undefined) {
      const open = openSharedTable(options.table)
      this.#table = open.table
      this.#locks = open.locks
      this.#now = clock === undefined ? open.now : () => clock.monotonic()
    } else {
      const buckets = bucketsFor(options.slots ?? 131_072)
      const buffer = new ArrayBuffer(tableBytes(buckets, 'unlocked'))
      formatTable(buffer, buckets, 0, options.random)
      this.#table = new BucketTable(buffer)
      this.#locks = undefined
      this.#now = clock === undefined ? systemClock.monotonic : () => clock.monotonic()
    }
    this.#hash = new KeyedHash(this.#table.key0, this.#table.key1)
  }

  decide(question: Question): undefined {
    const locks = this.#locks
    if (question.count === 1 && locks === undefined && this.#answerWindow(question)) return undefined
    for (let i = 0; i < question.count; i++)
      this.#hashKey(question.limits[i] as LimitName, question.keys[i] as string, i)
    if (locks === undefined) this.#answer(question)
    else {
      for (let i = 0; i < question.count; i++) this.#want(locks, i)
      locks.lock()
      try {
        this.#answer(question)
      } finally {
        locks.unlock()
      }
    }
    return undefined
  }

  /** Remembers the present sub-window of a length, so that most requests do without a division. */
  #enterStep(step: number, now: number): void {
    const index = Math.floor(now / step)
    this.#step = step
    this.#stepIndex = index | 0
    this.#stepEnd = (index + 1) * step
  }

  /**
   * The way most requests take, by itself because it takes half the time: one window, of eight parts. False,
   * with nothing changed, when it is another.
   */
  #answerWindow(question: Question): boolean {
    const rule = question.rules[0] as Rule
    const cost = question.costs[0] as number
    const { limit } = rule
    if (rule.parts !== 8 || cost === 0 || cost > limit) return false
    const table = this.#table
    const hashes = this.#hashes
    const { salt0, salt1 } = question.limits[0] as LimitName
    this.#hash.hash(question.keys[0] as string, salt0, salt1, hashes, 0)
    const now = this.#now()
    if (now >= this.#stepEnd || rule.step !== this.#step) this.#enterStep(rule.step, now)
    const index = this.#stepIndex
    let at = table.locate(hashes[0] as number, hashes[1] as number, rule.code)
    if (at < 0) {
      at = table.place(hashes[0] as number, hashes[1] as number, rule.code, now)
      table.words[at + 2] = index
    }
    const used = countNarrow(table, at, index) + cost
    const stepEnd = this.#stepEnd
    question.tickets[0] = index
    question.resetAfter[0] = stepEnd + 8 * rule.step - now
    if (used > limit) {
      question.refused = 0
      question.remaining[0] = Math.max(0, limit - (used - cost))
      question.retryAfter[0] = stepEnd + (narrowUntil(table, at, used - limit) - 1) * rule.step - now
      return true
    }
    addNarrow(table, at, cost)
    table.setPressure(at, (used * rule.weight) | 0)
    question.refused = -1
    question.remaining[0] = limit - used
    question.retryAfter[0] = 0
    return true
  }

  #hashKey(limit: LimitName, key: string, i: number): void {
    this.#hash.hash(key, limit.salt0, limit.salt1, this.#hashes, i * 2)
  }

  #want(locks: BucketLocks, i: number): void {
    const first = this.#table.firstBucket(this.#hashes[i * 2] as number)
    locks.want(first)
    locks.want(this.#table.otherBucket(first, this.#hashes[i * 2 + 1] as number))
  }

  #answer(question: Question): void {
    const now = this.#now()
    const table = this.#table
    const count = question.count
    question.refused = -1
    for (let i = 0; i < count; i++)
      table.fetch(this.#hashes[i * 2] as number, this.#hashes[i * 2 + 1] as number)
    for (let i = 0; i < count; i++) {
      const rule = question.rules[i] as Rule
      const hash0 = this.#hashes[i * 2] as number
      const at = table.locate(hash0, this.#hashes[i * 2 + 1] as number, slotShape(rule.code, rule.parts))
      this.#slots[i] = at
      const passes =
        rule.kind === 'gcra' ? this.#weighRate(question, i, at, now) : this.#weighWindow(question, i, at, now)
      if (!passes && question.refused < 0) question.refused = i
    }
    if (question.refused >= 0) return
    // Found slots first: placing a new key may move them.
    for (let i = 0; i < count; i++)
      if ((this.#slots[i] as number) >= 0) this.#debit(question, i, this.#slots[i] as number, now)
    for (let i = 0; i < count; i++) if ((this.#slots[i] as number) < 0) this.#open(question, i, now)
  }

  /** Fills in the answer for a window or concurrency rule, and says whether its cost fits. */
  #weighWindow(question: Question, i: number, at: number, now: number): boolean {
    const rule = question.rules[i] as Rule
    const cost = question.costs[i] as number
    const index = Math.floor(now / rule.step)
    let used = 0
    if (at >= 0)
      used =
        rule.parts === 8 ? countNarrow(this.#table, at, index | 0) : countWide(this.#table, at, index | 0)
    const left = rule.limit - used
    const passes = cost <= left || cost === 0
    question.tickets[i] = index
    question.remaining[i] = left > 0 ? left : 0
    question.resetAfter[i] = used === 0 && cost === 0 ? 0 : (index + rule.parts + 1) * rule.step - now
    question.retryAfter[i] =
      passes && left > 0 ? 0 : this.#windowOpensIn(rule, at, (cost || 1) - left, index, now)
    return passes
  }

  #windowOpensIn(rule: Rule, at: number, needed: number, index: number, now: number): number {
    if (at < 0) return rule.window
    const steps = rule.parts === 8 ? narrowUntil(this.#table, at, needed) : wideUntil(this.#table, at, needed)
    return (index + steps) * rule.step - now
  }

  #weighRate(question: Question, i: number, at: number, now: number): boolean {
    const rule = question.rules[i] as Rule
    const cost = question.costs[i] as number
    const arrival = at < 0 ? 0 : (this.#table.floats[(at >> 1) + 2] as number)
    const debt = arrival > now ? arrival - now : 0
    const left = (rule.window - debt) / rule.interval + ROUNDING
    const passes = cost <= left || cost === 0
    question.remaining[i] = left >= 1 ? Math.floor(left) : 0
    question.resetAfter[i] = passes ? debt + cost * rule.interval : debt
    question.retryAfter[i] = passes && left >= 1 ? 0 : ((cost || 1) - left + ROUNDING) * rule.interval
    return passes
  }

  #debit(question: Question, i: number, at: number, now: number): void {
    const rule = question.rules[i] as Rule
    const cost = question.costs[i] as number
    if (cost === 0) return
    const table = this.#table
    const left = (question.remaining[i] as number) - cost
    question.remaining[i] = left
    if (rule.kind === 'gcra') {
      const known = table.floats[(at >> 1) + 2] as number
      table.floats[(at >> 1) + 2] = (known > now ? known : now) + cost * rule.interval
    } else if (rule.parts === 8) addNarrow(table, at, cost)
    else addWide(table, at, cost)
    table.setPressure(at, ((rule.limit - left) * rule.weight) | 0)
  }

  #open(question: Question, i: number, now: number): void {
    if (question.costs[i] === 0) return
    const rule = question.rules[i] as Rule
    const hash0 = this.#hashes[i * 2] as number
    const hash1 = this.#hashes[i * 2 + 1] as number
    const at = this.#table.place(hash0, hash1, slotShape(rule.code, rule.parts), now)
    if (rule.code !== GCRA_CODE) this.#table.words[at + 2] = Math.floor(now / rule.step) | 0
    this.#debit(question, i, at, now)
  }

  release(limit: LimitName, key: string, rule: Rule, ticket: number, cost: number): void {
    if (this.#locks !== undefined) {
      this.#alone(limit, key, () => this.#takeBack(rule, ticket, cost))
      return
    }
    this.#hashKey(limit, key, 0)
    this.#takeBack(rule, ticket, cost)
  }

  /** Gives back what the key that was hashed last took in a sub-window, if that still counts. */
  #takeBack(rule: Rule, ticket: number, cost: number): void {
    const table = this.#table
    const at = table.locate(
      this.#hashes[0] as number,
      this.#hashes[1] as number,
      slotShape(rule.code, rule.parts),
    )
    if (at < 0) return
    const age = ((table.words[at + 2] as number) - ticket) | 0
    if (age < 0 || age > rule.parts) return
    if (rule.parts === 8) takeNarrow(table, at, age, cost)
    else takeWide(table, at, age, cost)
  }

  reset(limit: LimitName, key: string): undefined {
    this.#alone(limit, key, (table, hash0, hash1) => table.forget(hash0, hash1))
    return undefined
  }

  /** Works on one key, with its buckets locked. */
  #alone(
    limit: LimitName,
    key: string,
    work: (table: BucketTable, hash0: number, hash1: number) => void,
  ): void {
    const table = this.#table
    this.#hashKey(limit, key, 0)
    if (this.#locks !== undefined) {
      this.#want(this.#locks, 0)
      this.#locks.lock()
    }
    try {
      work(table, this.#hashes[0] as number, this.#hashes[1] as number)
    } finally {
      this.#locks?.unlock()
    }
  }

  figures(): MemoryFigures {
    const {
      words: { byteLength: bytes },
      buckets,
      liveEvictions,
    } = this.#table
    return { bytes, slots: buckets * 4, liveEvictions }
  }

  health(): Health {
    const { bytes, liveEvictions } = this.figures()
    return {
      name: 'limits',
      ok: true,
      required: false,
      detail: `memory, ${bytes} bytes, ${liveEvictions} live evictions`,
    }
  }

  async close(): Promise<void> {}
}

/** A store in memory; see `MemoryStore`. */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new MemoryStore(options)
}
