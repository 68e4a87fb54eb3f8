import { ConfigError } from '@postern/core'
import { halfSipHash } from '../hash/half-sip-hash.ts'
import type { Rule } from '../rule/rule.ts'

/** Most limits that one request may fall under. */
export const MAX_ASKS = 16

/** A limit's name, with a hash of it that stores mix into the keys they are asked about. */
export interface LimitName {
  readonly name: string
  readonly salt0: number
  readonly salt1: number
}

/** A limit's name, hashed once. */
export function limitName(name: string): LimitName {
  const out = new Int32Array(2)
  halfSipHash(name, 0, 0, out, 0)
  return { name, salt0: out[0] ?? 0, salt1: out[1] ?? 0 }
}

/**
 * One request's question to a store, "may all of these be debited?", and the store's answer. Written field by
 * field and used again, so that asking allocates nothing. A store that answers later notes `turn`, copies
 * what it was asked, and writes its answer only while the turn is the same.
 */
export class Question {
  count = 0
  readonly limits: LimitName[] = []
  readonly keys: string[] = []
  readonly rules: Rule[] = []
  readonly costs: number[] = []

  /** The answer: which ask was refused first, or -1 when all were debited. */
  refused = -1
  /** Units left, per ask. */
  readonly remaining: Float64Array = new Float64Array(MAX_ASKS)
  /** Milliseconds until everything is available again, per ask. */
  readonly resetAfter: Float64Array = new Float64Array(MAX_ASKS)
  /** Milliseconds until the same cost may pass, per ask; 0 when it would pass now. */
  readonly retryAfter: Float64Array = new Float64Array(MAX_ASKS)
  /** What to give back to release a place of a concurrency limit, per ask: the store's own word. */
  readonly tickets: Float64Array = new Float64Array(MAX_ASKS)
  /** Whether a failure policy answered instead of the store. */
  degraded = false
  /** Counts the uses of this object: a store that answers late must not write into the next one. */
  turn = 0

  /** Forgets everything asked and answered. */
  clear(): this {
    this.turn++
    this.count = 0
    this.refused = -1
    this.degraded = false
    return this
  }

  /**
   * Adds an ask. A cost of 0 looks without taking. One above the limit never passes, whatever it is: it is
   * asked as one unit above, which every store can count.
   * @throws ConfigError for the 17th ask, or a cost that is not a number from 0
   */
  ask(limit: LimitName, key: string, rule: Rule, cost: number): void {
    const at = this.count
    if (at >= MAX_ASKS || !(cost >= 0)) throw unaskable(limit.name, cost)
    this.limits[at] = limit
    this.keys[at] = key
    this.rules[at] = rule
    this.costs[at] = Math.min(Math.ceil(cost), rule.limit + 1)
    this.count = at + 1
  }
}

function unaskable(name: string, cost: number): ConfigError {
  return cost >= 0
    ? new ConfigError({
        place: `limits.${name}`,
        problem: `one request falls under more than ${MAX_ASKS} limits`,
      })
    : new ConfigError({
        place: `limits.${name}.cost`,
        problem: 'the cost of a request is not a number from 0 upwards',
      })
}
