import type { Pool } from 'pg'
import type { Around } from './around.ts'
import { openPostgres } from './postgres.ts'
import { openSqlite } from './sqlite.ts'

/** A row as the routes see it. */
export type Row = Readonly<Record<string, string | number | null>>

/** The two databases the shop runs on, reduced to what it needs. Parameters are written `$1`, `$2`. */
export interface ShopDatabase {
  all(sql: string, values?: readonly (string | number | null)[]): Promise<readonly Row[]>
  /** @returns how many rows changed */
  run(sql: string, values?: readonly (string | number | null)[]): Promise<number>
  /** Runs statements without parameters. */
  script(sql: string): Promise<void>
  /**
   * Hands the embedded database over, once its tables are there; PostgreSQL's pool was handed over when it
   * was made.
   */
  guard(): void
  /** The connections, where it is PostgreSQL. */
  readonly pool?: Pool
  close(): Promise<void>
}

/** PostgreSQL when a URL is given, else SQLite in a file, else SQLite in memory. */
export async function openDatabase(options: {
  readonly databaseUrl?: string | undefined
  readonly file?: string | undefined
  readonly around?: Around | undefined
}): Promise<ShopDatabase> {
  return options.databaseUrl === undefined
    ? openSqlite(options.file ?? ':memory:', options.around)
    : openPostgres(options.databaseUrl, options.around)
}

/** The first row, or undefined. */
export async function first(
  database: ShopDatabase,
  sql: string,
  values: readonly (string | number | null)[],
): Promise<Row | undefined> {
  return (await database.all(sql, values))[0]
}
