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
  #catalog: readonly number[] = []

  constructor(charge: ReadCharge) {
    this.#charge = charge
  }

  /**
   * What the rows to come are made of.
   * @param tables each that a column is from, once
   * @param computed places of the columns that are of no table
   * @param catalog places of the columns that are of the database's own tables
   */
  describe(
    tables: readonly TableName[],
    computed: readonly number[],
    catalog: readonly number[] = NO_PLACES,
  ): void {
    this.#tables = tables
    this.#computed = computed
    this.#catalog = catalog
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
    for (const place of this.#catalog) {
      const refusal = this.message(lengthOf(place))
      if (refusal !== undefined) return refusal
    }
    if (this.#computed.length === 0) return undefined
    const bytes = this.#computed.reduce((sum, place) => sum + lengthOf(place), 0)
    const isOfTable = this.#tables.length > 0
    const units = isOfTable ? Math.floor(bytes / COMPUTED_UNIT) : Math.ceil(bytes / COMPUTED_UNIT) || 1
    return units === 0 ? undefined : this.#charge.take(undefined, units)
  }

  /**
   * An error, a notice or a text of the catalog: they can hold what a statement read. Short ones are free.
   * @param bytes of its texts
   * @returns the refusal when this is more than is left
   */
  message(bytes: number): ReadBudgetExceeded | undefined {
    const units = Math.floor(bytes / COMPUTED_UNIT)
    return units === 0 ? undefined : this.#charge.take(undefined, units)
  }

  /** Gives back what was counted, for a result that nobody got to see. */
  giveBack(): void {
    this.#charge.giveBack()
  }
}

/** What an error says of itself rather than of data. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  'name',
  'severity',
  'severity_local',
  'code',
  'file',
  'line',
  'routine',
  'position',
])

/** Characters of all that an error or a notice of PostgreSQL says. */
export function textsIn(said: unknown): number {
  if (typeof said !== 'object' || said === null) return 0
  const texts = Object.entries({ ...said, message: Reflect.get(said, 'message') })
  return texts.reduce(
    (sum, [name, text]) => sum + (typeof text === 'string' && !OWN_WORDS.has(name) ? text.length : 0),
    0,
  )
}

/**
 * What the columns of an answer of PostgreSQL are from: for each the number of its table, 0 where it has
 * none.
 */
export function columnSources(
  ids: readonly number[],
  nameOf: (id: number) => TableName,
): {
  readonly tables: readonly TableName[]
  readonly computed: readonly number[]
  readonly catalog: readonly number[]
} {
  const isView = (id: number): boolean => id >= FIRST_VIEW && id < FIRST_TABLE
  return {
    tables: [...new Set(ids.filter(id => id >= FIRST_TABLE))].map(nameOf),
    computed: ids.flatMap((id, place) => (id === 0 || isView(id) ? [place] : [])),
    catalog: ids.flatMap((id, place) => (id > 0 && id < FIRST_VIEW ? [place] : [])),
  }
}

/** Numbers below are PostgreSQL's own. */
const FIRST_TABLE = 16_384
/**
 * Its views have the numbers from here on (`FirstUnpinnedObjectId` of transam.h). They are functions with
 * names: `pg_settings` and `pg_prepared_statements` show what a session put there, `pg_stats` values of rows.
 */
const FIRST_VIEW = 12_000
const NO_PLACES: readonly number[] = []
