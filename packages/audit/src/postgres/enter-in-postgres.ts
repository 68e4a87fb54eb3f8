import type { Event } from '@postern/core'
import { migrate, type PostgresDatabase } from '@postern/store'
import { eventText } from '../event-text.ts'
import { INSERT_INBOX, POSTGRES_MIGRATIONS } from './audit.sql.ts'

/**
 * Hands an event to a log in PostgreSQL without being an instance of it: no key is needed. It is durable when this resolves, and numbered by
 * the next instance that looks.
 * @throws StoreError when the database refuses; ConfigError for what is no event
 */
export async function enterInPostgres(database: PostgresDatabase, event: Event): Promise<void> {
  const text = eventText(event)
  await migrate(database, 'audit', POSTGRES_MIGRATIONS)
  await database.query(INSERT_INBOX, ['event', [text]])
}
