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
  {
    id: 2,
    name: 'fingerprints of local keys',
    sqlite: 'CREATE TABLE vault_key (epoch INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL) STRICT;',
    postgres: 'CREATE TABLE vault_key (epoch INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL);',
  },
]

/** Which key a number stands for, for all servers of a database. Of two that say so at once, one is first. */
export const KEY_SQL = {
  add: 'INSERT INTO vault_key (epoch, fingerprint) VALUES ($1, $2) ON CONFLICT (epoch) DO NOTHING',
  all: 'SELECT epoch, fingerprint FROM vault_key ORDER BY epoch',
} as const

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
  /** How many rows go into one statement: an array for each column, or a list of values for each row. */
  readonly rows: 'arrays' | 'lists'
}

/** The statements of a rewriting job for PostgreSQL. */
export const POSTGRES_DIALECT: TableDialect = { same: 'IS NOT DISTINCT FROM', rows: 'arrays' }
/** The statements of a rewriting job for SQLite. */
export const SQLITE_DIALECT: TableDialect = { same: 'IS', rows: 'lists' }

/**
 * Names and types of the columns of a table in PostgreSQL: the table, as SQL has it. With -1 the types are of
 * any length: `character` and `bit` alone would be of one, and cut keys to it.
 */
export const COLUMN_TYPES = `SELECT attname AS name, format_type(atttypid, -1) AS type FROM pg_attribute
  WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`

/** Whether policies of PostgreSQL decide which rows of a table this user sees. */
export const HIDES_ROWS = 'SELECT row_security_active($1::regclass) AS hides'

/** Which columns of a table may be null; undefined where the database is not asked, and any may be. */
export function nullableColumns({ rows }: TableDialect): string | undefined {
  return rows === 'arrays'
    ? 'SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attnotnull'
    : undefined
}

/** A row that lacks one of these columns. */
export function missingKey(table: string, columns: readonly string[]): string {
  const missing = columns.map(name => `${identifier(name)} IS NULL`).join(' OR ')
  return `SELECT 1 AS found FROM ${identifier(table)} WHERE ${missing} LIMIT 1`
}

/** A statement and its parameters. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

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

/**
 * A relation `v` of rows given as parameters; its columns are named by `cell`.
 * @param types of the columns, for PostgreSQL: `unnest` needs them
 */
function givenRows(
  rows: readonly (readonly unknown[])[],
  types: readonly string[],
  dialect: TableDialect,
): Statement & { readonly cell: (index: number) => string } {
  if (dialect.rows === 'arrays') {
    const arrays = types.map((type, i) => `$${i + 1}::${type}[]`).join(', ')
    const names = types.map((_, i) => `c${i}`).join(', ')
    return {
      text: `unnest(${arrays}) AS v(${names})`,
      values: types.map((_, column) => rows.map(row => row[column] ?? null)),
      cell: index => `v.c${index}`,
    }
  }
  const lists = rows.map((row, i) => `(${places(i * row.length + 1, row.length)})`).join(', ')
  return { text: `(VALUES ${lists}) AS v`, values: rows.flat(), cell: index => `v.column${index + 1}` }
}

/** What a statement over many rows is about. */
export interface ManyRows {
  readonly table: string
  readonly key: readonly string[]
  readonly dialect: TableDialect
  /** Type of a column, in PostgreSQL. */
  readonly typeOf: (column: string) => string
}

/**
 * Sets columns of many rows, each if it still has the values it was read with; returns the keys of those.
 * @param rows of each the values to set, then the key, then the old values
 */
export function updateManyIfSame(
  { table, key, dialect, typeOf }: ManyRows,
  set: readonly string[],
  guard: readonly string[],
  rows: readonly (readonly unknown[])[],
): Statement {
  const given = givenRows(rows, [...set, ...key, ...guard].map(typeOf), dialect)
  const assignments = set.map((name, i) => `${identifier(name)} = ${given.cell(i)}`).join(', ')
  const keys = key.map((name, i) => `t.${identifier(name)} = ${given.cell(set.length + i)}`)
  const same = guard.map(
    (name, i) => `t.${identifier(name)} ${dialect.same} ${given.cell(set.length + key.length + i)}`,
  )
  const returned = key.map(name => (dialect.rows === 'arrays' ? `t.${identifier(name)}` : identifier(name)))
  return {
    text: `UPDATE ${identifier(table)} AS t SET ${assignments} FROM ${given.text} WHERE ${[...keys, ...same].join(' AND ')} RETURNING ${returned.join(', ')}`,
    values: given.values,
  }
}

/** Many rows by their keys. */
export function selectMany(
  { table, key, dialect, typeOf }: ManyRows,
  columns: readonly string[],
  keys: readonly (readonly unknown[])[],
): Statement {
  const given = givenRows(keys, key.map(typeOf), dialect)
  const where = key.map((name, i) => `t.${identifier(name)} = ${given.cell(i)}`).join(' AND ')
  const list = columns.map(name => `t.${identifier(name)}`).join(', ')
  return {
    text: `SELECT ${list} FROM ${identifier(table)} AS t, ${given.text} WHERE ${where}`,
    values: given.values,
  }
}

/** Clears the search terms of a subject's rows: the columns, then the column that names the subject. */
export function clearTerms(table: string, terms: readonly string[], subject: string): string {
  const cleared = terms.map(name => `${identifier(name)} = NULL`).join(', ')
  const left = terms.map(name => `${identifier(name)} IS NOT NULL`).join(' OR ')
  return `UPDATE ${identifier(table)} SET ${cleared} WHERE ${identifier(subject)} = $1 AND (${left})`
}

/** A subject as rows have it, which may be written in another way than it is asked for. */
export function storedSubject(table: string, subject: string): string {
  return `SELECT DISTINCT ${identifier(subject)} AS subject FROM ${identifier(table)} WHERE ${identifier(subject)} = $1`
}

/** One row: its columns in order. Returns some of them as they are stored. */
export function insertRow(table: string, columns: readonly string[], returned: readonly string[]): string {
  return `INSERT INTO ${identifier(table)} (${list(columns)}) VALUES (${places(1, columns.length)})${returning(returned)}`
}

/** One row by its key: set, then key. Returns some columns as they are stored. */
export function updateRow(
  table: string,
  key: readonly string[],
  set: readonly string[],
  returned: readonly string[],
): string {
  const assignments = set.map((name, i) => `${identifier(name)} = $${i + 1}`).join(', ')
  const keys = key.map((name, i) => `${identifier(name)} = $${set.length + i + 1}`)
  return `UPDATE ${identifier(table)} SET ${assignments} WHERE ${keys.join(' AND ')}${returning(returned)}`
}

const returning = (columns: readonly string[]): string =>
  columns.length === 0 ? '' : ` RETURNING ${list(columns)}`

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
