import { type Clock, systemClock } from '@postern/core'
import type { PostgresDatabase } from '@postern/store'
import { postgresRecords } from '../records/postgres-records.ts'
import { LOGIN_CODEC, LOGIN_KIND, type LoginStore } from './login-store.ts'

export interface PostgresLoginOptions {
  /** Connected by the caller, who closes it. */
  readonly database: PostgresDatabase
  readonly clock?: Clock
}

/**
 * Login records in PostgreSQL, for many machines.
 * @throws StoreError (rejects) when the database cannot be reached or migrated
 */
export function postgresLoginStore({
  database,
  clock = systemClock,
}: PostgresLoginOptions): Promise<LoginStore> {
  return postgresRecords(database, LOGIN_KIND, LOGIN_CODEC, clock)
}
