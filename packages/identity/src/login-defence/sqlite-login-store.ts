import { type Clock, systemClock } from '@postern/core'
import type { SqliteDatabase } from '@postern/store'
import { sqliteRecords } from '../records/sqlite-records.ts'
import { LOGIN_CODEC, LOGIN_KIND, type LoginStore } from './login-store.ts'

export interface SqliteLoginOptions {
  /** Opened by the caller, who closes it. */
  readonly database: SqliteDatabase
  readonly clock?: Clock
}

/**
 * Login records in an SQLite file that all processes of one machine share.
 * @throws StoreError when the file cannot be migrated
 */
export function sqliteLoginStore({ database, clock = systemClock }: SqliteLoginOptions): LoginStore {
  return sqliteRecords(database, LOGIN_KIND, LOGIN_CODEC, clock)
}
