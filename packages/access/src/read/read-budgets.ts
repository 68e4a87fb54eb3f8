import { type Clock, ConfigError, systemClock } from '@postern/core'
import type { Budgets } from '../budget/budget.ts'
import { ReadBudgetExceeded } from '../budget/budget-refusal.ts'
import { CountedBudgets, type TableName, type Taken } from '../budget/counted-budgets.ts'
import type { Acting } from '../wrap/acting-as.ts'

/** How reads are counted. */
export interface ReadBudgetsOptions {
  /** Those with the action `select` are counted here; the others are not looked at. */
  readonly budgets: Budgets
  /** Schemas that names of tables without a schema stand for. Default: all. */
  readonly schemas?: readonly string[]
  /** Keys (actors, tenants, tables) whose counts are kept for each limit. Default 100,000. */
  readonly capacity?: number
  readonly clock?: Clock
}

/** What one statement reads: counts it row by row. */
export interface ReadCharge {
  /**
   * Counts units of a table.
   * @returns the refusal when that is more than is left; then it was not counted
   */
  take(table: TableName, units: number): ReadBudgetExceeded | undefined
  /** Gives back what was counted, for a result that nobody got to see. */
  giveBack(): void
}

/**
 * Budgets on reads, per actor, tenant and table, in any window of their length: the other half of a stolen
 * session is a bulk export. Guarded connections count what they are sent (`guardPool(pool, { claim, reads
 * })`). Counts are in this process's memory.
 * @throws ConfigError naming every mistake in the budgets, or when none of them is about reads
 * @example
 * const reads = new ReadBudgets({ budgets: { 'customers.select': rows(500, '1h'),
 *   '*.select': rows(10_000, '1h') } })
 */
export class ReadBudgets {
  readonly #counted: CountedBudgets
  /** Whether counting needs to know what tables are called. */
  readonly needsNames: boolean

  constructor({ budgets, schemas, capacity = 100_000, clock = systemClock }: ReadBudgetsOptions) {
    this.#counted = new CountedBudgets({ budgets, actions: ['select'], schemas, capacity, clock })
    if (this.#counted.isEmpty)
      throw new ConfigError({
        place: 'budgets',
        problem: 'has no budget with the action "select"',
        hint: "e.g. { '*.select': rows(10_000, '1h') }",
      })
    this.needsNames = this.#counted.needsNames
  }

  /** A statement that reads on somebody's behalf. */
  charge(acting: Acting): ReadCharge {
    const taken: Taken[] = []
    return {
      take: (table, units) => {
        const detail = this.#counted.take(acting, 'select', table, units, taken)
        return detail === undefined ? undefined : new ReadBudgetExceeded(detail)
      },
      giveBack: () => this.#counted.giveBack(taken),
    }
  }
}
