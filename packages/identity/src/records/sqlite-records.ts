import type { Clock } from '@postern/core'
import { migrate, type SqliteDatabase } from '@postern/store'
import type { RecordCodec, RecordStore } from './record-store.ts'
import { RECORD_MIGRATIONS, RECORD_SET, SQLITE_RECORDS } from './record-table.sql.ts'

const PRUNE_EVERY = 60_000

/**
 * Records in an SQLite file that all processes of one machine share; they survive a restart.
 * @param kind keeps their keys apart from those of other records
 * @throws StoreError when the file cannot be migrated
 */
export function sqliteRecords<Kept>(
  database: SqliteDatabase,
  kind: string,
  codec: RecordCodec<Kept>,
  clock: Clock,
): RecordStore<Kept> {
  migrate(database, RECORD_SET, RECORD_MIGRATIONS)
  const get = database.db.prepare(SQLITE_RECORDS.get)
  const put = database.db.prepare(SQLITE_RECORDS.put)
  const prune = database.db.prepare(SQLITE_RECORDS.prune)
  let prunedAt = Number.NEGATIVE_INFINITY
  const read = (key: string): Kept => {
    const row = get.get(`${kind}:${key}`, clock.now())
    return codec.read(row === undefined ? undefined : String(row['record']))
  }
  return {
    name: 'sqlite',
    update: (key, step) => {
      // Most steps of an attack change nothing: they need no write lock.
      const first = database.read(() => step(read(key)))
      if (first.record === undefined) return first.result
      return database.transaction(() => {
        const { record, result } = step(read(key))
        if (record === undefined) return result
        const now = clock.now()
        if (now - prunedAt > PRUNE_EVERY) {
          prune.run(now)
          prunedAt = now
        }
        put.run(`${kind}:${key}`, codec.write(record), now + codec.lifetime(record, now))
        return result
      })
    },
  }
}
