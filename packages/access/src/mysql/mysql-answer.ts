import { sizeOfValue } from '../read/value-size.ts'
import { isOverwriting } from './cascades.ts'

/** An answer of mysql2, as its callback gets it. */
export interface MysqlAnswer {
  readonly result: unknown
  readonly fields: unknown
}

/** A column of an answer. */
export interface MysqlColumn {
  readonly name: string
  /** `schema.table`; undefined when the column is computed. */
  readonly table: string | undefined
  /** What the statement calls the table. */
  readonly alias: string
}

/** Rows that an answer holds; none when the statement returned no rows. */
export function rowsOf(result: unknown): readonly Record<string, unknown>[] {
  return Array.isArray(result) ? result : []
}

/**
 * Rows that a statement deleted or inserted, or that it edited, by the server's own words. Of an UPDATE the
 * number of affected rows also includes those that it found as they should be: mysql2 asks for that.
 */
export function affectedRows(verb: string, text: string, { result }: MysqlAnswer): number {
  const overwrites = isOverwriting(verb, text)
  if (Array.isArray(result)) return overwrites ? 0 : result.length
  if (verb === 'update') return numberIn(result, 'changedRows')
  if (!overwrites) return numberIn(result, 'affectedRows')
  // A row in place of another counts twice there. Of one row alone the server says nothing else.
  const info = RECORDS.exec(textIn(result, 'info'))
  return verb === 'replace' ? Number(info?.[1] ?? 1) : Math.max(0, Number(info?.[1]) - Number(info?.[2])) || 0
}

const RECORDS = /Records:\s*(\d+)\s+Duplicates:\s*(\d+)/i

/** What the columns of an answer are. */
export function columnsOf({ fields }: MysqlAnswer): readonly MysqlColumn[] {
  if (!Array.isArray(fields)) return []
  return fields.map(field => ({
    name: String(field.name),
    alias: String(field.table ?? ''),
    table:
      field.orgTable === '' || field.orgTable === undefined
        ? undefined
        : `${field.schema ?? ''}.${field.orgTable}`,
  }))
}

/**
 * About as many bytes as a value was sent in, in whichever form the caller wanted rows: objects, arrays
 * (`rowsAsArray`), or objects of objects (`nestTables`). Where it cannot be found the whole row counts.
 */
export function sizeAt(row: object, { name, alias }: MysqlColumn, place: number): number {
  if (Array.isArray(row)) return sizeOfValue(row[place])
  if (Object.hasOwn(row, name)) return sizeOfValue(Reflect.get(row, name))
  const nested: unknown = Object.hasOwn(row, alias) ? Reflect.get(row, alias) : undefined
  if (typeof nested === 'object' && nested !== null && Object.hasOwn(nested, name))
    return sizeOfValue(Reflect.get(nested, name))
  return sizeOfValue(row)
}

function numberIn(result: unknown, name: string): number {
  return typeof result === 'object' && result !== null ? Number(Reflect.get(result, name) ?? 0) : 0
}

function textIn(result: unknown, name: string): string {
  const value: unknown = typeof result === 'object' && result !== null ? Reflect.get(result, name) : ''
  return typeof value === 'string' ? value : ''
}
