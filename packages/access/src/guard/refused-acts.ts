import { type Clock, canonicalJson, type Exchange, type Json } from '@postern/core'
import { actingIn } from '../budget/acting-as.ts'
import type { RowBudgetExceeded } from '../budget/budget-refusal.ts'

const KEPT = 10_000
const KEPT_MS = 600_000

/**
 * Requests that the database has just refused, for ten minutes: whoever sends the very same again means it,
 * and asks for consent. A form in a browser can send nothing else. In the memory of one process, 10,000 at
 * most: who is forgotten is refused once more.
 */
export class RefusedActs {
  readonly #clock: Clock
  readonly #refused = new Map<string, { readonly error: RowBudgetExceeded; readonly until: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Names a request of an actor by everything a consent to it would be bound to. */
  key(exchange: Exchange, given: Json): string {
    return canonicalJson([actingIn(exchange).actor, exchange.principal.tenant ?? '', given])
  }

  put(key: string, error: RowBudgetExceeded): void {
    this.#refused.delete(key)
    if (this.#refused.size >= KEPT)
      for (const oldest of this.#refused.keys()) {
        this.#refused.delete(oldest)
        break
      }
    this.#refused.set(key, { error, until: this.#clock.now() + KEPT_MS })
  }

  get(key: string): RowBudgetExceeded | undefined {
    const known = this.#refused.get(key)
    return known === undefined || known.until <= this.#clock.now() ? undefined : known.error
  }

  delete(key: string): void {
    this.#refused.delete(key)
  }
}
