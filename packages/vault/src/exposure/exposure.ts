import { createDecipheriv } from 'node:crypto'
import type { HolderKeys } from '../holder/holder-keys.ts'
import { HmacKey } from '../primitive/hmac-key.ts'
import { tryOpenRecord } from '../record/open-record.ts'
import { encodeContext, type RecordContext } from '../record/record-context.ts'
import { looksSealed, type ParsedRecord, parseRecord } from '../record/record-format.ts'
import { recordPrf } from '../record/record-keys.ts'
import type { HolderLink } from '../split/holder-link.ts'
import { packOpenings } from '../split/open-batch.ts'
import { combineParts, PARTS_OF, type Part } from '../split/part.ts'
import { type CandidateSecrets, candidateSecrets } from './candidate-secrets.ts'
import { stolenHolders } from './stolen-holder.ts'

/** A value of the stolen database, and where it stood. */
export interface StolenValue {
  readonly context: RecordContext
  readonly value: Uint8Array | string
}

/** Everything that was taken. */
export interface Loot {
  readonly values: readonly StolenValue[]
  /** Restored disks: of the application, of a holder, backups. */
  readonly folders: readonly string[]
  /** The application's environment. */
  readonly environment: Readonly<Record<string, string>>
  /** Connections to live holders made with the stolen identity; none when they are out of reach. */
  readonly holders?: readonly HolderLink[]
  /** Other formats a thief knows: returns the plain value when one of the secrets opens it. */
  readonly openers?: readonly ((
    value: StolenValue,
    secrets: CandidateSecrets,
  ) => Uint8Array | string | undefined)[]
}

/** What opened, and how. */
export interface Exposure {
  readonly total: number
  readonly opened: number
  /**
   * Values by the way they opened: `plain`, `key in the loot`, `stolen holders`,
   * `live holders`, `other format`.
   */
  readonly ways: Readonly<Record<string, number>>
  /** Requests that live holders refused. */
  readonly refused: number
}

/** Longest wait for a live holder, milliseconds. */
const TIMEOUT_MS = 2_000

/**
 * Plays the thief: tries everything in the loot on every value, and counts what
 * opens. It never returns a value.
 *
 * It looks for keys by their shape in all files and variables, unlocks stolen holders with what it found, and
 * asks live holders, first for the right to open, then for a right to seal with the stored place.
 */
export async function measureExposure(loot: Loot): Promise<Exposure> {
  const secrets = candidateSecrets(loot.folders, loot.environment)
  const stolen = await stolenHolders(loot.folders, secrets)
  const keyed = secrets.keys.map(key => new HmacKey('sha256', key))
  const ways: Record<string, number> = {}
  let opened = 0
  let refused = 0
  const count = (way: string): void => {
    opened++
    ways[way] = (ways[way] ?? 0) + 1
  }
  for (const stolenValue of loot.values) {
    const way = openAtRest(stolenValue, secrets, keyed, loot.openers ?? [])
    if (way !== undefined) {
      count(way)
      continue
    }
    const bytes = recordBytes(stolenValue.value)
    const record = bytes === undefined ? undefined : parseRecord(bytes)
    if (record?.mode !== 'split') continue
    const encoded = encodeContext(stolenValue.context)
    const parts = partsOf(stolen, record, encoded)
    if (opensWith(parts, record, encoded)) {
      count('stolen holders')
      continue
    }
    const result = await askHolders(loot.holders ?? [], stolenValue.context, record, parts, encoded)
    refused += result.refused
    if (result.opened) count('live holders')
  }
  return { total: loot.values.length, opened, ways, refused }
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

type Parts = Partial<Record<Part, Uint8Array>>

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

/** Asks live holders one after the other until the parts suffice, each in every way a thief can think of. */
async function askHolders(
  links: readonly HolderLink[],
  context: RecordContext,
  record: ParsedRecord,
  parts: Parts,
  encoded: Uint8Array,
): Promise<{ readonly opened: boolean; readonly refused: number }> {
  let refused = 0
  const made = Buffer.from(record.salt).toString('base64url')
  const bodies = [
    { op: 'open', items: packOpenings([{ encoded, epoch: record.epoch, salt: record.salt }]) },
    {
      op: 'seal',
      epoch: record.epoch,
      items: [
        {
          context,
          contributions: [
            { holder: 1, nonce: made },
            { holder: 2, nonce: made },
            { holder: 3, nonce: made },
          ],
        },
      ],
    },
  ]
  for (const link of links) {
    // A holder whose parts are at hand already is not asked: it would only cost budget.
    if (PARTS_OF[link.id].every(part => parts[part] !== undefined)) continue
    for (const body of bodies) {
      const answer = (await link.request(body, TIMEOUT_MS).catch(() => ({}))) as {
        readonly parts?: Readonly<Record<string, string>>
      }
      if (answer.parts === undefined) {
        refused++
        continue
      }
      for (const part of PARTS_OF[link.id]) parts[part] = Buffer.from(answer.parts[part] ?? '', 'base64url')
      if (opensWith(parts, record, encoded)) return { opened: true, refused }
    }
  }
  return { opened: false, refused }
}
