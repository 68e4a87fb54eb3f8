import { StoreError } from '@postern/core'
import { migrate, type PostgresDatabase } from '@postern/store'
import { parseVerifierKey } from '../format/note-key.ts'
import { AuditLogReader } from '../read-audit-log.ts'
import { POSTGRES_MIGRATIONS } from './audit.sql.ts'
import { DatabaseStore } from './database-store.ts'

export interface ReadPostgresLogOptions {
  /**
   * Keys that may have signed the checkpoint. Default: those that the database itself names,
   * which is enough to read, but not to trust.
   */
  readonly verifierKeys?: readonly string[]
}

/**
 * Reads the log in a database, while instances append to it. Needs no signing key, and sequences
 * nothing. The caller closes the database.
 * @throws StoreError when the database does not answer, or holds no log
 * @throws ConfigError for a malformed verifier key
 */
export async function readPostgresAuditLog(
  database: PostgresDatabase,
  options: ReadPostgresLogOptions = {},
): Promise<AuditLogReader> {
  await migrate(database, 'audit', POSTGRES_MIGRATIONS)
  const { rows } = await database.query<{ search_key: Buffer }>('SELECT search_key FROM audit_state')
  const [state] = rows
  if (state === undefined)
    throw new StoreError('nothing was recorded here yet', {
      store: `audit log in ${database.name}`,
      retryable: false,
    })
  const store = new DatabaseStore(database, state.search_key)
  const keys = options.verifierKeys ?? (await store.verifierKeys())
  return new AuditLogReader(
    store,
    keys.map(key => parseVerifierKey(key)),
    () => {},
  )
}
