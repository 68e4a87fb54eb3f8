import { keyText, type Row } from '../table/row-context.ts'
import type { Table } from '../table/table-schema.ts'

/** Columns whose text a sealed value is bound to. A version is bound as a number, whatever its digits. */
export function boundColumns({ key, tenant, subject }: Table): readonly string[] {
  return [...new Set([...key, tenant, subject])].filter(name => name !== undefined)
}

/**
 * Whether the database keeps what a value is bound to as it was given. It may write it in another way: a UUID
 * given in capitals, `007` in a column of integers, a text that is padded.
 * @throws ConfigError for a type that cannot be part of a key
 */
export function isStoredAsGiven(table: Table, given: Row, stored: Row): boolean {
  return boundColumns(table).every(name => keyText(table, name, given) === keyText(table, name, stored))
}
