import type { StatementSync } from 'node:sqlite'
import type { SqlClient, SqliteDatabase, SqlResult } from '@postern/store'
import type { CheckedUpdate, CheckingClient } from './checking-client.ts'

/** Statements that are kept prepared: one over a batch of rows takes longer to prepare than to run. */
const MOST_STATEMENTS = 100

type Parameters = Record<string, null | number | bigint | string | Uint8Array>

/**
 * A SQLite file behind the interface of a PostgreSQL one, so that rows of either are
 * handled by the same code.
 */
export function sqliteClient(database: SqliteDatabase): SqlClient & CheckingClient {
  const statements = new Map<string, StatementSync>()
  const prepared = (text: string): StatementSync => {
    const known = statements.get(text)
    if (known !== undefined) return known
    if (statements.size >= MOST_STATEMENTS) statements.clear()
    const made = database.db.prepare(text)
    statements.set(text, made)
    return made
  }
  const run = <Row>(text: string, values: readonly unknown[] = []): SqlResult<Row> => {
    const bound = values.map(value =>
      value === undefined ? null : typeof value === 'boolean' ? Number(value) : value,
    )
    const named = Object.fromEntries(bound.map((value, index) => [`$${index + 1}`, value])) as Parameters
    const statement = prepared(text)
    if (!/^\s*(?:SELECT|WITH|PRAGMA)|\sRETURNING\s/i.test(text))
      return { rows: [], rowCount: Number(statement.run(named).changes) }
    const rows = statement.all(named) as Row[]
    return { rows, rowCount: rows.length }
  }
  return {
    query: async <Row>(text: string, values?: readonly unknown[]) =>
      database.transaction(() => run<Row>(text, values)),
    updateChecked: async ({ update, select, check }: CheckedUpdate) =>
      database.transaction(() => {
        const updated = run<Readonly<Record<string, unknown>>>(update.text, update.values).rows
        const again = select(updated)
        if (again !== undefined) check(run<Readonly<Record<string, unknown>>>(again.text, again.values).rows)
        return updated
      }),
  }
}
