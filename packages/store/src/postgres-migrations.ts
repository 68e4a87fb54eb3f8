import { type AppliedMigration, MIGRATIONS_TABLE, type MigrationSet, pendingMigrations } from './migration.ts'
import type { PostgresDatabase, SqlClient } from './postgres-database.ts'

/** Any number will do, as long as every version of Postern uses the same one. */
const LOCK = 0x506f_7374
/** A long migration of a large table must not be cut off like a request. */
const LIMIT = '15m'

/** See `migrate`. An advisory lock makes instances that start together wait for the first. */
export async function migratePostgres(
  database: PostgresDatabase,
  set: MigrationSet,
): Promise<readonly number[]> {
  return database.transaction(async client => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK], LIMIT)
    await client.query(MIGRATIONS_TABLE)
    const pending = pendingMigrations(database.name, set, 'postgres', await appliedTo(client, set.name))
    for (const { id, name, checksum, text } of pending) {
      if (text.trim() !== '') await client.query(text, undefined, LIMIT)
      await client.query(
        'INSERT INTO postern_migrations (room, id, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)',
        [set.name, id, name, checksum, Date.now()],
      )
    }
    return pending.map(({ id }) => id)
  })
}

async function appliedTo(client: SqlClient, set: string): Promise<readonly AppliedMigration[]> {
  const { rows } = await client.query<{ id: string; name: string; checksum: string }>(
    'SELECT id, name, checksum FROM postern_migrations WHERE room = $1 ORDER BY id',
    [set],
  )
  return rows.map(({ id, name, checksum }) => ({ id: Number(id), name, checksum }))
}
