import type { Migration } from './migration.ts'
import type { PostgresDatabase } from './postgres-database.ts'
import { migratePostgres } from './postgres-migrations.ts'
import { SqliteDatabase } from './sqlite-database.ts'
import { migrateSqlite } from './sqlite-migrations.ts'

/**
 * Brings a room's schema up to date under a lock, all pending steps in one transaction; several instances may
 * start at once. At once for SQLite, as a promise for PostgreSQL.
 * @returns the numbers of the migrations applied now
 * @throws IntegrityError naming the migration, when one that was applied is not what is shipped now
 * @throws StoreError when the store was written by a later version, or cannot be written
 */
export function migrate(
  database: SqliteDatabase,
  room: string,
  migrations: readonly Migration[],
): readonly number[]
export function migrate(
  database: PostgresDatabase,
  room: string,
  migrations: readonly Migration[],
): Promise<readonly number[]>
export function migrate(
  database: SqliteDatabase | PostgresDatabase,
  room: string,
  migrations: readonly Migration[],
): readonly number[] | Promise<readonly number[]> {
  return database instanceof SqliteDatabase
    ? migrateSqlite(database, { room, migrations })
    : migratePostgres(database, { room, migrations })
}
