import { IntegrityError } from '@postern/core'
import type { SqlClient } from '@postern/store'
import type { CheckedUpdate, CheckingClient } from '../sql/checking-client.ts'
import { identifier } from '../sql/identifier.ts'
import {
  COLUMN_TYPES,
  type ManyRows,
  type Statement,
  selectMany,
  type TableDialect,
  updateManyIfSame,
} from '../sql/table.sql.ts'
import { keyText, type Row } from '../table/row-context.ts'
import type { Table } from '../table/table-schema.ts'

/** What a job writes through: best a client with transactions, since a check that fails undoes them. */
export interface RewriteClient extends Pick<SqlClient, 'query'> {
  readonly updateChecked?: CheckingClient['updateChecked'] | undefined
  /** As `PostgresDatabase` has it. */
  readonly transaction?:
    | (<T>(work: (client: Pick<SqlClient, 'query'>) => Promise<T>) => Promise<T>)
    | undefined
}

/** A row to write: as it was read, what to set, and which of its values must not have changed meanwhile. */
export interface RowChange {
  readonly row: Row
  readonly set: Row
  readonly guard: readonly string[]
}

/** Parameters of one statement: SQLite takes 32,766, PostgreSQL an array for each column. */
const MOST_PARAMETERS = 30_000

/** Writes rows of one table: a batch in one statement, so that it costs one round trip and one commit. */
export class RowWriter {
  readonly #client: RewriteClient
  readonly #table: Table
  readonly #many: ManyRows

  private constructor(client: RewriteClient, table: Table, many: ManyRows) {
    this.#client = client
    this.#table = table
    this.#many = many
  }

  static async of(client: RewriteClient, table: Table, dialect: TableDialect): Promise<RowWriter> {
    const types = new Map<string, string>()
    if (dialect.rows === 'arrays') {
      const found = await client.query<{ readonly name: string; readonly type: string }>(COLUMN_TYPES, [
        identifier(table.name),
      ])
      for (const { name, type } of found.rows) types.set(name, type)
    }
    const typeOf = (column: string): string => types.get(column) ?? 'text'
    return new RowWriter(client, table, { table: table.name, key: table.key, dialect, typeOf })
  }

  /** Whether a check that fails undoes what it was about. */
  get canUndo(): boolean {
    return this.#client.updateChecked !== undefined || this.#client.transaction !== undefined
  }

  /** A key as text, for comparing rows. */
  keyOf(row: Row): string {
    return JSON.stringify(this.#table.key.map(name => keyText(this.#table, name, row)))
  }

  /** A key that is given as text, as the database takes it: SQLite compares bytes with bytes only. */
  keyValues(key: Readonly<Record<string, string | undefined>>): Row {
    const isText = this.#many.dialect.rows === 'arrays'
    return Object.fromEntries(
      Object.entries(key).map(([name, text = '']) => [
        name,
        !isText && /^\\x(?:[0-9a-f]{2})+$/.test(text) ? Buffer.from(text.slice(2), 'hex') : text,
      ]),
    )
  }

  /** Rows by the keys of these; those that are gone are left out. */
  async read(rows: readonly Row[], columns: readonly string[]): Promise<readonly Row[]> {
    const found: Row[] = []
    for (const some of chunks(rows, this.#table.key.length)) {
      const { text, values } = this.#select(some, columns)
      found.push(...(await this.#client.query<Row>(text, values)).rows)
    }
    return found
  }

  /**
   * Writes rows that still are what was read, reads all of them back in the same transaction, and compares.
   * @returns keys of the rows that were written
   * @throws IntegrityError naming the column when the database stored another value: a trigger changed it
   */
  async write(changes: readonly RowChange[]): Promise<ReadonlySet<string>> {
    const written = new Set<string>()
    const groups = Map.groupBy(changes, ({ set, guard }) => JSON.stringify([Object.keys(set), guard]))
    for (const group of groups.values()) {
      const { set, guard } = group[0] as RowChange
      const names = Object.keys(set)
      for (const some of chunks(group, names.length + guard.length + this.#table.key.length))
        for (const row of await this.#writeSome(some, names, guard)) written.add(this.keyOf(row))
    }
    return written
  }

  async #writeSome(
    changes: readonly RowChange[],
    names: readonly string[],
    guard: readonly string[],
  ): Promise<readonly Row[]> {
    const { key } = this.#table
    const update = updateManyIfSame(
      this.#many,
      names,
      guard,
      changes.map(({ row, set }) => [
        ...names.map(name => set[name]),
        ...key.map(name => row[name]),
        ...guard.map(name => row[name]),
      ]),
    )
    const made = new Map(changes.map(({ row, set }) => [this.keyOf(row), set]))
    const columns = [...key, ...names]
    return this.#checked({
      update,
      select: updated => (updated.length === 0 ? undefined : this.#select(updated, columns)),
      check: stored => {
        for (const row of stored)
          for (const name of names)
            if (!isSame(row[name], made.get(this.keyOf(row))?.[name]))
              throw new IntegrityError(
                `${this.#table.name}.${name}: the database stored something other than what was written. Look for a ` +
                  `trigger, or a type that changes values; ${this.canUndo ? 'this batch was undone' : 'restore what was written last'}`,
              )
      },
    })
  }

  async #checked(work: CheckedUpdate): Promise<readonly Row[]> {
    const client = this.#client
    if (client.updateChecked !== undefined) return client.updateChecked(work)
    const run = async (inside: Pick<SqlClient, 'query'>): Promise<readonly Row[]> => {
      const updated = (await inside.query<Row>(work.update.text, work.update.values)).rows
      const again = work.select(updated)
      if (again !== undefined) work.check((await inside.query<Row>(again.text, again.values)).rows)
      return updated
    }
    return client.transaction === undefined ? run(client) : client.transaction(run)
  }

  #select(rows: readonly Row[], columns: readonly string[]): Statement {
    return selectMany(
      this.#many,
      columns,
      rows.map(row => this.#table.key.map(name => row[name])),
    )
  }
}

function* chunks<T>(items: readonly T[], parameters: number): Iterable<readonly T[]> {
  const size = Math.max(1, Math.floor(MOST_PARAMETERS / parameters))
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}

function isSame(stored: unknown, made: unknown): boolean {
  if (stored instanceof Uint8Array && made instanceof Uint8Array)
    return Buffer.from(stored.buffer, stored.byteOffset, stored.length).equals(made)
  return (stored ?? null) === (made ?? null)
}
