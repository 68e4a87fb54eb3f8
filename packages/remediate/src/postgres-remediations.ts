import { type Clock, type Remediation, systemClock } from '@postern/core'
import { migrate, type PostgresDatabase, postgresTime, type SqlResult } from '@postern/store'
import { DETECT_MIGRATIONS, POSTGRES } from './remediation-migrations.sql.ts'
import {
  type RemediationTable,
  readRemediation,
  shifted,
  type TableChange,
  writeRemediation,
} from './remediation-table.ts'

/** The database that remediations are kept in. */
export interface PostgresRemediationOptions {
  /** Connected by the caller, who closes it. */
  readonly database: PostgresDatabase
  /** Channel of the notifications. Default: `postern_remediation`. */
  readonly channel?: string
  readonly clock?: Clock
}

const PRUNE_EVERY_MS = 60_000

/**
 * Remediations in PostgreSQL. A change and its notification commit together (LISTEN/NOTIFY); a listener that
 * receives an id reads the row itself, so a forged notification only causes a read. Times are kept in the
 * server's, whatever the clocks of the instances say.
 * @throws StoreError when the database cannot be reached or migrated
 */
export async function postgresRemediations(options: PostgresRemediationOptions): Promise<RemediationTable> {
  const { database } = options
  const channel = options.channel ?? 'postern_remediation'
  const clock = options.clock ?? systemClock
  await migrate(database, 'detect', DETECT_MIGRATIONS)
  const time = postgresTime(database, clock)
  let stop: (() => Promise<void>) | undefined
  let prunedAt = Number.NEGATIVE_INFINITY

  const follow = async (id: string, changed: (change: TableChange) => void): Promise<void> => {
    try {
      const { rows } = await database.query(POSTGRES.get, [id])
      const remediation = readRemediation(rows[0])
      if (remediation === undefined) changed({ kind: 'removed', id })
      else changed({ kind: 'put', remediation: shifted(remediation, -(await time.ahead())) })
    } catch {
      changed({ kind: 'stale' })
    }
  }

  return {
    name: 'postgres',
    load: async (now, limit) => {
      const ahead = await time.measure()
      const { rows }: SqlResult<unknown> = await database.query(POSTGRES.load, [now + ahead, limit])
      return rows
        .map(readRemediation)
        .filter((row): row is Remediation => row !== undefined)
        .map(row => shifted(row, -ahead))
    },
    put: async remediation => {
      const ahead = await time.ahead()
      const row = writeRemediation(shifted(remediation, ahead))
      const now = clock.now() + ahead
      await database.transaction(async client => {
        if (now - prunedAt > PRUNE_EVERY_MS) await client.query(POSTGRES.prune, [now])
        await client.query(POSTGRES.put, [
          row.id,
          row.kind,
          row.value,
          row.measure,
          row.reason,
          row.origin,
          row.createdAt,
          row.expiresAt,
        ])
        await client.query('SELECT pg_notify($1, $2)', [channel, row.id])
      })
      prunedAt = Math.max(prunedAt, now)
    },
    remove: async id => {
      await database.transaction(async client => {
        await client.query(POSTGRES.remove, [id])
        await client.query('SELECT pg_notify($1, $2)', [channel, id])
      })
    },
    watch: async changed => {
      stop = await database.listen(
        channel,
        id => void follow(id, changed),
        () => changed({ kind: 'stale' }),
      )
    },
    close: async () => stop?.(),
  }
}
