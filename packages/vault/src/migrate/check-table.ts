import { ConfigError } from '@postern/core'
import type { SqlClient } from '@postern/store'
import { identifier } from '../sql/identifier.ts'
import { HIDES_ROWS, missingKey, nullableColumns, type TableDialect } from '../sql/table.sql.ts'
import { keyText, type Row } from '../table/row-context.ts'
import type { Table } from '../table/table-schema.ts'

/**
 * That a job will see every row of a table: it reads them in the order of the key, so it would pass over one
 * whose key is null, and over those that the database hides from its user.
 * @throws ConfigError, StoreError
 */
export async function checkTable(
  client: Pick<SqlClient, 'query'>,
  table: Table,
  dialect: TableDialect,
): Promise<void> {
  const name = identifier(table.name)
  if (dialect.rows === 'arrays') {
    const { rows } = await client.query<{ readonly hides: boolean }>(HIDES_ROWS, [name])
    if (rows[0]?.hides === true)
      throw new ConfigError({
        place: table.name,
        problem: 'has row level security, which may hide rows from the user of this job',
        hint: 'run the job as a user with BYPASSRLS, or as the owner of the table',
      })
  }
  const nullable = nullableColumns(dialect)
  const known =
    nullable === undefined
      ? undefined
      : new Set((await client.query<{ readonly name: string }>(nullable, [name])).rows.map(row => row.name))
  const asked = table.key.filter(column => known?.has(column) ?? true)
  if (asked.length === 0) return
  const { rows } = await client.query(missingKey(table.name, asked))
  if (rows.length > 0)
    throw new ConfigError({
      place: `${table.name}.${asked.join(', ')}`,
      problem: 'is part of the key in vault.json, and null in some row',
      hint: 'give every row its key, and declare the column NOT NULL',
    })
}

/**
 * That no two rows that follow each other have one key: a job that goes on behind the first would pass over
 * the second.
 * @throws ConfigError
 */
export function checkUnique(table: Table, rows: readonly Row[]): void {
  for (let at = 1; at < rows.length; at++) {
    const [before, row] = [rows[at - 1] as Row, rows[at] as Row]
    if (table.key.every(name => keyText(table, name, before) === keyText(table, name, row)))
      throw new ConfigError({
        place: `${table.name}: key`,
        problem: `${table.key.join(', ')} is not unique: two rows have the same`,
        hint: 'name every column of the primary key',
      })
  }
}
