import { type Clock, systemClock } from '@postern/core'
import type { Migration, PostgresDatabase } from '@postern/store'
import type { LimitStore } from '../limit/limit-store.ts'
import type { LimitBatch } from './limit-batch.ts'
import { FORGET_EXPIRED, LIMITS_SCHEMA } from './postgres-limits.sql.ts'
import { RemoteStore } from './remote-store.ts'

/** The database that counts are kept in. */
export interface PostgresStoreOptions {
  /**
   * From `connectPostgres` of `@postern/store`, with the `throttle` migrations applied. The caller closes it.
   */
  readonly database: PostgresDatabase
  /** Written before every key. Default: `postern`. */
  readonly prefix?: string
  /**
   * For tests: whose wall time to send along, and by whose monotonic time leases end. The server's own clock
   * counts unless given.
   */
  readonly clock?: Clock
}

/** For `migrate(database, 'throttle', limitMigrations)`. */
export const limitMigrations: readonly Migration[] = [
  { id: 1, name: 'counts of limits', postgres: LIMITS_SCHEMA },
]

/** How often expired keys are removed, milliseconds. */
const SWEEP_EVERY = 10_000

/**
 * Counts in PostgreSQL, for many processes: exact over all of them. One statement for all decisions asked at
 * the same time. Slower than Redis, but needs no second server beside PostgreSQL.
 */
export function postgresStore({ database, prefix = 'postern', clock }: PostgresStoreOptions): LimitStore {
  /** Epoch milliseconds, or -1 for the server's own clock. */
  const time = (): number => (clock === undefined ? -1 : clock.now())
  let sweptAt = systemClock.monotonic()
  const sweep = (): void => {
    const now = systemClock.monotonic()
    if (now - sweptAt < SWEEP_EVERY) return
    sweptAt = now
    // What is left over is removed the next time.
    database.query(FORGET_EXPIRED, [time()]).catch(() => {})
  }
  return new RemoteStore({
    name: 'postgres',
    prefix: `${prefix}:`,
    clock,
    decide: async batch => {
      sweep()
      return decideInPostgres(database, batch, time())
    },
    forget: async key => {
      await database.query('DELETE FROM postern_limits WHERE key = $1', [key])
    },
    health: () => ({ ...database.health(), name: 'limits', required: false }),
  })
}

/** @param time epoch milliseconds, or -1 for the server's own clock */
async function decideInPostgres(
  database: PostgresDatabase,
  batch: LimitBatch,
  time: number,
): Promise<readonly number[]> {
  const { keys, rules, decisions } = batch
  const { rows } = await database.query<{ reply: readonly number[] }>(
    'SELECT postern_limits_decide($1, $2, $3, $4) AS reply',
    [keys, rules, decisions, time],
  )
  return rows[0]?.reply ?? []
}
