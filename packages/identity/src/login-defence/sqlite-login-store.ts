import { type Clock, systemClock } from '@postern/core'
import { migrate, type SqliteDatabase } from '@postern/store'
import { readRecord, recordLifetime, writeRecord } from './login-record.ts'
import { LOGIN_MIGRATIONS, LOGIN_ROOM, SQLITE_LOGIN } from './login-records.sql.ts'
import type { LoginStore } from './login-store.ts'

export interface SqliteLoginOptions {
  /** Opened by the caller, who closes it. */
  readonly database: SqliteDatabase
  readonly clock?: Clock
}

const PRUNE_EVERY = 60_000

/**
 * Records in an SQLite file that all processes of one machine share; they survive a restart.
 * @throws StoreError when the file cannot be migrated
 */
export function sqliteLoginStore(options: SqliteLoginOptions): LoginStore {
  const { database } = options
  const clock = options.clock ?? systemClock
  migrate(database, LOGIN_ROOM, LOGIN_MIGRATIONS)
  const get = database.db.prepare(SQLITE_LOGIN.get)
  const put = database.db.prepare(SQLITE_LOGIN.put)
  const prune = database.db.prepare(SQLITE_LOGIN.prune)
  let prunedAt = Number.NEGATIVE_INFINITY
  const read = (account: string): string | undefined => {
    const row = get.get(account, clock.now())
    return row === undefined ? undefined : String(row['record'])
  }
  return {
    name: 'sqlite',
    update: (account, step) => {
      // Most tries of an attack are refused, and a refusal changes nothing: it needs no write lock.
      const first = database.read(() => step(readRecord(read(account))))
      if (first.record === undefined) return first.result
      return database.transaction(() => {
        const { record, result } = step(readRecord(read(account)))
        if (record === undefined) return result
        const now = clock.now()
        if (now - prunedAt > PRUNE_EVERY) {
          prune.run(now)
          prunedAt = now
        }
        put.run(account, writeRecord(record), now + recordLifetime(record))
        return result
      })
    },
  }
}
