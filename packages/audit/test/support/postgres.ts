import type { TestContext } from 'node:test'
import { connectPostgres, type PostgresDatabase } from '@postern/store'
import { freshDatabase } from '../../../../test/services.ts'
import {
  generateNoteKey,
  openPostgresAuditLog,
  type PostgresAuditLog,
  type PostgresAuditLogOptions,
} from '../../src/index.ts'

export const origin = 'shop.example.com/audit'
export const pair: { readonly signerKey: string; readonly verifierKey: string } = generateNoteKey(origin)

/** A database that no other test uses. */
export async function database(t: TestContext): Promise<PostgresDatabase> {
  const connected = connectPostgres({ url: await freshDatabase(t) })
  t.after(() => connected.close())
  return connected
}

/** An instance of the log in a database. */
export function openInstance(
  db: PostgresDatabase,
  options: Partial<PostgresAuditLogOptions> = {},
): Promise<PostgresAuditLog> {
  return openPostgresAuditLog({
    database: db,
    origin,
    signerKeys: [pair.signerKey],
    pollInterval: '20ms',
    ...options,
  })
}
