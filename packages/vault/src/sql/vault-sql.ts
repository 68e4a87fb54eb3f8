import { ConfigError } from '@postern/core'
import type { SqlClient } from '@postern/store'
import type { Row } from '../table/row-context.ts'
import { type Table, termColumns } from '../table/table-schema.ts'
import type { OpenOptions, Vault } from '../table/vault.ts'
import { clearTerms, insertRow, sampleTerm, selectByTerm, updateRow } from './table.sql.ts'

/** Default for the most rows that a search returns. */
const DEFAULT_LIMIT = 100

/**
 * SQL with encrypted columns: rows go in sealed and come out opened, a page in one round trip to the database
 * and one to the holders. `client` is a `PostgresDatabase`, a transaction of it, a `pg` pool (whose `query`
 * has this shape), or `sqliteClient(database)`.
 */
export class VaultSql {
  readonly #client: Pick<SqlClient, 'query'>
  readonly #vault: Vault

  constructor(client: Pick<SqlClient, 'query'>, vault: Vault) {
    this.#client = client
    this.#vault = vault
  }

  /** Runs a SELECT whose rows are of this table, with its key columns among them, and opens them. */
  async query<T extends Row>(
    table: string,
    text: string,
    values: readonly unknown[] = [],
    options: OpenOptions = {},
  ): Promise<T[]> {
    const { rows } = await this.#client.query<Row>(text, values)
    return (await this.#vault.openRows(table, rows, options)) as T[]
  }

  /** Seals rows and inserts them. */
  async insert(table: string, rows: readonly Row[]): Promise<void> {
    for (const row of await this.#vault.sealRows(table, rows)) {
      const columns = Object.keys(row).filter(name => row[name] !== undefined)
      await this.#client.query(
        insertRow(table, columns),
        columns.map(name => row[name]),
      )
    }
  }

  /**
   * Seals the columns of `row` that are not of its key, and sets them. The row needs its key, and
   * tenant, version and subject where the table has them. With a version column every sealed
   * column must be given: each is bound to it.
   *
   * Only a row of this tenant and subject is changed. A row goes to another subject when every sealed column
   * is given, and never to another tenant.
   * @returns whether there was such a row
   */
  async update(tableName: string, row: Row): Promise<boolean> {
    const table = this.#vault.table(tableName)
    if (table.version !== undefined) {
      const missing = table.columns.filter(({ name, mode }) => mode !== 'held' && row[name] === undefined)
      if (missing.length > 0)
        throw new ConfigError({
          place: `${tableName}.${missing[0]?.name}`,
          problem:
            'is missing from an update of a table with versions: it would stay bound to the old version',
          hint: 'give every encrypted column of the row, or declare no version',
        })
    }
    const [sealed] = await this.#vault.sealRows(tableName, [row])
    const where = [...new Set([...table.key, ...boundTo(table, row)])]
    const given = Object.keys(sealed ?? {}).filter(
      name => !where.includes(name) && sealed?.[name] !== undefined,
    )
    // There is no UPDATE that sets nothing.
    const set = given.length > 0 ? given : where
    const values = [...set, ...where].map(name => sealed?.[name])
    return (await this.#client.query(updateRow(tableName, where, set), values)).rowCount > 0
  }

  /**
   * Rows whose column has this value, by its search term. Rows that only share the
   * truncated term are opened and left out. Rows whose value has no term yet are not found.
   * @throws IntegrityError when the stored terms were made with other keys, instead of finding nothing
   * @throws ConfigError when there are values and not one search term: a job has to make them
   */
  async findBy<T extends Row>(
    tableName: string,
    column: string,
    value: string | number | bigint,
    options: OpenOptions & { readonly tenant?: string; readonly limit?: number } = {},
  ): Promise<T[]> {
    const { tenant, limit = DEFAULT_LIMIT } = options
    const table = this.#vault.table(tableName)
    const { column: termColumn, term } = await this.#vault.equals(tableName, column, value, tenant)
    const scope = table.tenant === undefined ? [] : [tenant]
    const { rows } = await this.#client.query<Row>(selectByTerm(tableName, termColumn, table.tenant), [
      term,
      ...scope,
      limit,
    ])
    if (rows.length === 0) {
      const sample = await this.#client.query<{ readonly term: Uint8Array }>(
        sampleTerm(tableName, termColumn, table.tenant),
        scope,
      )
      const [stored] = sample.rows
      if (stored !== undefined) await this.#vault.verifyTerm(tableName, column, stored.term, tenant)
      else await this.#requireNoValues(table, column, scope)
      return []
    }
    const isCaseless = this.#vault.column(tableName, column).search?.normalise === 'caseless'
    const same = (found: unknown): boolean =>
      isCaseless ? normal(String(found)) === normal(String(value)) : String(found) === String(value)
    return (await this.#vault.openRows(tableName, rows, options)).filter(row => same(row[column])) as T[]
  }

  /** Of a table that has subjects, all of whom were erased, the values have no terms either. */
  async #requireNoValues(table: Table, column: string, scope: readonly unknown[]): Promise<void> {
    if (table.subject !== undefined) return
    const { rows } = await this.#client.query(sampleTerm(table.name, column, table.tenant), scope)
    if (rows.length > 0)
      throw new ConfigError({
        place: `vault.tables.${table.name}.columns.${column}.search`,
        problem: 'no value has a search term yet, so nothing can be found',
        hint: `postern vault migrate ${table.name} for plain values, postern vault rewrap ${table.name} for sealed ones`,
      })
  }

  /**
   * Erases a subject: destroys what its records were sealed with, and clears the search terms beside them,
   * which would still tell whether a guessed value was theirs.
   * @returns whether there was anything to erase
   * @throws ConfigError, StoreError; erase again then
   */
  async erase(subject: string): Promise<boolean> {
    let found = await this.#vault.erase(subject)
    for (const { name, subject: column, columns } of this.#vault.tables) {
      const terms = columns.flatMap(({ search }) => termColumns(search))
      if (column === undefined || terms.length === 0) continue
      const { rowCount } = await this.#client.query(clearTerms(name, terms, column), [subject])
      found ||= rowCount > 0
    }
    return found
  }
}

/**
 * Columns besides the key that say which row is meant. An application gives the tenant of whoever asks, who
 * may name the key of another tenant's row; and values that are not given stay bound to their subject.
 */
function boundTo({ tenant, subject, columns }: Table, row: Row): readonly string[] {
  const isWhole = columns.every(({ name, mode }) => mode === 'held' || row[name] !== undefined)
  return [tenant, isWhole ? undefined : subject].filter(name => name !== undefined)
}

function normal(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim()
}
