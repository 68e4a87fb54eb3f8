import { ConfigError } from '@postern/core'
import type { SqlClient } from '@postern/store'
import type { LocalKeys } from '../local/local-keys.ts'
import { KEY_SQL } from '../sql/table.sql.ts'

/** Fingerprints of keys by their number. */
export type KnownKeys = ReadonlyMap<number, string>

const HINT = 'copy the key file of the server that rotated last to this one'

/**
 * Says in the database of a vault which keys this server has, and holds them against those of the others: two
 * servers that rotate each for itself have two keys of one number, and what one seals the other cannot open.
 * @throws ConfigError when a key is another one than the database knows by its number, or a later one is
 *   missing here; nothing was changed then. StoreError
 */
export async function checkKnownKeys(client: SqlClient, keys: LocalKeys, place: string): Promise<void> {
  const own = keys.fingerprints()
  checkAgainst(await readKeys(client), own, place)
  for (const [epoch, fingerprint] of own) await client.query(KEY_SQL.add, [epoch, fingerprint])
  // Another server may have said so in between.
  checkAgainst(await readKeys(client), own, place)
}

/** The fingerprints that a database with the tables of a vault knows, by number. @throws StoreError */
export async function readKeys(client: SqlClient): Promise<KnownKeys> {
  const { rows } = await client.query<{ readonly epoch: number; readonly fingerprint: string }>(KEY_SQL.all)
  return new Map(rows.map(({ epoch, fingerprint }) => [Number(epoch), fingerprint]))
}

function checkAgainst(known: KnownKeys, own: KnownKeys, place: string): void {
  const fault = otherKey(known, own, place) ?? missingKey(known, own, place)
  if (fault !== undefined) throw fault
}

/** That a key is another one than is known by its number. */
export function otherKey(known: KnownKeys, own: KnownKeys, place: string): ConfigError | undefined {
  const other = [...known].find(([epoch, fingerprint]) => (own.get(epoch) ?? fingerprint) !== fingerprint)
  return other === undefined
    ? undefined
    : new ConfigError({
        place,
        problem: `key ${other[0]} is another one than the database knows by this number: another server has made one`,
        hint: HINT,
      })
}

/** That a later key is known than there is here. */
export function missingKey(known: KnownKeys, own: KnownKeys, place: string): ConfigError | undefined {
  const current = Math.max(...own.keys())
  const later = [...known.keys()].find(epoch => epoch > current)
  return later === undefined
    ? undefined
    : new ConfigError({
        place,
        problem: `key ${later} is missing: another server has made it`,
        hint: HINT,
      })
}
