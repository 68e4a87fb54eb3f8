import { createDecipheriv } from 'node:crypto'
import type { HolderKeys } from '../holder/holder-keys.ts'
import { HmacKey } from '../primitive/hmac-key.ts'
import { tryOpenRecord } from '../record/open-record.ts'
import { encodeContext, type RecordContext } from '../record/record-context.ts'
import { looksSealed, type ParsedRecord, parseRecord } from '../record/record-format.ts'
import { recordPrf } from '../record/record-keys.ts'
import type { HolderLink } from '../split/holder-link.ts'
import { combineParts, PARTS_OF } from '../split/part.ts'
import { type CandidateSecrets, candidateSecrets, filesUnder } from './candidate-secrets.ts'
import { LiveHolders, type Parts, type Wanted } from './live-holders.ts'
import { memoryKeys, type PlacedRecord } from './memory-keys.ts'
import { capturedCapabilities, stolenSigners } from './stolen-authority.ts'
import { stolenHolders } from './stolen-holder.ts'

/** A value of the stolen database, and where it stood. */
export interface StolenValue {
  readonly context: RecordContext
  readonly value: Uint8Array | string
}

/** Everything that was taken. */
export interface Loot {
  readonly values: readonly StolenValue[]
  /** Restored disks: of the application, of a holder, backups, swap, core dumps, images of memory. */
  readonly folders: readonly string[]
  /** The application's environment. */
  readonly environment: Readonly<Record<string, string>>
  /** Connections to live holders made with the stolen identity; none when they are out of reach. */
  readonly holders?: readonly HolderLink[]
  /** What the holders call the application, which capabilities name. Default `app`. */
  readonly service?: string
  /** What the thief takes for the time, epoch milliseconds. Default: `Date.now`. */
  readonly now?: () => number
  /** Other formats a thief knows: returns the plain value when one of the secrets opens it. */
  readonly openers?: readonly ((
    value: StolenValue,
    secrets: CandidateSecrets,
  ) => Uint8Array | string | undefined)[]
}

/** How many values a thief opened, and by which ways. */
export interface Exposure {
  readonly total: number
  readonly opened: number
  /**
   * Values by the way they opened: `plain`, `key in the loot`, `stolen holders`,
   * `live holders`, `captured capabilities`, `signed in the name of others`,
   * `other format`.
   */
  readonly ways: Readonly<Record<string, number>>
  /** Requests that live holders refused. */
  readonly refused: number
}

/**
 * Plays the thief: tries everything in the loot on every value, and counts what
 * opens. It never returns a value.
 *
 * It looks for keys by their shape in all files and variables, and in every place of an image of memory;
 * unlocks stolen holders with what it found; and asks live holders, another pair each time: for the right to
 * open, for a right to seal with the stored place, with captured capabilities, with keys of sessions, and in
 * the name of people that a stolen enroller invents.
 */
export async function measureExposure(loot: Loot): Promise<Exposure> {
  const found = candidateSecrets(loot.folders, loot.environment)
  const placed = loot.values.map(placedRecord)
  const fromMemory = memoryKeys(
    filesUnder(loot.folders, Number.POSITIVE_INFINITY),
    placed.filter(each => each !== undefined),
  )
  const secrets = { texts: found.texts, keys: [...found.keys, ...fromMemory] }
  const stolen = await stolenHolders(loot.folders, secrets)
  const keyed = secrets.keys.map(key => new HmacKey('sha256', key))
  const ways: Record<string, number> = {}
  let opened = 0
  const count = (way: string): void => {
    opened++
    ways[way] = (ways[way] ?? 0) + 1
  }
  const wanted: Wanted[] = []
  for (const [index, stolenValue] of loot.values.entries()) {
    const way = openAtRest(stolenValue, secrets, keyed, loot.openers ?? [])
    if (way !== undefined) {
      count(way)
      continue
    }
    const here = placed[index]
    if (here?.record.mode !== 'split') continue
    const { record, encoded } = here
    const parts = partsOf(stolen, record, encoded)
    const opens = (): boolean => opensWith(parts, record, encoded)
    if (opens()) count('stolen holders')
    else wanted.push({ context: stolenValue.context, record, encoded, parts, opens })
  }
  const links = loot.holders ?? []
  if (links.length === 0) return { total: loot.values.length, opened, ways, refused: 0 }
  const live = new LiveHolders(links, stolenSigners(secrets), loot.service ?? 'app', loot.now ?? Date.now)
  for (const { text, names } of capturedCapabilities(secrets)) {
    const named = wanted.filter(({ context, opens }) => names(context) && !opens())
    if (named.length > 0) await live.present(text, named)
  }
  for (const each of wanted) {
    const way = each.opens() ? 'captured capabilities' : await live.open(each)
    if (way !== undefined) count(way)
  }
  return { total: loot.values.length, opened, ways, refused: live.refused }
}

/** A value as a record; undefined when it is something else. */
function placedRecord({ context, value }: StolenValue): PlacedRecord | undefined {
  const bytes = recordBytes(value)
  return bytes === undefined ? undefined : { record: parseRecord(bytes), encoded: encodeContext(context) }
}

/** How a value opens with what lies in files and variables; undefined when it does not. */
function openAtRest(
  stolenValue: StolenValue,
  secrets: CandidateSecrets,
  keyed: readonly HmacKey[],
  openers: NonNullable<Loot['openers']>,
): string | undefined {
  const { context, value } = stolenValue
  if (openers.some(opener => opener(stolenValue, secrets) !== undefined)) return 'other format'
  const bytes = recordBytes(value)
  if (bytes === undefined) {
    if (opensRaw(value, secrets)) return 'key in the loot'
    return typeof value === 'string' ? 'plain' : undefined
  }
  const record = parseRecord(bytes)
  const encoded = encodeContext(context)
  const candidates = [...keyed.map(key => recordPrf(key, encoded, record.salt)), ...secrets.keys]
  const opens = candidates.some(key => tryOpenRecord(record, key, encoded) !== undefined)
  return opens ? 'key in the loot' : undefined
}

function recordBytes(value: Uint8Array | string): Uint8Array | undefined {
  if (typeof value !== 'string') return looksSealed(value) && isKnownSuite(value) ? value : undefined
  const bytes = value.startsWith('pv1.') ? Buffer.from(value.slice(4), 'base64url') : undefined
  return bytes !== undefined && looksSealed(bytes) && isKnownSuite(bytes) ? bytes : undefined
}

/** A damaged record is of no use to a thief either. */
function isKnownSuite(bytes: Uint8Array): boolean {
  return (bytes[2] ?? 0) >= 1 && (bytes[2] ?? 0) <= 3
}

/** The usual home-made way: nonce, ciphertext and tag under one key, as bytes or as base64. */
function opensRaw(value: Uint8Array | string, { keys }: CandidateSecrets): boolean {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : value
  if (bytes.length < 28) return false
  return keys.some(key => {
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAuthTag(bytes.subarray(-16))
      decipher.update(bytes.subarray(12, -16))
      decipher.final()
      return true
    } catch {
      return false
    }
  })
}

function partsOf(stolen: readonly HolderKeys[], record: ParsedRecord, encoded: Uint8Array): Parts {
  const parts: Parts = {}
  for (const keys of stolen) {
    if (!keys.epochs.includes(record.epoch)) continue
    for (const part of PARTS_OF[keys.id])
      parts[part] = recordPrf(keys.prf(record.epoch, part, 'record'), encoded, record.salt)
  }
  return parts
}

function opensWith({ a, b, c }: Parts, record: ParsedRecord, encoded: Uint8Array): boolean {
  if (a === undefined || b === undefined || c === undefined) return false
  return tryOpenRecord(record, combineParts(a, b, c), encoded) !== undefined
}
