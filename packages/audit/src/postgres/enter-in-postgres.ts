import type { Event } from '@postern/core'
import { migrate, type PostgresDatabase } from '@postern/store'
import { eventText } from '../entry/event-text.ts'
import { INSERT_INBOX, POSTGRES_MIGRATIONS } from './audit.sql.ts'

/**
 * Sends an event to a log in PostgreSQL without being an instance of it: no key is needed. It is durable when
 * this resolves, and the next instance that polls the inbox numbers it.
 * @throws StoreError when the database refuses; ConfigError for a value that is not an event
 */
export async function enterInPostgres(database: PostgresDatabase, event: Event): Promise<void> {
  const text = eventText(event)
  await migrate(database, 'audit', POSTGRES_MIGRATIONS)
  await database.query(INSERT_INBOX, ['event', [text]])
}
