import { type Clock, StoreError } from '@postern/core'
import { migrate, type PostgresDatabase } from '@postern/store'
import type { RecordCodec, RecordStore } from './record-store.ts'
import { POSTGRES_RECORDS, RECORD_MIGRATIONS, RECORD_SET } from './record-table.sql.ts'

interface Row {
  readonly record: string
  readonly version: string
  readonly isLive: boolean
}

const PRUNE_EVERY = 60_000
const MAX_RACES = 32

/**
 * Records in PostgreSQL, for many machines. A change is kept only when nobody else changed the
 * record meanwhile, else the step runs again.
 * @param kind keeps their keys apart from those of other records
 * @throws StoreError when the database cannot be reached or migrated
 */
export async function postgresRecords<Kept>(
  database: PostgresDatabase,
  kind: string,
  codec: RecordCodec<Kept>,
  clock: Clock,
): Promise<RecordStore<Kept>> {
  await migrate(database, RECORD_SET, RECORD_MIGRATIONS)
  let prunedAt = Number.NEGATIVE_INFINITY
  return {
    name: 'postgres',
    update: async (name, step) => {
      const key = `${kind}:${name}`
      for (let race = 0; race < MAX_RACES; race++) {
        const row = (await database.query<Row>(POSTGRES_RECORDS.get, [key])).rows[0]
        const now = clock.now()
        const { record, result } = step(codec.read(row?.isLive === true ? row.record : undefined))
        if (record === undefined) return result
        if (now - prunedAt > PRUNE_EVERY) {
          prunedAt = now
          await database.query(POSTGRES_RECORDS.prune)
        }
        const values = [key, codec.write(record), row?.version ?? '0', codec.lifetime(record, now)]
        const { rowCount } = await database.query(POSTGRES_RECORDS.put, values)
        if (rowCount === 1) return result
      }
      throw new StoreError('too many processes change the same record at once', {
        store: database.name,
        retryable: true,
      })
    },
  }
}
