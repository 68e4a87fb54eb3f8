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
import { fittingKeys, type PlacedRecord } from './key-fit.ts'
import { LiveHolders, type Parts, type Wanted } from './live-holders.ts'
import { memoryKeys } from './memory-keys.ts'
import { capturedCapabilities, stolenSigners } from './stolen-authority.ts'
import { stolenHolders } from './stolen-holder.ts'
import { Turns } from './turns.ts'

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
  /** Ends the search: `measureExposure` then rejects with its reason. */
  readonly signal?: AbortSignal
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

/** Values of one column that every key is tried on, where they are in no format of the vault. */
const RAW_TRIED = 8

/**
 * Plays the thief: tries everything in the loot, and counts what opens. It never
 * returns a value.
 *
 * It looks for keys by their shape in all files and variables, and in every place of an image of memory;
 * unlocks stolen holders with what it found; and asks live holders, another pair each time: for the right to
 * open, for a right to seal with the stored place, with captured capabilities, with keys of sessions, and in
 * the name of people that a stolen enroller invents. Of a column whose values are in no format of the vault,
 * all keys are tried on 8 values, and those that opened one on the others.
 */
export async function measureExposure(loot: Loot): Promise<Exposure> {
  const turns = new Turns(loot.signal)
  const found = await candidateSecrets(loot.folders, loot.environment, loot.signal)
  const placed = loot.values.map(placedRecord)
  const records = placed.filter(each => each !== undefined)
  const fromMemory = await memoryKeys(filesUnder(loot.folders, Number.POSITIVE_INFINITY), records, turns)
  const secrets = { texts: found.texts, keys: [...found.keys, ...fromMemory] }
  const stolen = await stolenHolders(loot.folders, secrets, turns)
  const atRest = new OpenedAtRest(
    secrets,
    await fittingKeys(secrets.keys, records, turns),
    loot.openers ?? [],
  )
  const ways: Record<string, number> = {}
  let opened = 0
  const count = (way: string): void => {
    opened++
    ways[way] = (ways[way] ?? 0) + 1
  }
  const wanted: Wanted[] = []
  for (const [index, stolenValue] of loot.values.entries()) {
    await turns.next()
    const way = atRest.wayTo(stolenValue, placed[index])
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
    await turns.next()
    const way = each.opens() ? 'captured capabilities' : await live.open(each)
    if (way !== undefined) count(way)
  }
  return { total: loot.values.length, opened, ways, refused: live.refused }
}

/** A value as a record; undefined when it is something else. */
function placedRecord({ context, value }: StolenValue): PlacedRecord | undefined {
  const bytes = recordBytes(value)
  if (bytes === undefined) return undefined
  const record = parseRecord(bytes)
  return {
    record,
    encoded: encodeContext(context),
    area: `${context.table}\n${context.tenant}\n${record.epoch}`,
  }
}

/** What opens with what lies in files and variables. */
class OpenedAtRest {
  readonly #secrets: CandidateSecrets
  readonly #keys: readonly Buffer[]
  readonly #openers: NonNullable<Loot['openers']>
  /** By column, of values in no format of the vault: how many were tried, and the keys that opened one. */
  readonly #raw = new Map<string, { tried: number; readonly keys: Set<Buffer> }>()

  /** @param keys those that open a record */
  constructor(secrets: CandidateSecrets, keys: readonly Buffer[], openers: NonNullable<Loot['openers']>) {
    this.#secrets = secrets
    this.#keys = keys
    this.#openers = openers
  }

  /** How a value opens; undefined when it does not. */
  wayTo(stolenValue: StolenValue, placed: PlacedRecord | undefined): string | undefined {
    if (this.#openers.some(opener => opener(stolenValue, this.#secrets) !== undefined)) return 'other format'
    if (placed !== undefined) return this.#opens(placed) ? 'key in the loot' : undefined
    if (this.#opensRaw(stolenValue)) return 'key in the loot'
    return typeof stolenValue.value === 'string' ? 'plain' : undefined
  }

  #opens({ record, encoded }: PlacedRecord): boolean {
    return this.#keys.some(
      key =>
        tryOpenRecord(record, key, encoded) !== undefined ||
        tryOpenRecord(record, recordPrf(new HmacKey('sha256', key), encoded, record.salt), encoded) !==
          undefined,
    )
  }

  #opensRaw({ context: { table, column }, value }: StolenValue): boolean {
    const bytes = rawBytes(value)
    if (bytes === undefined) return false
    const place = `${table}\n${column}`
    const seen = this.#raw.get(place) ?? { tried: 0, keys: new Set() }
    this.#raw.set(place, seen)
    const keys = seen.tried++ < RAW_TRIED ? this.#secrets.keys : [...seen.keys]
    const key = rawKeyOf(bytes, keys)
    if (key !== undefined) seen.keys.add(key)
    return key !== undefined
  }
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

/** A value of the usual home-made way, nonce, ciphertext and tag, as bytes or as base64. */
function rawBytes(value: Uint8Array | string): Uint8Array | undefined {
  if (typeof value === 'string' && !/^[A-Za-z0-9+/_-]+=*$/.test(value)) return undefined
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : value
  return bytes.length < 28 ? undefined : bytes
}

/** The key that opens bytes of that form. */
function rawKeyOf(bytes: Uint8Array, keys: readonly Buffer[]): Buffer | undefined {
  return keys.find(key => {
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
