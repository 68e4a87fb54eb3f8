import type { Clock } from '@postern/core'
import { PostgresDatabase, type SqliteDatabase } from '@postern/store'
import { postgresRecords } from './postgres-records.ts'
import type { RecordCodec, RecordStore } from './record-store.ts'
import { sqliteRecords } from './sqlite-records.ts'

/**
 * Records in the database that all processes share, whichever it is.
 * @throws StoreError (rejects) when it cannot be reached or migrated
 */
export async function sharedRecords<Kept>(
  database: SqliteDatabase | PostgresDatabase,
  kind: string,
  codec: RecordCodec<Kept>,
  clock: Clock,
): Promise<RecordStore<Kept>> {
  return database instanceof PostgresDatabase
    ? postgresRecords(database, kind, codec, clock)
    : sqliteRecords(database, kind, codec, clock)
}
