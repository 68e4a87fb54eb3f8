import type { Migration } from './migration/migration.ts'
import type { PostgresDatabase } from './postgres/postgres-database.ts'
import { migratePostgres } from './postgres/postgres-migrations.ts'
import { SqliteDatabase } from './sqlite/sqlite-database.ts'
import { migrateSqlite } from './sqlite/sqlite-migrations.ts'

/**
 * Brings the tables of one set of migrations up to date under a lock, all pending steps in one transaction;
 * several instances may start at the same time. At once for SQLite, as a promise for PostgreSQL.
 * @param set name of the set, e.g. `throttle`
 * @returns the numbers of the migrations applied now
 * @throws IntegrityError naming the migration, when one that was applied is not what is shipped now
 * @throws StoreError when the store was written by a later version, or cannot be written
 */
export function migrate(
  database: SqliteDatabase,
  set: string,
  migrations: readonly Migration[],
): readonly number[]
export function migrate(
  database: PostgresDatabase,
  set: string,
  migrations: readonly Migration[],
): Promise<readonly number[]>
export function migrate(
  database: SqliteDatabase | PostgresDatabase,
  set: string,
  migrations: readonly Migration[],
): readonly number[] | Promise<readonly number[]> {
  return database instanceof SqliteDatabase
    ? migrateSqlite(database, { name: set, migrations })
    : migratePostgres(database, { name: set, migrations })
}
