import { ConfigError } from '@postern/core'
import type { FieldType, Scalar } from '../policy/scalar.ts'

/** The databases a filter can be written for. */
export type DialectName = 'postgres' | 'sqlite'

/**
 * What a driver is given as a parameter. Booleans stay booleans in PostgreSQL: there is a driver that takes
 * the text `true` for false. Integers beyond 2^53 are text.
 */
export type SqlValue<Name extends DialectName = DialectName> = Name extends 'sqlite'
  ? string | number
  : string | number | boolean

/** What differs between the databases. */
export interface Dialect {
  /** A value as every driver of this database takes it. */
  parameter(holds: FieldType, value: Scalar): SqlValue
  /** Written after a parameter, so that its type does not depend on the driver's guess. */
  cast(holds: FieldType): string
  /** `TRUE` and `FALSE` as conditions. */
  readonly constant: readonly [no: string, yes: string]
}

const POSTGRES_CASTS: Readonly<Record<FieldType, string>> = {
  // The column decides: `varchar`, `citext` and domains compare by their own rules,
  // and their indexes are used.
  text: '',
  uuid: '::uuid',
  integer: '::bigint',
  number: '::double precision',
  boolean: '::boolean',
  time: '::timestamptz',
}

/** The dialects by name. */
export const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  postgres: {
    parameter: (holds, value) =>
      holds === 'time'
        ? timestamp(Number(value))
        : typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))
          ? String(value)
          : value,
    cast: holds => POSTGRES_CASTS[holds],
    constant: ['FALSE', 'TRUE'],
  },
  sqlite: {
    parameter: (_holds, value) =>
      typeof value === 'boolean' ? Number(value) : typeof value === 'bigint' ? String(value) : value,
    // Makes a number of a long integer that came as text; an index is used all the same.
    cast: holds => (holds === 'integer' ? ' + 0' : ''),
    constant: ['1 = 0', '1 = 1'],
  },
}

function timestamp(ms: number): string {
  if (!Number.isFinite(ms)) return ms > 0 ? 'infinity' : '-infinity'
  const text = new Date(ms).toISOString()
  // ISO 8601 writes years before 0 and after 9999 with a sign, which PostgreSQL does not read.
  return text.startsWith('+') ? text.slice(1) : text
}

/** `schema.table` or a name, quoted for both databases. */
export function quoteName(name: string): string {
  if (name === '' || name.includes('\0'))
    throw new ConfigError({
      place: 'SQL name',
      problem: 'it is empty, or holds U+0000',
      hint: 'give the name of a table or column',
    })
  return name
    .split('.')
    .map(part => `"${part.replaceAll('"', '""')}"`)
    .join('.')
}

/**
 * A PostgreSQL literal. Escape-string syntax where there is a backslash, so that its meaning does
 * not depend on a setting of the server.
 */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return text.includes('\\') ? `E${quoted}` : quoted
}
