import {
  type Clock,
  type Exchange,
  type Outcome,
  parseDuration,
  StoreError,
  systemClock,
} from '@postern/core'
import { actingIn } from '../budget/acting-as.ts'
import type { Budgets } from '../budget/budget.ts'
import { RowBudgetExceeded } from '../budget/budget-refusal.ts'
import { stepOf, UnitsInWindow } from '../budget/units-in-window.ts'
import { changedNothing } from './changed-nothing.ts'
import { namedUnits } from './named-units.ts'
import { memoryCounts, type UnitCounts } from './unit-counts.ts'

/** The budgets that routes may name, and how many actors are counted. */
export interface RouteBudgetsOptions {
  readonly budgets: Budgets
  /** Counts of an actor and a budget that are kept in memory. Default 100,000. */
  readonly capacity?: number
  /** Where they are counted. Default: in the memory of this process, which no other one sees. */
  readonly counts?: UnitCounts | undefined
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
 * proof: the database counts the rows. What the backend refused (4xx) is given back.
 */
export class RouteBudgets {
  readonly #budgets: Budgets
  /** Milliseconds of a step, by budget. */
  readonly #steps = new Map<string, number>()
  readonly #counts: UnitCounts
  readonly #clock: Clock
  readonly #taken = new WeakMap<Exchange, Taken>()

  /** @throws ConfigError for an invalid window */
  constructor({ budgets, capacity = 100_000, counts, clock = systemClock }: RouteBudgetsOptions) {
    this.#budgets = budgets
    this.#counts = counts ?? memoryCounts(capacity, UnitsInWindow.NONE)
    this.#clock = clock
    for (const [name, { window }] of Object.entries(budgets))
      this.#steps.set(name, stepOf(parseDuration(window, `budgets["${name}"].window`)))
  }

  has(name: string): boolean {
    return this.#steps.has(name)
  }

  /** How many things a request asks to change; undefined when its body cannot be read whole. */
  units(exchange: Exchange): Promise<number | undefined> {
    return namedUnits(exchange)
  }

  /**
   * The budget that does not hold so many more, the first of those named; undefined when all do.
   * @param units undefined: nobody knows how many, so none does
   * @throws StoreError (rejects) when the counts cannot be asked
   */
  async over(
    exchange: Exchange,
    names: readonly string[],
    units: number | undefined,
  ): Promise<RowBudgetExceeded | undefined> {
    for (const name of names) {
      const over = await this.#count(name, keyOf(exchange), units, 'look')
      if (over !== undefined) return over
    }
    return undefined
  }

  /**
   * Counts what an allowed request changes, against all budgets or none.
   * @returns the budget that does not hold it: others of the same actor may have been counted meanwhile
   * @throws StoreError (rejects) when it cannot be counted
   */
  async take(
    exchange: Exchange,
    names: readonly string[],
    units: number,
  ): Promise<RowBudgetExceeded | undefined> {
    const key = keyOf(exchange)
    const at = this.#clock.now()
    const counted: string[] = []
    try {
      for (const name of names) {
        const over = await this.#count(name, key, units, 'take')
        if (over !== undefined) {
          this.#giveBack({ names: counted, key, units, at })
          return over
        }
        counted.push(name)
      }
    } catch (error) {
      this.#giveBack({ names: counted, key, units, at })
      throw error
    }
    this.#taken.set(exchange, { names, key, units, at })
    return undefined
  }

  /** Gives back what a request took, if its outcome says that it changed nothing. */
  settle(exchange: Exchange, outcome: Outcome): void {
    const taken = this.#taken.get(exchange)
    if (taken === undefined || !changedNothing(outcome, taken.units)) return
    this.#taken.delete(exchange)
    this.#giveBack(taken)
  }

  /** Units that cannot be given back stay counted, until they leave the window. */
  #giveBack({ names, key, units, at }: Taken): void {
    for (const name of names) {
      const step = this.#steps.get(name)
      if (step !== undefined) void this.#giveBackOne(`${name}.${key}`, step, units, at)
    }
  }

  async #giveBackOne(key: string, step: number, units: number, at: number): Promise<void> {
    try {
      await this.#counts.update(key, kept => {
        const record = kept.at(step, this.#clock.now())
        record.giveBack(units, at)
        return { record, result: undefined }
      })
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
    }
  }

  #count(
    name: string,
    key: string,
    units: number | undefined,
    kind: 'look' | 'take',
  ): RowBudgetExceeded | undefined | Promise<RowBudgetExceeded | undefined> {
    const step = this.#steps.get(name)
    const settings = this.#budgets[name]
    if (step === undefined || settings === undefined) return undefined
    const asked = units ?? settings.rows + 1
    return this.#counts.update(`${name}.${key}`, kept => {
      const record = kept.at(step, this.#clock.now())
      const allowed = Math.max(0, settings.rows - record.used)
      if (asked <= allowed) {
        if (kind === 'look') return { result: undefined }
        record.add(asked)
        return { record, result: undefined }
      }
      const retryAt = record.opens(asked - allowed)
      const over = settings.over ?? 'deny'
      const details = { budget: name, scope: 'actor', allowed, asked, retryAt, over } as const
      return { result: new RowBudgetExceeded(details) }
    })
  }
}

/** By name alone, as the database counts: an actor has no second budget in another tenant. */
function keyOf(exchange: Exchange): string {
  return actingIn(exchange).actor
}
