import { ConfigError } from '@postern/core'
import type { SqlClient, SqlResult } from '@postern/store'
import { keyText, type Row } from '../table/row-context.ts'
import { type Table, termColumns } from '../table/table-schema.ts'
import type { OpenOptions, Vault } from '../table/vault.ts'
import { boundColumns, isStoredAsGiven } from './stored-key.ts'
import { clearTerms, insertRow, sampleTerm, selectByTerm, storedSubject, updateRow } from './table.sql.ts'

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

  /**
   * Seals rows and inserts them. A key may be given in another spelling than the database stores: the row is
   * sealed once more then, with the key as it is stored.
   */
  async insert(tableName: string, rows: readonly Row[]): Promise<void> {
    const table = this.#vault.table(tableName)
    // Who only ingests may have no right to read from the table, which RETURNING takes.
    const returned = table.columns.some(({ access }) => access === 'full') ? boundColumns(table) : []
    for (const [index, sealed] of (await this.#vault.sealRows(tableName, rows)).entries()) {
      const columns = Object.keys(sealed).filter(name => sealed[name] !== undefined)
      const { rows: stored } = await this.#client.query<Row>(
        insertRow(tableName, columns, returned),
        columns.map(name => sealed[name]),
      )
      await this.#bindAsStored(table, rows[index] as Row, sealed, stored[0])
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
    const returned = [...new Set([...table.key, ...boundTo(table, row), ...given])].filter(name =>
      boundColumns(table).includes(name),
    )
    const { rows } = await this.#client.query<Row>(updateRow(tableName, where, set, returned), values)
    await this.#bindAsStored(table, row, sealed ?? {}, rows[0])
    return rows.length > 0
  }

  /**
   * Seals the values of a row again where the database stores its key, tenant or subject in another spelling
   * than they were sealed with: read with the row, they would not open. What somebody else has written
   * meanwhile stays.
   */
  async #bindAsStored(table: Table, given: Row, written: Row, stored: Row | undefined): Promise<void> {
    const names = table.columns
      .filter(({ name, mode }) => mode !== 'held' && given[name] !== undefined && given[name] !== null)
      .map(({ name }) => name)
    if (stored === undefined || names.length === 0 || isStoredAsGiven(table, given, stored)) return
    const [sealed = {}] = await this.#vault.sealRows(table.name, [{ ...given, ...stored }])
    const terms = table.columns.flatMap(({ search }) => termColumns(search))
    const set = [...names, ...terms.filter(name => sealed[name] !== undefined)]
    const values = [...set.map(name => sealed[name]), ...table.key.map(name => stored[name])]
    await this.#client.query(updateRow(table.name, [...table.key, ...names], set, table.key), [
      ...values,
      ...names.map(name => written[name]),
    ])
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
    for (const stored of await this.#spellings(subject)) if (await this.#vault.erase(stored)) found = true
    for (const { name, subject: column, columns } of this.#vault.tables) {
      const terms = columns.flatMap(({ search }) => termColumns(search))
      if (column === undefined || terms.length === 0) continue
      const { rowCount } = await this.#ofSubject(clearTerms(name, terms, column), subject)
      found ||= rowCount > 0
    }
    return found
  }

  /** A subject as the tables store it: a UUID in small letters, say, where it is given in capitals. */
  async #spellings(subject: string): Promise<ReadonlySet<string>> {
    const found = new Set<string>()
    for (const table of this.#vault.tables) {
      if (table.subject === undefined) continue
      const { rows } = await this.#ofSubject(storedSubject(table.name, table.subject), subject)
      for (const row of rows) found.add(keyText({ ...table, subject: 'subject' }, 'subject', row))
    }
    return found
  }

  /** Rows of a subject: none in a table whose subjects are of another type, numbers say where it is text. */
  async #ofSubject(statement: string, subject: string): Promise<SqlResult<Row>> {
    try {
      return await this.#client.query<Row>(statement, [subject])
    } catch (error) {
      if (isUnreadable(error)) return { rows: [], rowCount: 0 }
      throw error
    }
  }
}

/** Whether PostgreSQL cannot read a text as the type of a column (its manual, appendix A). */
function isUnreadable(error: unknown): boolean {
  const { state } = error as { readonly state?: unknown }
  return typeof state === 'string' && /^22(?:P02|003|007|008)$/.test(state)
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
