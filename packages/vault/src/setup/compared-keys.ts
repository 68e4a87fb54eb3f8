import { existsSync } from 'node:fs'
import type { ConfigError } from '@postern/core'
import { connectPostgres, openSqlite } from '@postern/store'
import type { LocalKeys } from '../local/local-keys.ts'
import { sqliteClient } from '../sql/sqlite-client.ts'
import { type KnownKeys, missingKey, otherKey, readKeys } from './known-keys.ts'

/** What local keys lack beside those that the database of the vault knows. */
export interface KeyFaults {
  /** A key is another one than the database knows by its number. */
  readonly other?: ConfigError
  /** The database knows a later key. */
  readonly missing?: ConfigError
}

/**
 * Holds local keys against those that the database knows by their fingerprints. Changes nothing there, and
 * says nothing where the database knows none yet.
 * @param timeout milliseconds, for each of connecting and asking
 * @throws StoreError, or ConfigError without a driver
 */
export async function compareKeys(
  database: string,
  keys: LocalKeys,
  place: string,
  timeout: number,
): Promise<KeyFaults> {
  const known = /^postgres(?:ql)?:/.test(database)
    ? await inPostgres(database, timeout)
    : await inSqlite(database)
  const own = keys.fingerprints()
  const [other, missing] = [otherKey(known, own, place), missingKey(known, own, place)]
  return { ...(other !== undefined && { other }), ...(missing !== undefined && { missing }) }
}

async function inPostgres(url: string, timeout: number): Promise<KnownKeys> {
  const postgres = connectPostgres({ url, max: 1, connectTimeout: timeout, statementTimeout: timeout })
  try {
    const { rows } = await postgres.query("SELECT 1 WHERE to_regclass('vault_key') IS NOT NULL")
    return rows.length === 0 ? new Map() : await readKeys(postgres)
  } finally {
    await postgres.close()
  }
}

async function inSqlite(path: string): Promise<KnownKeys> {
  if (!existsSync(path)) return new Map()
  const sqlite = openSqlite({ path, readOnly: true })
  try {
    const table = sqlite.db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'vault_key'").get()
    return table === undefined ? new Map() : await readKeys(sqliteClient(sqlite))
  } finally {
    sqlite.close()
  }
}
