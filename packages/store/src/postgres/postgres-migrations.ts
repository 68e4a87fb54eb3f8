import {
  type AppliedMigration,
  MIGRATIONS_TABLE,
  type MigrationSet,
  pendingMigrations,
} from '../migration/migration.ts'
import type { PostgresDatabase, SqlClient } from './postgres-database.ts'

/** Any number will do, as long as every version of Postern uses the same one. */
const LOCK = 0x506f_7374
/** A long migration of a large table must not be cut off like a request. */
const LIMIT = '15m'

/** Without an operator: somebody may have put one of `oid` and `regclass` in the schema `public`. */
const IS_THERE = `SELECT WHERE pg_catalog.to_regclass('postern_migrations') IS NOT NULL`

/** Tables, views and sequences of the schemas that whoever migrates owns. */
const OWNED = `
  SELECT c.oid::text AS oid FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner
  WHERE r.rolname = current_user AND c.relkind IN ('r', 'p', 'v', 'm', 'S')`

/**
 * Takes from everyone else what default privileges gave them of what this transaction made. Of what somebody
 * else made in the meantime, and of what was granted later on purpose, nothing is taken.
 */
const TAKE_BACK = `
  SELECT DISTINCT format('REVOKE ALL ON %s %s FROM %s CASCADE', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
    c.oid::regclass, CASE WHEN a.grantee = 0::oid THEN 'PUBLIC' ELSE a.grantee::regrole::text END) AS statement
  FROM pg_class AS c JOIN pg_roles AS r ON r.oid = c.relowner, aclexplode(c.relacl) AS a
  WHERE r.rolname = current_user AND c.relkind IN ('r', 'p', 'v', 'm', 'S') AND a.grantee <> c.relowner
    AND c.xmin::text = pg_current_xact_id()::xid::text AND NOT c.oid = ANY ($1::oid[])`

/**
 * See `migrate`. An advisory lock makes instances that start together wait for the first. It is taken only
 * where something is to be applied: every role that may connect could hold it, and no instance would start.
 */
export async function migratePostgres(
  database: PostgresDatabase,
  set: MigrationSet,
): Promise<readonly number[]> {
  const { rows: known } = await database.query(IS_THERE)
  if (known.length > 0) {
    const applied = await appliedTo(database, set.name)
    if (pendingMigrations(database.name, set, 'postgres', applied).length === 0) return []
  }
  return database.transaction(async client => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK], LIMIT)
    const { rows: before } = await client.query<{ oid: string }>(OWNED)
    await client.query(MIGRATIONS_TABLE)
    const pending = pendingMigrations(database.name, set, 'postgres', await appliedTo(client, set.name))
    for (const { id, name, checksum, text } of pending) {
      if (text.trim() !== '') await client.query(text, undefined, LIMIT)
      await client.query(
        'INSERT INTO postern_migrations (room, id, name, checksum, applied_at) VALUES ($1, $2, $3, $4, $5)',
        [set.name, id, name, checksum, Date.now()],
      )
    }
    if (pending.length > 0) {
      const { rows } = await client.query<{ statement: string }>(TAKE_BACK, [before.map(({ oid }) => oid)])
      for (const { statement } of rows) await client.query(statement)
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
