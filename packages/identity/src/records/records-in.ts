import { type Clock, systemClock } from '@postern/core'
import type { PostgresDatabase, RedisConnection, SqliteDatabase } from '@postern/store'
import { postgresRecords } from './postgres-records.ts'
import type { RecordCodec, RecordStore } from './record-store.ts'
import { redisRecords } from './redis-records.ts'
import { sqliteRecords } from './sqlite-records.ts'

/** Stores that records can be in. All are opened and closed by the caller. */
export interface RecordPlaces {
  readonly redis?: RedisConnection | undefined
  readonly postgres?: PostgresDatabase | undefined
  readonly sqlite?: SqliteDatabase | undefined
  readonly clock?: Clock
}

/**
 * Records in the first of the places that is given.
 * @param kind keeps their keys apart from those of other records
 * @throws TypeError (rejects) when none is; StoreError when it cannot be prepared
 */
export async function recordsIn<Kept>(
  { redis, postgres, sqlite, clock = systemClock }: RecordPlaces,
  kind: string,
  codec: RecordCodec<Kept>,
): Promise<RecordStore<Kept>> {
  if (redis !== undefined) return inTurns(redisRecords(redis, `postern:${kind}:`, codec, clock))
  if (postgres !== undefined) return inTurns(await postgresRecords(postgres, kind, codec, clock))
  if (sqlite !== undefined) return sqliteRecords(sqlite, kind, codec, clock)
  throw new TypeError(`records of the kind ${kind} need a store`)
}

/**
 * The same records; steps of one process on one record wait for each other, where they would otherwise undo
 * each other's work until one of them gives up.
 */
export function inTurns<Kept>(records: RecordStore<Kept>): RecordStore<Kept> {
  const turns = new Map<string, Promise<unknown>>()
  return {
    name: records.name,
    update: (key, step) => {
      const take = () => records.update(key, step)
      const before = turns.get(key)
      const result = before === undefined ? take() : before.then(take, take)
      if (!(result instanceof Promise)) return result
      const turn = result.finally(() => {
        if (turns.get(key) === turn) turns.delete(key)
      })
      turns.set(key, turn)
      return turn
    },
  }
}
