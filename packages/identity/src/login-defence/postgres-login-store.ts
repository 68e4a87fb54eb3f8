import { type Clock, StoreError, systemClock } from '@postern/core'
import { migrate, type PostgresDatabase } from '@postern/store'
import { readRecord, recordLifetime, writeRecord } from './login-record.ts'
import { LOGIN_MIGRATIONS, LOGIN_ROOM, POSTGRES_LOGIN } from './login-records.sql.ts'
import type { LoginStore } from './login-store.ts'

export interface PostgresLoginOptions {
  /** Connected by the caller, who closes it. */
  readonly database: PostgresDatabase
  readonly clock?: Clock
}

interface Row {
  readonly record: string
  readonly version: string
  readonly expiresAt: number
}

const PRUNE_EVERY = 60_000
const MAX_RACES = 32

/**
 * Records in PostgreSQL, for many machines. A change is kept only when nobody else changed the record meanwhile, else the step runs again.
 * @throws StoreError when the database cannot be reached or migrated
 */
export async function postgresLoginStore(options: PostgresLoginOptions): Promise<LoginStore> {
  const { database } = options
  const clock = options.clock ?? systemClock
  await migrate(database, LOGIN_ROOM, LOGIN_MIGRATIONS)
  let prunedAt = Number.NEGATIVE_INFINITY
  return {
    name: 'postgres',
    update: async (account, step) => {
      for (let race = 0; race < MAX_RACES; race++) {
        const row = (await database.query<Row>(POSTGRES_LOGIN.get, [account])).rows[0]
        const now = clock.now()
        const isLive = row !== undefined && row.expiresAt > now
        const { record, result } = step(readRecord(isLive ? row.record : undefined))
        if (record === undefined) return result
        if (now - prunedAt > PRUNE_EVERY) {
          prunedAt = now
          await database.query(POSTGRES_LOGIN.prune, [now])
        }
        const { rowCount } = await database.query(POSTGRES_LOGIN.put, [
          account,
          writeRecord(record),
          row?.version ?? '0',
          now + recordLifetime(record),
        ])
        if (rowCount === 1) return result
      }
      throw new StoreError('too many processes change the same login record at once', {
        store: database.name,
        retryable: true,
      })
    },
  }
}
