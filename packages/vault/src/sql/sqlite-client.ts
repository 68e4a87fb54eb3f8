import type { SqlClient, SqliteDatabase, SqlResult } from '@postern/store'

/**
 * A SQLite file behind the interface of a PostgreSQL one, so that rows of either are
 * handled by the same code.
 */
export function sqliteClient(database: SqliteDatabase): SqlClient {
  return {
    async query<Row>(text: string, values: readonly unknown[] = []): Promise<SqlResult<Row>> {
      const bound = values.map(value =>
        value === undefined ? null : typeof value === 'boolean' ? Number(value) : value,
      )
      const named = Object.fromEntries(bound.map((value, index) => [`$${index + 1}`, value])) as Record<
        string,
        null | number | bigint | string | Uint8Array
      >
      return database.transaction(() => {
        const statement = database.db.prepare(text)
        if (!/^\s*(?:SELECT|WITH|PRAGMA)/i.test(text))
          return { rows: [], rowCount: Number(statement.run(named).changes) }
        const rows = statement.all(named) as Row[]
        return { rows, rowCount: rows.length }
      })
    },
  }
}
