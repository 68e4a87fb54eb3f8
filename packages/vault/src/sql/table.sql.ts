import type { Migration } from '@postern/store'
import { identifier } from './identifier.ts'

/** Where a rewriting job stands; in the application's database, beside the data it rewrites. */
export const JOB_MIGRATIONS: readonly Migration[] = [
  {
    id: 1,
    name: 'jobs of the vault',
    sqlite:
      'CREATE TABLE vault_job (name TEXT PRIMARY KEY, position TEXT NOT NULL, done INTEGER NOT NULL) STRICT, WITHOUT ROWID;',
    postgres: 'CREATE TABLE vault_job (name TEXT PRIMARY KEY, position TEXT NOT NULL, done BIGINT NOT NULL);',
  },
]

export const JOB_SQL = {
  get: 'SELECT position, done FROM vault_job WHERE name = $1',
  put: `INSERT INTO vault_job (name, position, done) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET position = excluded.position, done = excluded.done`,
  remove: 'DELETE FROM vault_job WHERE name = $1',
} as const

/** How two dialects differ where rows are read and written. */
export interface TableDialect {
  /** Equality that holds for two nulls. */
  readonly same: 'IS NOT DISTINCT FROM' | 'IS'
}

/** The statements of a rewriting job for PostgreSQL. */
export const POSTGRES_DIALECT: TableDialect = { same: 'IS NOT DISTINCT FROM' }
/** The statements of a rewriting job for SQLite. */
export const SQLITE_DIALECT: TableDialect = { same: 'IS' }

const list = (names: readonly string[]): string => names.map(identifier).join(', ')
const places = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `$${from + i}`).join(', ')

/** Rows after a key, in its order: the last parameters are the key, then the limit. */
export function selectAfter(
  table: string,
  key: readonly string[],
  columns: readonly string[],
  isFirst: 'first' | 'next',
): string {
  const after = isFirst === 'first' ? '' : ` WHERE (${list(key)}) > (${places(1, key.length)})`
  const limit = isFirst === 'first' ? 1 : key.length + 1
  return `SELECT ${list(columns)} FROM ${identifier(table)}${after} ORDER BY ${list(key)} LIMIT $${limit}`
}

/** One row by its key. */
export function selectByKey(table: string, key: readonly string[], columns: readonly string[]): string {
  const where = key.map((name, i) => `${identifier(name)} = $${i + 1}`).join(' AND ')
  return `SELECT ${list(columns)} FROM ${identifier(table)} WHERE ${where}`
}

/**
 * Sets columns of one row if they still have the values they were read with: set, key, then the old values.
 */
export function updateIfSame(
  table: string,
  key: readonly string[],
  set: readonly string[],
  guard: readonly string[],
  dialect: TableDialect,
): string {
  const assignments = set.map((name, i) => `${identifier(name)} = $${i + 1}`).join(', ')
  const keys = key.map((name, i) => `${identifier(name)} = $${set.length + i + 1}`)
  const same = guard.map(
    (name, i) => `${identifier(name)} ${dialect.same} $${set.length + key.length + i + 1}`,
  )
  return `UPDATE ${identifier(table)} SET ${assignments} WHERE ${[...keys, ...same].join(' AND ')}`
}

/** One row: its columns in order. */
export function insertRow(table: string, columns: readonly string[]): string {
  return `INSERT INTO ${identifier(table)} (${list(columns)}) VALUES (${places(1, columns.length)})`
}

/** One row by its key: set, then key. */
export function updateRow(table: string, key: readonly string[], set: readonly string[]): string {
  return updateIfSame(table, key, set, [], POSTGRES_DIALECT)
}

/** Rows by a search term, in one tenant when there are several: the term, the tenant, then the limit. */
export function selectByTerm(table: string, term: string, tenant: string | undefined): string {
  const where = tenant === undefined ? '' : ` AND ${identifier(tenant)} = $2`
  return `SELECT * FROM ${identifier(table)} WHERE ${identifier(term)} = $1${where} LIMIT $${tenant === undefined ? 2 : 3}`
}

/** Any stored term, for holding it against the keys. */
export function sampleTerm(table: string, term: string, tenant: string | undefined): string {
  const where = tenant === undefined ? '' : ` AND ${identifier(tenant)} = $1`
  return `SELECT ${identifier(term)} AS term FROM ${identifier(table)} WHERE ${identifier(term)} IS NOT NULL${where} LIMIT 1`
}
