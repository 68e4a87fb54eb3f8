import type { ReadBudgetExceeded } from '../budget/budget-refusal.ts'
import type { TableName } from '../budget/counted-budgets.ts'
import type { ReadCharge } from './read-budgets.ts'

/** Bytes of computed columns that count as one row. */
const COMPUTED_UNIT = 64

/**
 * Counts the rows of one statement. A row counts once for each table that a column of it is from. Columns
 * that are of no table, such as aggregates and expressions, count as one row for each 64 bytes.
 */
export class RowReader {
  readonly #charge: ReadCharge
  #tables: readonly TableName[] = []
  #computed: readonly number[] = []

  constructor(charge: ReadCharge) {
    this.#charge = charge
  }

  /**
   * What the rows to come are made of.
   * @param tables each that a column is from, once
   * @param computed places of the columns that are of no table
   */
  describe(tables: readonly TableName[], computed: readonly number[]): void {
    this.#tables = tables
    this.#computed = computed
  }

  /**
   * @param lengthOf bytes of the value at a place, or about as many
   * @returns the refusal when this row is more than is left
   */
  row(lengthOf: (place: number) => number): ReadBudgetExceeded | undefined {
    for (const table of this.#tables) {
      const refusal = this.#charge.take(table, 1)
      if (refusal !== undefined) return refusal
    }
    if (this.#computed.length === 0) return undefined
    const bytes = this.#computed.reduce((sum, place) => sum + lengthOf(place), 0)
    const isOfTable = this.#tables.length > 0
    const units = isOfTable ? Math.floor(bytes / COMPUTED_UNIT) : Math.ceil(bytes / COMPUTED_UNIT) || 1
    return units === 0 ? undefined : this.#charge.take(undefined, units)
  }

  /** Gives back what was counted, for a result that nobody got to see. */
  giveBack(): void {
    this.#charge.giveBack()
  }
}

/**
 * What the columns of an answer of PostgreSQL are from: for each the number of its table, 0 where it has
 * none.
 */
export function columnSources(
  ids: readonly number[],
  nameOf: (id: number) => TableName,
): { readonly tables: readonly TableName[]; readonly computed: readonly number[] } {
  return {
    tables: [...new Set(ids.filter(id => id >= FIRST_TABLE))].map(nameOf),
    computed: ids.flatMap((id, place) => (id === 0 ? [place] : [])),
  }
}

/** Numbers below are PostgreSQL's own: its catalog is not counted. */
const FIRST_TABLE = 16_384
