import type { DatabaseSync } from 'node:sqlite'
import { IntegrityError, StoreError } from '@postern/core'
import {
  type AppliedMigration,
  MIGRATIONS_TABLE,
  pendingMigrations,
  type RoomMigrations,
} from './migration.ts'

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
export function migrateSqlite(database: Migratable, room: RoomMigrations): readonly number[] {
  // The usual case takes no lock: nothing to do, and another process may be in the middle of a long write.
  if (isUpToDate(database, room)) return []
  return database.transaction(() => {
    const { db } = database
    db.exec(MIGRATIONS_TABLE)
    const record = db.prepare(
      'INSERT INTO postern_migrations (room, id, name, checksum, applied_at) VALUES (?, ?, ?, ?, ?)',
    )
    const pending = pendingMigrations(database.name, room, 'sqlite', appliedTo(database, room.room))
    for (const { id, name, checksum, text } of pending) {
      if (text.trim() !== '') db.exec(text)
      if (!db.isTransaction)
        throw new IntegrityError(
          `${database.name}: migration ${room.room}/${id} "${name}" ended the transaction it runs in; take COMMIT and ROLLBACK out`,
        )
      record.run(room.room, id, name, checksum, Date.now())
    }
    return pending.map(({ id }) => id)
  })
}

/** For one opened read-only: refuses what is too new, and what is too old to be read by this version. */
export function checkSqliteVersion(database: Migratable, room: RoomMigrations): void {
  if (isUpToDate(database, room)) return
  throw new StoreError('was written by an earlier version; start Postern once on it, which upgrades it', {
    store: database.name,
    retryable: false,
  })
}

function isUpToDate(database: Migratable, room: RoomMigrations): boolean {
  return database.read(() => {
    const table = database.db
      .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'postern_migrations'")
      .get()
    const applied = table === undefined ? [] : appliedTo(database, room.room)
    return pendingMigrations(database.name, room, 'sqlite', applied).length === 0
  })
}

function appliedTo({ db }: Pick<Migratable, 'db'>, room: string): readonly AppliedMigration[] {
  return db
    .prepare('SELECT id, name, checksum FROM postern_migrations WHERE room = ? ORDER BY id')
    .all(room)
    .map(row => ({ id: Number(row['id']), name: String(row['name']), checksum: String(row['checksum']) }))
}
