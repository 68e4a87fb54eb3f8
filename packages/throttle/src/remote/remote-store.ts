import { createHash } from 'node:crypto'
import { type Clock, type Health, systemClock } from '@postern/core'
import type { LimitStore } from '../limit/limit-store.ts'
import { type LimitName, MAX_ASKS, type Question } from '../limit/question.ts'
import type { Rule } from '../rule/rule.ts'
import { LimitBatch, shapeOf } from './limit-batch.ts'
import { UnitLeases } from './unit-leases.ts'

/** A server that answers batches of decisions: what Redis and PostgreSQL have to bring. */
export interface LimitServer {
  readonly name: string
  /** Written before every key. */
  readonly prefix: string
  /** How long units in hand may be spent is measured on its monotonic time; the system's unless given. */
  readonly clock?: Clock | undefined
  /** The numbers a batch expects. @throws StoreError (rejects) when the server does not give them */
  decide(batch: LimitBatch): Promise<readonly number[]>
  /** Forgets a key. @throws StoreError (rejects) when the server cannot */
  forget(key: string): Promise<void>
  health(): Health
}

/** Most rules of one limit that `reset` remembers. */
const MOST_SHAPES = 64

/**
 * A key in characters that servers keep as they are: PostgreSQL takes no NUL, and half of a surrogate pair
 * reads the same as any other half. Two keys of one call that read alike there would fail all of it.
 */
function storable(key: string): string {
  if (key.isWellFormed() && !key.includes('\0')) return key
  return `utf16-${createHash('sha256').update(Buffer.from(key, 'utf16le')).digest('base64url')}`
}

/**
 * Counts on a server, for many processes: exact over all of them. What is asked while the server is at work
 * goes in one call with what is asked beside it.
 */
export class RemoteStore implements LimitStore {
  readonly name: string
  readonly #server: LimitServer
  readonly #clock: Clock
  readonly #leases = new UnitLeases()
  /** Of each limit by its name, for `reset`: names are those of the configuration. */
  readonly #shapes = new Map<string, Set<number>>()
  readonly #keys: string[] = []
  readonly #costs: Float64Array = new Float64Array(MAX_ASKS)
  readonly #wants: Float64Array = new Float64Array(MAX_ASKS)
  #batch: LimitBatch | undefined
  /** Calls that were not answered yet. */
  #calls = 0

  constructor(server: LimitServer) {
    this.name = server.name
    this.#server = server
    this.#clock = server.clock ?? systemClock
  }

  decide(question: Question): undefined | Promise<void> {
    if (question.count === 0) return undefined
    const leased = this.#prepare(question)
    if (leased === question.count) return this.#spendLeases(question)
    const batch = this.#open()
    batch.ask(question, this.#keys, this.#costs, this.#wants)
    const { answered } = batch
    if (batch.isFull) this.#flush(batch)
    return leased === 0 ? answered : this.#withLeases(question, answered)
  }

  /** Names the keys and what is to be taken for each, and counts the asks that units in hand can pay. */
  #prepare(question: Question): number {
    let leased = 0
    let now = 0
    for (let i = 0; i < question.count; i++) {
      const rule = question.rules[i] as Rule
      const cost = question.costs[i] as number
      const key = this.#keyOf(question.limits[i] as LimitName, question.keys[i] as string, rule)
      this.#keys[i] = key
      this.#costs[i] = cost
      this.#wants[i] = cost
      if (rule.lease === 0 || cost === 0) continue
      if (now === 0) now = this.#clock.monotonic()
      if (this.#leases.left(key, now) >= cost) {
        this.#costs[i] = 0
        this.#wants[i] = 0
        leased++
      } else this.#wants[i] = Math.max(cost, rule.lease)
    }
    return leased
  }

  #spendLeases(question: Question): undefined {
    question.refused = -1
    const now = this.#clock.monotonic()
    for (let i = 0; i < question.count; i++) {
      const key = this.#keys[i] as string
      this.#leases.spend(key, question.costs[i] as number)
      question.remaining[i] = this.#leases.left(key, now)
      question.resetAfter[i] = (question.rules[i] as Rule).window
      question.retryAfter[i] = 0
      question.tickets[i] = 0
    }
    return undefined
  }

  /** Spends units in hand for some asks while the store decides the others; a refusal gives them back. */
  async #withLeases(question: Question, answered: Promise<void>): Promise<void> {
    const spent: [string, number][] = []
    for (let i = 0; i < question.count; i++) {
      const cost = question.costs[i] as number
      if (cost === 0 || this.#costs[i] !== 0) continue
      const key = this.#keys[i] as string
      this.#leases.spend(key, cost)
      spent.push([key, cost])
    }
    const { turn } = question
    await answered
    if (question.turn === turn && question.refused >= 0)
      for (const [key, cost] of spent) this.#leases.spend(key, -cost)
  }

  release(limit: LimitName, key: string, rule: Rule, ticket: number, cost: number): void {
    this.#open().release(this.#keyOf(limit, key, rule), rule, ticket, cost)
  }

  /** Forgets a key under every rule that the limit has, or that was asked of it in this process. */
  async reset(limit: LimitName & { readonly rule?: Rule | undefined }, key: string): Promise<void> {
    const shapes = new Set(this.#shapes.get(limit.name))
    if (limit.rule !== undefined) shapes.add(shapeOf(limit.rule))
    const named = [...shapes].map(shape => this.#named(limit, key, shape))
    for (const name of named) this.#leases.forget(name)
    await Promise.all(named.map(name => this.#server.forget(name)))
  }

  /**
   * The name of a key at the server. Limits of one name may have several rules: by route, by plan, by method.
   * Windows of other lengths count apart, as they do in memory: in one place each would begin again with
   * every request that falls under the other.
   */
  #keyOf(limit: LimitName, key: string, rule: Rule): string {
    const shape = shapeOf(rule)
    const known = this.#shapes.get(limit.name)
    if (known === undefined) this.#shapes.set(limit.name, new Set([shape]))
    else if (!known.has(shape) && known.size < MOST_SHAPES) known.add(shape)
    return this.#named(limit, key, shape)
  }

  #named({ name }: LimitName, key: string, shape: number): string {
    return `${this.#server.prefix}${name}:${storable(key)}#${shape}`
  }

  /**
   * The batch that is being put together. While calls are under way it is sent when everything that arrived
   * with it has been read; when the server has nothing to do, a turn of the event loop spent waiting would
   * only make the answer late.
   */
  #open(): LimitBatch {
    if (this.#batch === undefined) {
      const batch = new LimitBatch()
      this.#batch = batch
      // A batch of releases alone has nobody who waits for it.
      batch.answered.catch(() => {})
      if (this.#calls === 0) queueMicrotask(() => this.#flush(batch))
      else setImmediate(() => this.#flush(batch))
    }
    return this.#batch
  }

  #flush(batch: LimitBatch): void {
    if (this.#batch !== batch) return
    this.#batch = undefined
    // Leases count from before the call is made: the server debits them later than that.
    const sentAt = this.#clock.monotonic()
    this.#calls++
    this.#server.decide(batch).then(
      reply => {
        this.#calls--
        batch.answer(reply, {
          granted: (key, rule, units) => this.#leases.add(key, units, sentAt + rule.window / 8),
          late: (key, rule, ticket, cost) => this.#open().release(key, rule, ticket, cost),
        })
      },
      error => {
        this.#calls--
        batch.fail(error)
      },
    )
  }

  health(): Health {
    return this.#server.health()
  }

  /** The connection is the caller's to close. */
  async close(): Promise<void> {}
}
