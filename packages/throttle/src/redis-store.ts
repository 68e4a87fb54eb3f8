import { createHash } from 'node:crypto'
import { type Clock, type Health, StoreError, systemClock } from '@postern/core'
import { type RedisConnection, redisError, redisHealth, redisName } from '@postern/store'
import { LimitBatch } from './limit-batch.ts'
import type { LimitStore } from './limit-store.ts'
import { type LimitName, MAX_ASKS, type Question } from './question.ts'
import { LIMIT_SCRIPT } from './redis-script.lua.ts'
import type { Rule } from './rule.ts'
import { UnitLeases } from './unit-leases.ts'

export interface RedisStoreOptions {
  /** From `connectRedis` of `@postern/store`: one server or a cluster, Redis 7 or Valkey. The caller closes it. */
  readonly redis: RedisConnection
  /**
   * Written before every key, in the braces of a hash tag: all keys of one prefix live on one node of a cluster, which is what makes
   * several limits one decision there. Give different parts of an application different prefixes to spread them. `postern` unless told otherwise.
   */
  readonly prefix?: string
  /** For tests: whose wall time to send along. The server's own clock counts unless given, so that clients' clocks do not matter. */
  readonly clock?: Clock
}

const SCRIPT_HASH = createHash('sha1').update(LIMIT_SCRIPT).digest('hex')

/**
 * Counts in Redis or Valkey, for many processes: exact over all of them. All decisions of one turn of the event loop go in one
 * call of one script.
 */
export class RedisStore implements LimitStore {
  readonly name = 'redis'
  readonly #redis: RedisConnection
  readonly #prefix: string
  readonly #clock: Clock | undefined
  readonly #leases = new UnitLeases()
  readonly #keys: string[] = []
  readonly #costs: Float64Array = new Float64Array(MAX_ASKS)
  readonly #wants: Float64Array = new Float64Array(MAX_ASKS)
  #batch: LimitBatch | undefined

  constructor(options: RedisStoreOptions) {
    this.#redis = options.redis
    this.#prefix = `{${options.prefix ?? 'postern'}}:limit:`
    this.#clock = options.clock
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
      const key = this.#keyOf(question.limits[i] as LimitName, question.keys[i] as string)
      this.#keys[i] = key
      this.#costs[i] = cost
      this.#wants[i] = cost
      if (rule.lease === 0 || cost === 0) continue
      if (now === 0) now = systemClock.monotonic()
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
    const now = systemClock.monotonic()
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
    this.#open().release(this.#keyOf(limit, key), rule, ticket, cost)
  }

  async reset(limit: LimitName, key: string): Promise<void> {
    const named = this.#keyOf(limit, key)
    this.#leases.forget(named)
    try {
      await this.#redis.del(named)
    } catch (error) {
      throw redisError(error, redisName(this.#redis))
    }
  }

  #keyOf(limit: LimitName, key: string): string {
    return `${this.#prefix}${limit.name}:${key}`
  }

  /** The batch of this turn of the event loop; it is sent when everything that arrived with it has been read. */
  #open(): LimitBatch {
    if (this.#batch === undefined) {
      const batch = new LimitBatch()
      this.#batch = batch
      // A batch of releases alone has nobody who waits for it.
      batch.answered.catch(() => {})
      setImmediate(() => this.#flush(batch))
    }
    return this.#batch
  }

  #flush(batch: LimitBatch): void {
    if (this.#batch !== batch) return
    this.#batch = undefined
    // Leases count from before the call is made: the server debits them later than that.
    const sentAt = systemClock.monotonic()
    this.#call(batch).then(
      reply =>
        batch.answer(reply, {
          granted: (key, rule, units) => this.#leases.add(key, units, sentAt + rule.window / 8),
          late: (key, rule, ticket, cost) => this.#open().release(key, rule, ticket, cost),
        }),
      error => batch.fail(redisError(error, redisName(this.#redis))),
    )
  }

  async #call(batch: LimitBatch): Promise<readonly number[]> {
    const time = this.#clock === undefined ? -1 : this.#clock.now()
    const payload = JSON.stringify([time, batch.rules.length / 3, ...batch.rules, ...batch.decisions])
    const { keys } = batch
    let reply: unknown
    try {
      reply = await this.#redis.evalsha(SCRIPT_HASH, keys.length, ...keys, payload)
    } catch (error) {
      // A server that was restarted, or never saw the script, gets its text.
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      reply = await this.#redis.eval(LIMIT_SCRIPT, keys.length, ...keys, payload)
    }
    if (Array.isArray(reply)) return reply as readonly number[]
    throw new StoreError('gave an answer that is none', { store: redisName(this.#redis), retryable: false })
  }

  health(): Health {
    return { ...redisHealth(this.#redis, { required: false }).health(), name: 'limits' }
  }

  async close(): Promise<void> {}
}

/** A store in Redis or Valkey; see `RedisStore`. */
export function redisStore(options: RedisStoreOptions): RedisStore {
  return new RedisStore(options)
}
