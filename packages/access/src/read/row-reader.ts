import type { ReadBudgetExceeded } from '../budget/budget-refusal.ts'
import type { TableName } from '../budget/counted-budgets.ts'
import { BYTES_OF_A_ROW, type ReadCharge } from './read-budgets.ts'

/** Bytes for which a stored row counts once more: a page of PostgreSQL. */
const WIDE_ROW = 8192

/** What the columns of an answer are from. */
export interface ColumnSources {
  /** Each table that a column is from, once. */
  readonly tables: readonly TableName[]
  /** Places of the columns that are of tables. */
  readonly stored: readonly number[]
  /** Places of the columns that are of no table, or of one that the session may have made for itself. */
  readonly computed: readonly number[]
  /** Places of the columns that are of the database's own tables. */
  readonly catalog: readonly number[]
}

const NOTHING: ColumnSources = { tables: [], stored: [], computed: [], catalog: [] }

/**
 * Counts the rows of one statement. A row counts once for each table that a column of it is from, and wide
 * ones once more for each 8 KiB. Columns that are of no table, such as aggregates and expressions, count as
 * one row for each 64 bytes.
 */
export class RowReader {
  readonly #charge: ReadCharge
  #sources = NOTHING

  constructor(charge: ReadCharge) {
    this.#charge = charge
  }

  /** What the rows to come are made of. */
  describe(sources: ColumnSources): void {
    this.#sources = sources
  }

  /**
   * @param lengthOf bytes of the value at a place, or about as many
   * @returns the refusal when this row is more than is left
   */
  row(lengthOf: (place: number) => number): ReadBudgetExceeded | undefined {
    const { tables, stored, computed, catalog } = this.#sources
    const sizeOf = (places: readonly number[]): number => {
      let bytes = 0
      for (const place of places) bytes += lengthOf(place)
      return bytes
    }
    if (tables.length > 0) {
      const units = 1 + Math.floor(sizeOf(stored) / WIDE_ROW)
      for (const table of tables) {
        const refusal = this.#charge.take(table, units)
        if (refusal !== undefined) return refusal
      }
    }
    if (catalog.length > 0) {
      const refusal = this.message(sizeOf(catalog))
      if (refusal !== undefined) return refusal
    }
    // A row without columns tells that there is one.
    if (computed.length === 0)
      return tables.length + catalog.length === 0 ? this.#charge.take(undefined, 1) : undefined
    const rows = sizeOf(computed) / BYTES_OF_A_ROW
    const units = tables.length > 0 ? Math.floor(rows) : Math.ceil(rows) || 1
    return units === 0 ? undefined : this.#charge.take(undefined, units)
  }

  /**
   * An error, a notice, a notification or texts of the catalog: they can hold what a statement read. One row
   * for each 64 bytes of all that the actor was sent.
   * @returns the refusal when this is more than is left
   */
  message(bytes: number): ReadBudgetExceeded | undefined {
    return this.#charge.takeBytes(bytes)
  }

  /** Gives back what was counted, for a result that nobody got to see. */
  giveBack(): void {
    this.#charge.giveBack()
  }
}

/** What an error says of itself rather than of data. Its code and severity are what RAISE was given. */
const OWN_WORDS: ReadonlySet<string> = new Set([
  'name',
  'severity_local',
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
 * @param isLasting false for a table that a session may have made for itself: its rows hold whatever was
 *   packed into them
 */
export function columnSources(
  ids: readonly number[],
  nameOf: (id: number) => TableName,
  isLasting: (id: number) => boolean,
): ColumnSources {
  const stored: number[] = []
  const computed: number[] = []
  const catalog: number[] = []
  for (const [place, id] of ids.entries()) {
    if (id > 0 && id < FIRST_VIEW) catalog.push(place)
    else if (id >= FIRST_TABLE && isLasting(id)) stored.push(place)
    else computed.push(place)
  }
  return { tables: [...new Set(ids.filter(id => id >= FIRST_TABLE))].map(nameOf), stored, computed, catalog }
}

/** Numbers below are PostgreSQL's own. */
const FIRST_TABLE = 16_384
/**
 * Its views have the numbers from here on (`FirstUnpinnedObjectId` of transam.h). They are functions with
 * names: `pg_settings` and `pg_prepared_statements` show what a session put there, `pg_stats` values of rows.
 */
const FIRST_VIEW = 12_000
