import { type Clock, ConfigError, systemClock } from '@postern/core'
import type { Acting } from '../budget/acting-as.ts'
import type { Budgets } from '../budget/budget.ts'
import { ReadBudgetExceeded } from '../budget/budget-refusal.ts'
import { CountedBudgets, type TableName, type Taken } from '../budget/counted-budgets.ts'

/** The budgets of `ReadBudgets`, and for how many keys it keeps counts. */
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
  /**
   * Counts what is not part of a row: one row for each 64 bytes. What is left over counts with the actor's
   * next ones, also in another statement: otherwise any number of short pieces would be free.
   * @returns as `take`
   */
  takeBytes(bytes: number): ReadBudgetExceeded | undefined
  /** Gives back what was counted, for a result that nobody got to see. */
  giveBack(): void
}

/** Bytes that count as one row, where what is read is of no row. */
export const BYTES_OF_A_ROW = 64

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
  /** Bytes that are not a whole row yet, by tenant and actor; the actor who came first is forgotten first. */
  readonly #left = new Map<string, number>()
  readonly #capacity: number
  /** Whether counting needs to know what tables are called. */
  readonly needsNames: boolean

  constructor({ budgets, schemas, capacity = 100_000, clock = systemClock }: ReadBudgetsOptions) {
    this.#capacity = capacity
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
    const take = (table: TableName, units: number): ReadBudgetExceeded | undefined => {
      const detail = this.#counted.take(acting, 'select', table, units, taken)
      return detail === undefined ? undefined : new ReadBudgetExceeded(detail)
    }
    return {
      take,
      takeBytes: bytes => {
        const key = `${acting.tenant ?? ''}\0${acting.actor}`
        const all = (this.#left.get(key) ?? 0) + bytes
        const units = Math.floor(all / BYTES_OF_A_ROW)
        const refusal = units === 0 ? undefined : take(undefined, units)
        if (refusal === undefined) this.#keep(key, all % BYTES_OF_A_ROW)
        return refusal
      },
      giveBack: () => this.#counted.giveBack(taken),
    }
  }

  #keep(key: string, bytes: number): void {
    this.#left.set(key, bytes)
    if (this.#left.size <= this.#capacity) return
    for (const oldest of this.#left.keys()) {
      this.#left.delete(oldest)
      return
    }
  }
}
