import { type Clock, systemClock } from '@postern/core'
import { migrate, type SqliteDatabase } from '@postern/store'
import { DETECT_MIGRATIONS, SQLITE } from './remediation-migrations.sql.ts'
import { type RemediationTable, readRemediation, writeRemediation } from './remediation-table.ts'

/** The database that remediations are kept in. */
export interface SqliteRemediationOptions {
  /** Opened by the caller, who closes it. */
  readonly database: SqliteDatabase
  readonly clock?: Clock
}

const POLL_MS = 250

/**
 * Remediations in an SQLite file that several processes of one machine share. SQLite sends no notifications,
 * but reports at no cost whether another connection committed (`PRAGMA data_version`); it is polled every 250
 * ms, and a revision of our own shows whether the change was ours.
 * @throws StoreError when the file cannot be migrated
 */
export function sqliteRemediations(options: SqliteRemediationOptions): RemediationTable {
  const { database } = options
  const clock = options.clock ?? systemClock
  migrate(database, 'detect', DETECT_MIGRATIONS)
  const { db } = database
  const load = db.prepare(SQLITE.load)
  const put = db.prepare(SQLITE.put)
  const remove = db.prepare(SQLITE.remove)
  const prune = db.prepare(SQLITE.prune)
  const bump = db.prepare(SQLITE.bump)
  const revision = db.prepare(SQLITE.revision)
  const version = db.prepare(SQLITE.version)
  let timer: NodeJS.Timeout | undefined
  let lastVersion: unknown
  let lastRevision: unknown

  const look = (): boolean =>
    database.read(() => {
      const nowVersion = version.get()?.['data_version']
      if (nowVersion === lastVersion) return false
      lastVersion = nowVersion
      const nowRevision = revision.get()?.['revision']
      if (nowRevision === lastRevision) return false
      lastRevision = nowRevision
      return true
    })

  return {
    name: 'sqlite',
    load: async (now, limit) =>
      database
        .read(() => load.all(now, limit))
        .map(readRemediation)
        .filter(remediation => remediation !== undefined),
    put: async remediation => {
      const row = writeRemediation(remediation)
      database.transaction(() => {
        prune.run(clock.now())
        put.run(
          row.id,
          row.kind,
          row.value,
          row.measure,
          row.reason,
          row.origin,
          row.createdAt,
          row.expiresAt,
        )
        bump.run()
      })
    },
    remove: async id => {
      database.transaction(() => {
        remove.run(id)
        bump.run()
      })
    },
    watch: async changed => {
      look()
      timer = setInterval(() => {
        try {
          if (look()) changed({ kind: 'stale' })
        } catch {
          // The next poll, or the next full read, will notice; the database reports
          // the failure in its health.
        }
      }, POLL_MS).unref()
    },
    close: async () => clearInterval(timer),
  }
}
