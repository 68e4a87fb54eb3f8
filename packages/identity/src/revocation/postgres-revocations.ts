import type { Clock } from '@postern/core'
import { migrate, type PostgresDatabase, postgresTime } from '@postern/store'
import { POSTGRES_REVOCATION, REVOCATION_MIGRATIONS, REVOCATION_SET } from './revocation.sql.ts'
import { type Revocation, type RevocationTable, readRevocation, shifted } from './revocation.ts'

const CHANNEL = 'postern_revocation'

/**
 * Revocations in PostgreSQL. An entry and its notification commit together; who is notified reads the row, so
 * a forged notification can only make it look. Times are kept in the server's.
 * @param clock this machine's; default: the system's
 * @throws StoreError (rejects) when the database cannot be reached or migrated
 */
export async function postgresRevocations(
  database: PostgresDatabase,
  clock?: Clock,
): Promise<RevocationTable> {
  await migrate(database, REVOCATION_SET, REVOCATION_MIGRATIONS)
  const time = postgresTime(database, clock)
  let stop: (() => Promise<void>) | undefined

  const follow = async (text: string, changed: (entry: Revocation | undefined) => void): Promise<void> => {
    const space = text.indexOf(' ')
    try {
      const { rows } = await database.query(POSTGRES_REVOCATION.get, [
        text.slice(0, space),
        text.slice(space + 1),
      ])
      const entry = readRevocation(rows[0])
      if (entry !== undefined) changed(shifted(entry, -(await time.ahead())))
    } catch {
      changed(undefined)
    }
  }

  return {
    name: 'postgres',
    load: async (now, limit) => {
      const ahead = await time.measure()
      const { rows } = await database.query<unknown>(POSTGRES_REVOCATION.load, [now + ahead, limit])
      return rows
        .map(readRevocation)
        .filter((entry): entry is Revocation => entry !== undefined)
        .map(entry => shifted(entry, -ahead))
    },
    put: async (entry, now) => {
      const ahead = await time.ahead()
      const { kind, value, revokedAt, expiresAt } = shifted(entry, ahead)
      await database.transaction(async client => {
        await client.query(POSTGRES_REVOCATION.prune, [now + ahead])
        await client.query(POSTGRES_REVOCATION.put, [kind, value, revokedAt, expiresAt])
        await client.query('SELECT pg_notify($1, $2)', [CHANNEL, `${kind} ${value}`])
      })
    },
    watch: async changed => {
      stop = await database.listen(
        CHANNEL,
        text => {
          follow(text, changed)
        },
        () => changed(undefined),
      )
    },
    close: async () => stop?.(),
  }
}
