import { migrate, type SqliteDatabase } from '@postern/store'
import { REVOCATION_MIGRATIONS, REVOCATION_SET, SQLITE_REVOCATION } from './revocation.sql.ts'
import { type Revocation, type RevocationTable, readRevocation } from './revocation.ts'

const POLL = 250

/**
 * Revocations in an SQLite file that the processes of one machine share. SQLite tells nobody of a change, but
 * says for free whether another connection committed; asked every 250 ms.
 * @throws StoreError when the file cannot be migrated
 */
export function sqliteRevocations(database: SqliteDatabase): RevocationTable {
  migrate(database, REVOCATION_SET, REVOCATION_MIGRATIONS)
  const { db } = database
  const load = db.prepare(SQLITE_REVOCATION.load)
  const put = db.prepare(SQLITE_REVOCATION.put)
  const prune = db.prepare(SQLITE_REVOCATION.prune)
  const version = db.prepare(SQLITE_REVOCATION.version)
  let timer: NodeJS.Timeout | undefined
  const look = (): unknown => database.read(() => version.get()?.['data_version'])

  return {
    name: 'sqlite',
    load: async (now, limit) =>
      database
        .read(() => load.all(now, limit))
        .map(readRevocation)
        .filter((entry): entry is Revocation => entry !== undefined),
    put: async ({ kind, value, revokedAt, expiresAt }, now) => {
      database.transaction(() => {
        prune.run(now)
        put.run(kind, value, revokedAt, expiresAt)
      })
    },
    watch: async changed => {
      let last = look()
      timer = setInterval(() => {
        try {
          const now = look()
          if (now === last) return
          last = now
          changed(undefined)
        } catch {
          // The next look, or the reading every minute, finds out; the database says so in its health.
        }
      }, POLL).unref()
    },
    close: async () => clearInterval(timer),
  }
}
