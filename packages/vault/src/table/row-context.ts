import { ConfigError } from '@postern/core'
import type { RecordContext } from '../record/record-context.ts'
import type { Column, Table } from './table-schema.ts'

/** A row of a table, by column. */
export type Row = Readonly<Record<string, unknown>>

/**
 * Where a column's value in this row lives. Numbers and texts of the same digits are one key value, since
 * drivers return `bigint` columns as either.
 * @throws ConfigError naming the column when a key, tenant or version is missing; never with a value
 */
export function contextOf(table: Table, column: Column, row: Row): RecordContext {
  return {
    tenant: table.tenant === undefined ? '' : keyText(table, table.tenant, row),
    table: table.name,
    column: column.name,
    row: table.key.map(name => keyText(table, name, row)),
    version: table.version === undefined ? 0 : versionOf(table, table.version, row),
  }
}

/** A key value as text. */
export function keyText(table: Table, name: string, row: Row): string {
  const value = Object.hasOwn(row, name) ? row[name] : undefined
  if (typeof value === 'string' && value !== '') return value
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)))
    return `${value}`
  if (value instanceof Uint8Array && value.length > 0) return `\\x${Buffer.from(value).toString('hex')}`
  throw new ConfigError({
    place: `${table.name}.${name}`,
    problem:
      value === undefined
        ? 'is missing from the row'
        : `cannot be part of a key (${value === null ? 'null' : typeof value})`,
    hint: 'give every row its key: select it, or choose the id before sealing (a UUID, or nextval)',
  })
}

/** The subject of a row as text, where its table declares one. */
export function subjectOf(table: Table, row: Row): string | undefined {
  return table.subject === undefined ? undefined : keyText(table, table.subject, row)
}

function versionOf(table: Table, name: string, row: Row): number {
  const version = Number(keyText(table, name, row))
  if (Number.isSafeInteger(version) && version >= 0) return version
  throw new ConfigError({
    place: `${table.name}.${name}`,
    problem: 'is not a whole number',
    hint: 'the key of a row is a whole number or a text',
  })
}
