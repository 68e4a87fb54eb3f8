import { type Clock, systemClock } from '@postern/core'
import type { PostgresDatabase, RedisConnection, SqliteDatabase } from '@postern/store'
import { postgresRecords } from '../records/postgres-records.ts'
import type { RecordStore } from '../records/record-store.ts'
import { redisRecords } from '../records/redis-records.ts'
import { sqliteRecords } from '../records/sqlite-records.ts'
import { BOUND_CODEC, type BoundRecord, NO_SESSION } from './bound-record.ts'

/** Where bound sessions are kept. */
export type BoundStore = RecordStore<BoundRecord>

const KIND = 'bound'
const MAX = 100_000

/**
 * Bound sessions of this process, which end with it. Beyond 100,000 the one used longest ago is signed out.
 */
export function memoryBoundStore(clock: Clock = systemClock): BoundStore {
  const records = new Map<string, BoundRecord>()
  return {
    name: 'memory',
    update: (key, step) => {
      const kept = records.get(key)
      const { record, result } = step(kept === undefined || kept.until <= clock.now() ? NO_SESSION : kept)
      if (record === undefined) {
        if (kept !== undefined && records.delete(key)) records.set(key, kept)
        return result
      }
      records.delete(key)
      if (record.sealed === '') return result
      if (records.size >= MAX) {
        const oldest = records.keys().next().value
        if (oldest !== undefined) records.delete(oldest)
      }
      records.set(key, record)
      return result
    },
  }
}

/**
 * Bound sessions in an SQLite file that the processes of one machine share.
 * @throws StoreError when the file cannot be migrated
 */
export function sqliteBoundStore(database: SqliteDatabase, clock: Clock = systemClock): BoundStore {
  return sqliteRecords(database, KIND, BOUND_CODEC, clock)
}

/**
 * Bound sessions in PostgreSQL, for many processes.
 * @throws StoreError (rejects) when the database cannot be reached or migrated
 */
export function postgresBoundStore(
  database: PostgresDatabase,
  clock: Clock = systemClock,
): Promise<BoundStore> {
  return postgresRecords(database, KIND, BOUND_CODEC, clock)
}

/**
 * Bound sessions in Redis or Valkey, for many processes.
 * @param prefix written before every key; default: `postern`
 */
export function redisBoundStore(
  redis: RedisConnection,
  prefix = 'postern',
  clock: Clock = systemClock,
): BoundStore {
  return redisRecords(redis, `${prefix}:bound:`, BOUND_CODEC, clock)
}
