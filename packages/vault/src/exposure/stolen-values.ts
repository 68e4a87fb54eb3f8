import type { SqlClient } from '@postern/store'
import { identifier } from '../sql/identifier.ts'
import { contextOf, type Row } from '../table/row-context.ts'
import type { Table } from '../table/table-schema.ts'
import type { StolenValue } from './exposure.ts'

/** Values read at most of one table. */
const MAX_VALUES = 1_000_000

/** Every value of a table's encrypted columns, as a thief finds them in a restored dump. */
export async function stolenValues(
  client: Pick<SqlClient, 'query'>,
  table: Table,
): Promise<readonly StolenValue[]> {
  const { rows } = await client.query<Row>(`SELECT * FROM ${identifier(table.name)} LIMIT $1`, [MAX_VALUES])
  return rows.flatMap(row =>
    table.columns.flatMap((column): readonly StolenValue[] => {
      const value = row[column.name]
      const isValue = typeof value === 'string' || value instanceof Uint8Array
      return isValue ? [{ context: contextOf(table, column, row), value }] : []
    }),
  )
}
