import { createCipheriv, createDecipheriv } from 'node:crypto'
import { IntegrityError, type RandomSource, StoreError, systemRandom } from '@postern/core'
import type { PostgresDatabase, SqlClient } from '@postern/store'
import { checkSigningKey, type SigningKey } from '../budget/signed-token.ts'
import { ENTRY, SEAL, UNSEALED } from './journal.sql.ts'

/** Old rows of one entry, and what an edit made of them. */
export interface KeptRows {
  readonly old: readonly string[]
  /** MD5 of each row as the edit left it; empty for deletions. */
  readonly became: readonly string[]
}

/** What an entry is about: sealed rows open as this entry only. */
export interface EntryName {
  readonly id: string
  readonly change: string
  readonly schema: string
  readonly relation: string
  readonly action: string
}

const NONCE_BYTES = 12
const TAG_BYTES = 16
const BATCH = 50
/** Seconds: a batch may hold a quarter of a million rows. */
const LONG = '5m'

/** Bytes of old rows that one entry may have: they are in this process's memory as it is sealed. */
const LARGEST = 134_217_728

/** For `sealJournal`: the largest entry that it seals, and those known to be larger. */
export interface SealOptions {
  readonly random?: RandomSource
  /** Bytes of old rows in one entry; a larger one stays as it is. Default: 128 MiB. */
  readonly largest?: number
  /**
   * Entries that were found too large, by id: what is known is not measured again. Give each call of a
   * process the same set. Default: all are measured.
   */
  readonly tooLarge?: Set<string>
}

/**
 * Seals the rows that the journal holds in the clear, with AES-256-GCM under a key that the database does not
 * have. Run it every few seconds; several processes may. Until then rows are readable to the owner of the
 * schema alone, as the rows of the table were.
 * @param key 32 bytes; keep it until the entries sealed with it have expired
 * @returns how many entries were sealed now
 * @throws StoreError when entries are too large to be sealed; all others are sealed before
 */
export async function sealJournal(
  database: PostgresDatabase,
  key: SigningKey,
  { random = systemRandom, largest = LARGEST, tooLarge = new Set() }: SealOptions = {},
): Promise<number> {
  checkSigningKey(key, 'journal key')
  let total = 0
  const known = [...tooLarge]
  const found = new Set<string>()
  let last = '0'
  for (;;) {
    const count = await database.transaction(async client => {
      const { rows } = await client.query<{ id: string; bytes: number | null }>(
        UNSEALED,
        [BATCH, last, known],
        LONG,
      )
      for (const { id, bytes } of rows) {
        last = id
        if (tooLarge.has(id) || (bytes ?? 0) > largest) found.add(id)
        else if (await sealEntry(client, id, key, random)) total++
      }
      return rows.length
    })
    if (count < BATCH) break
  }
  // Those that are gone by now are forgotten.
  tooLarge.clear()
  for (const id of found) tooLarge.add(id)
  if (found.size > 0)
    throw new StoreError(
      `${found.size} entries of the journal have more than ${largest} bytes of old rows, and are kept unsealed`,
      { store: database.name, retryable: false },
    )
  return total
}

/** One entry at a time: fifty together could be more than there is memory for. */
async function sealEntry(
  client: SqlClient,
  id: string,
  key: SigningKey,
  random: RandomSource,
): Promise<boolean> {
  const found = await client.query<EntryName & { old: string[] | null; became: string[] | null }>(
    ENTRY,
    [id],
    LONG,
  )
  const [entry] = found.rows
  if (entry === undefined) return false
  const { old, became, ...name } = entry
  await client.query(SEAL, [id, sealRows(name, { old: old ?? [], became: became ?? [] }, key, random)], LONG)
  return true
}

/** Key number (2 bytes), nonce, ciphertext, tag. The entry's name is authenticated with it. */
function sealRows(name: EntryName, kept: KeptRows, key: SigningKey, random: RandomSource): Buffer {
  const nonce = random.bytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.secret.subarray(0, 32), nonce)
  cipher.setAAD(nameBytes(name))
  const number = Buffer.alloc(2)
  number.writeUInt16BE(key.id)
  return Buffer.concat([
    number,
    nonce,
    cipher.update(JSON.stringify(kept), 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ])
}

/**
 * @throws IntegrityError when the key is not among those given, or the rows are not
 *   those that were sealed for this entry
 */
export function openRows(name: EntryName, sealed: Uint8Array, keys: readonly SigningKey[]): KeptRows {
  const bytes = Buffer.from(sealed)
  const key = bytes.length < 2 ? undefined : keys.find(({ id }) => id === bytes.readUInt16BE(0))
  if (key === undefined)
    throw new IntegrityError(
      `journal entry ${name.id}: it was sealed with a key that is not given; name that key as well`,
    )
  try {
    const decipher = createDecipheriv(
      'aes-256-gcm',
      key.secret.subarray(0, 32),
      bytes.subarray(2, 2 + NONCE_BYTES),
    )
    decipher.setAAD(nameBytes(name))
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
    const text = Buffer.concat([
      decipher.update(bytes.subarray(2 + NONCE_BYTES, bytes.length - TAG_BYTES)),
      decipher.final(),
    ]).toString('utf8')
    return JSON.parse(text)
  } catch (cause) {
    throw new IntegrityError(
      `journal entry ${name.id}: it is not what was sealed; someone has changed the journal`,
      {
        cause,
      },
    )
  }
}

function nameBytes({ id, change, schema, relation, action }: EntryName): Buffer {
  return Buffer.from(JSON.stringify(['postern journal v1', id, change, schema, relation, action]))
}
