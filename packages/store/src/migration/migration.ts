import { createHash } from 'node:crypto'
import { ConfigError, IntegrityError, StoreError } from '@postern/core'

/**
 * One numbered step of a schema. Once released it is never edited: the checksum of its text is kept beside
 * the data, and a text that changed is refused. A step without a text for a dialect does nothing there.
 */
export interface Migration {
  /** 1, 2, 3, ... within its set. */
  readonly id: number
  /** A few words for people: `add expiry to remediations`. */
  readonly name: string
  readonly sqlite?: string
  readonly postgres?: string
}

/** The migrations of one part of Postern, numbered by themselves. Several sets share one database. */
export interface MigrationSet {
  /** `throttle`, `audit-index`, ...: kept beside each number that was applied, so it never changes. */
  readonly name: string
  readonly migrations: readonly Migration[]
}

/** What a store says was applied to it. */
export interface AppliedMigration {
  readonly id: number
  readonly name: string
  readonly checksum: string
}

/** A migration in one dialect, ready to run. */
interface PendingMigration extends AppliedMigration {
  readonly text: string
}

/**
 * The table every store keeps its applied migrations in; the same text in both dialects. `room` is the name
 * of the set: the column has this name in every database that exists, and no migration could rename it before
 * the table was read.
 */
export const MIGRATIONS_TABLE = `
  CREATE TABLE IF NOT EXISTS postern_migrations (
    room       TEXT   NOT NULL,
    id         BIGINT NOT NULL,
    name       TEXT   NOT NULL,
    checksum   TEXT   NOT NULL,
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (room, id)
  )`

/**
 * Which migrations a store still lacks, in order. Pure: the store says what it has, the set says what there
 * is.
 * @param store the store as errors name it
 * @throws IntegrityError naming the migration, when one that was applied is not what is shipped now
 * @throws StoreError when the store was written by a later version
 * @throws ConfigError when the numbers of the package are not 1, 2, 3, ...
 */
export function pendingMigrations(
  store: string,
  { name: set, migrations }: MigrationSet,
  dialect: 'sqlite' | 'postgres',
  applied: readonly AppliedMigration[],
): readonly PendingMigration[] {
  checkNumbers({ name: set, migrations })
  const known = new Map(applied.map(migration => [migration.id, migration]))
  const newer = applied.find(migration => migration.id > migrations.length)
  if (newer !== undefined) {
    throw new StoreError(
      `was written by a later version of Postern (migration ${nameOf(set, newer)}); ` +
        'start that version, or restore the backup made before the upgrade',
      { store, retryable: false },
    )
  }
  const pending: PendingMigration[] = []
  for (const migration of migrations) {
    const text = migration[dialect] ?? ''
    const checksum = checksumOf(text)
    const before = known.get(migration.id)
    if (before === undefined) {
      if (applied.some(({ id }) => id > migration.id)) {
        throw new IntegrityError(
          `${store}: migration ${nameOf(set, migration)} is missing though later ones were applied; ` +
            'restore a backup, someone has changed the table postern_migrations',
        )
      }
      pending.push({ id: migration.id, name: migration.name, checksum, text })
    } else if (before.checksum !== checksum) {
      throw new IntegrityError(
        `${store}: migration ${nameOf(set, migration)} is not the one that was applied ` +
          `(checksum ${before.checksum.slice(0, 12)} there, ${checksum.slice(0, 12)} here); ` +
          'a released migration is never edited: install the version that wrote this store',
      )
    }
  }
  return pending
}

function checkNumbers({ name: set, migrations }: MigrationSet): void {
  const index = migrations.findIndex(({ id }, position) => id !== position + 1)
  if (index < 0) return
  throw new ConfigError({
    place: `migrations of ${set}`,
    problem: `number ${migrations[index]?.id} found where ${index + 1} was expected`,
    hint: 'number them 1, 2, 3, ... in the order they are applied',
  })
}

function nameOf(set: string, { id, name }: { readonly id: number; readonly name: string }): string {
  return `${set}/${id} "${name}"`
}

/** SHA-256 of the exact text. */
function checksumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
