import { type Clock, type Exchange, type Outcome, parseDuration, systemClock } from '@postern/core'
import type { Budgets } from '../budget/budget.ts'
import { RowBudgetExceeded } from '../budget/budget-refusal.ts'
import { actingIn } from '../wrap/acting-as.ts'
import { changedNothing } from './changed-nothing.ts'
import { namedUnits } from './named-units.ts'
import { WindowCounter } from './window-counter.ts'

/** The budgets that routes may name, and how many actors are counted. */
export interface RouteBudgetsOptions {
  readonly budgets: Budgets
  /** Actors whose counts are kept, for each budget. Default 100,000. */
  readonly capacity?: number
  readonly clock?: Clock
}

interface Taken {
  readonly names: readonly string[]
  readonly key: string
  readonly units: number
  readonly at: number
}

/**
 * The budgets that routes name, counted at the edge: what a request names (one thing, or the ids in its JSON
 * body or query) is taken from each of them, per actor and window. An early refusal for any backend, not a
 * proof: the database counts the rows. What the backend refused (4xx) is given back. Counts are in the memory
 * of one process.
 */
export class RouteBudgets {
  readonly #budgets: Budgets
  readonly #counters = new Map<string, WindowCounter>()
  readonly #clock: Clock
  readonly #taken = new WeakMap<Exchange, Taken>()

  /** @throws ConfigError for an invalid window */
  constructor({ budgets, capacity = 100_000, clock = systemClock }: RouteBudgetsOptions) {
    this.#budgets = budgets
    this.#clock = clock
    for (const [name, { window }] of Object.entries(budgets))
      this.#counters.set(
        name,
        new WindowCounter(parseDuration(window, `budgets["${name}"].window`), capacity),
      )
  }

  has(name: string): boolean {
    return this.#counters.has(name)
  }

  /** How many things a request asks to change; undefined when its body cannot be read whole. */
  units(exchange: Exchange): Promise<number | undefined> {
    return namedUnits(exchange)
  }

  /**
   * The budget that does not hold so many more, the first of those named; undefined when all do. @param units
   * undefined: nobody knows how many, so none does
   */
  over(
    exchange: Exchange,
    names: readonly string[],
    units: number | undefined,
  ): RowBudgetExceeded | undefined {
    const key = keyOf(exchange)
    const now = this.#clock.now()
    for (const budget of names) {
      const counter = this.#counters.get(budget)
      const settings = this.#budgets[budget]
      if (counter === undefined || settings === undefined) continue
      const allowed = Math.max(0, settings.rows - counter.used(key, now))
      const asked = units ?? settings.rows + 1
      if (asked <= allowed) continue
      const retryAt = counter.opens(key, asked - allowed, now)
      return new RowBudgetExceeded({
        budget,
        scope: 'actor',
        allowed,
        asked,
        retryAt,
        over: settings.over ?? 'deny',
      })
    }
    return undefined
  }

  /** Counts what an allowed request changes. */
  take(exchange: Exchange, names: readonly string[], units: number): void {
    const key = keyOf(exchange)
    const now = this.#clock.now()
    for (const name of names) this.#counters.get(name)?.add(key, units, now)
    this.#taken.set(exchange, { names, key, units, at: now })
  }

  /** Gives back what a request took, if its outcome says that it changed nothing. */
  settle(exchange: Exchange, outcome: Outcome): void {
    const taken = this.#taken.get(exchange)
    if (taken === undefined || !changedNothing(outcome, taken.units)) return
    this.#taken.delete(exchange)
    const now = this.#clock.now()
    for (const name of taken.names) this.#counters.get(name)?.giveBack(taken.key, taken.units, taken.at, now)
  }
}

/** By name alone, as the database counts: an actor has no second budget in another tenant. */
function keyOf(exchange: Exchange): string {
  return actingIn(exchange).actor
}
