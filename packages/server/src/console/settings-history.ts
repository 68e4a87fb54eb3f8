import type { SettingsChange } from '@postern/console'
import type { Clock } from '@postern/core'
import { migrate, type SqliteDatabase } from '@postern/store'
import { SETTINGS_MIGRATIONS, SETTINGS_SQL } from './settings-history.sql.ts'

/** Changes kept; the oldest go first. */
const MAX_CHANGES = 200

/** The changes of the configuration that were made in the console, in the data directory's database. */
export class SettingsHistory {
  readonly #database: SqliteDatabase
  readonly #clock: Clock

  /** @throws StoreError when the database cannot be migrated */
  constructor(database: SqliteDatabase, clock: Clock) {
    this.#database = database
    this.#clock = clock
    migrate(database, 'console', SETTINGS_MIGRATIONS)
  }

  add({ operator, before, after }: Pick<SettingsChange, 'operator' | 'before' | 'after'>): void {
    const { db } = this.#database
    this.#database.transaction(() => {
      db.prepare(SETTINGS_SQL.add).run(this.#clock.now(), operator, before, after)
      db.prepare(SETTINGS_SQL.prune).run(MAX_CHANGES)
    })
  }

  /** Newest first. */
  list(): readonly SettingsChange[] {
    return this.#database
      .read(() => this.#database.db.prepare(SETTINGS_SQL.list).all())
      .map(row => ({
        id: Number(row['id']),
        time: Number(row['time']),
        operator: String(row['operator']),
        before: String(row['before']),
        after: String(row['after']),
      }))
  }
}
