import type { DatabaseSync } from 'node:sqlite'
import { IntegrityError, StoreError } from '@postern/core'
import {
  type AppliedMigration,
  MIGRATIONS_TABLE,
  type MigrationSet,
  pendingMigrations,
} from '../migration/migration.ts'

/** What a database must offer to be migrated. */
interface Migratable {
  readonly name: string
  readonly db: DatabaseSync
  read<Value>(work: () => Value): Value
  transaction<Value>(work: () => Value): Value
}

/**
 * See `migrate`. The write lock is taken before looking, so instances that start together wait for the first.
 */
export function migrateSqlite(database: Migratable, set: MigrationSet): readonly number[] {
  // The usual case takes no lock: nothing to do, and another process may be in the middle of a long write.
  if (isUpToDate(database, set)) return []
  return database.transaction(() => {
    const { db } = database
    db.exec(MIGRATIONS_TABLE)
    const record = db.prepare(
      'INSERT INTO postern_migrations (room, id, name, checksum, applied_at) VALUES (?, ?, ?, ?, ?)',
    )
    const pending = pendingMigrations(database.name, set, 'sqlite', appliedTo(database, set.name))
    for (const { id, name, checksum, text } of pending) {
      if (text.trim() !== '') db.exec(text)
      if (!db.isTransaction)
        throw new IntegrityError(
          `${database.name}: migration ${set.name}/${id} "${name}" ended the transaction it runs in; take COMMIT and ROLLBACK out`,
        )
      record.run(set.name, id, name, checksum, Date.now())
    }
    return pending.map(({ id }) => id)
  })
}

/** For one opened read-only: refuses what is too new, and what is too old to be read by this version. */
export function checkSqliteVersion(database: Migratable, set: MigrationSet): void {
  if (isUpToDate(database, set)) return
  throw new StoreError('was written by an earlier version; start Postern once on it, which upgrades it', {
    store: database.name,
    retryable: false,
  })
}

function isUpToDate(database: Migratable, set: MigrationSet): boolean {
  return database.read(() => {
    const table = database.db
      .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'postern_migrations'")
      .get()
    const applied = table === undefined ? [] : appliedTo(database, set.name)
    return pendingMigrations(database.name, set, 'sqlite', applied).length === 0
  })
}

function appliedTo({ db }: Pick<Migratable, 'db'>, set: string): readonly AppliedMigration[] {
  return db
    .prepare('SELECT id, name, checksum FROM postern_migrations WHERE room = ? ORDER BY id')
    .all(set)
    .map(row => ({ id: Number(row['id']), name: String(row['name']), checksum: String(row['checksum']) }))
}
