import { KNOWN_FOR, MAX_KNOWN } from './lane-rules.ts'

/** A device or network from which the account was signed in to. */
export interface Known {
  /** Keyed hash of the network, or the device's id. */
  readonly id: string
  /**
   * The spelling under which it is known, as a keyed hash: to many applications `Ann` and `ann` are two
   * accounts, and whoever owns one must not be known at the other. `''` is every spelling that nobody has
   * signed in with. Records of older versions have no spelling: those are known under all of them.
   */
  readonly as?: string
  /** State of its bucket: when it will be full, epoch milliseconds. */
  readonly fullAt: number
  /** Failures since the last success. */
  readonly failures: number
  /** Last success, epoch milliseconds. */
  readonly seen: number
}

/** One address that tried this account from the lane of the unknown. */
export interface Pair {
  /** Keyed hash of the address. */
  readonly id: string
  readonly fullAt: number
}

/** A link that was mailed and not used yet. */
export interface LiveLink {
  /** SHA-256 of its token, base64url. */
  readonly digest: string
  readonly expiresAt: number
  /** Under which spelling the browser that opens it is known. */
  readonly as: string
}

/** A spelling of the account with which somebody signed in. */
export interface Spelling {
  /** Its keyed hash. */
  readonly id: string
  /** Failures of unknown clients who wrote the account so, since its owner signed in. */
  readonly failures: number
  /**
   * Failures since then under spellings that nobody signed in with: to an application that takes spaces off,
   * `ann ` is this account, and the owner of another spelling must not take them back.
   */
  readonly beside?: number
}

/**
 * Everything that is remembered of one account, in all ways to write it. Immutable; bounded: 32 devices, 32
 * networks, 32 pairs, 32 spellings, 33 links. Holds hashes only.
 */
export interface LoginRecord {
  readonly devices: readonly Known[]
  readonly networks: readonly Known[]
  readonly pairs: readonly Pair[]
  readonly unknownFullAt: number
  /**
   * Failures of unknown clients under other spellings than those of `spellings`, since an unknown client
   * signed in under any.
   */
  readonly unknownFailures: number
  readonly spellings: readonly Spelling[]
  /** When a link for a spelling that nobody signed in with was last mailed, epoch milliseconds; 0: never. */
  readonly mailedAt: number
  readonly links: readonly LiveLink[]
  /** Last change, epoch milliseconds. */
  readonly touched: number
}

export const NO_RECORD: LoginRecord = Object.freeze({
  devices: [],
  networks: [],
  pairs: [],
  unknownFullAt: 0,
  unknownFailures: 0,
  spellings: [],
  mailedAt: 0,
  links: [],
  touched: 0,
})

/**
 * Stands in for a record that cannot be read: unknown clients need a link, for
 * nobody can tell what they had used up.
 */
const UNREADABLE_RECORD: LoginRecord = Object.freeze({
  ...NO_RECORD,
  unknownFailures: Number.MAX_SAFE_INTEGER,
})

/**
 * A list with an entry put in front. When it is full, the one used longest ago falls out of those under the
 * spelling that has most: the owner of one spelling makes nobody forget the devices of another.
 */
export function remember<Entry extends { readonly id: string; readonly as?: string }>(
  list: readonly Entry[],
  entry: Entry,
): readonly Entry[] {
  const next = [entry, ...list.filter(({ id, as }) => id !== entry.id || !isUnder(as, entry.as))]
  if (next.length <= MAX_KNOWN) return next
  const counts = new Map<string | undefined, number>()
  for (const { as } of next) counts.set(as, (counts.get(as) ?? 0) + 1)
  const most = Math.max(...counts.values())
  const last = next.findLastIndex(({ as }) => counts.get(as) === most)
  return next.filter((_, index) => index !== last)
}

/** Whether an entry gives way to one under a spelling; those of older versions do to all. */
function isUnder(as: string | undefined, spelling: string | undefined): boolean {
  return as === undefined || as === spelling
}

/** The device or network of this id that is known under a spelling. */
export function findKnown(
  record: LoginRecord,
  list: 'devices' | 'networks',
  id: string | undefined,
  spelling: string,
): Known | undefined {
  if (id === undefined) return undefined
  const as = spellingIn(record, spelling)
  return record[list].find(known => known.id === id && (known.as === spelling || isUnder(known.as, as)))
}

/** The spelling itself where somebody signed in with it, else `''`: what those have in common. */
export function spellingIn({ spellings }: LoginRecord, spelling: string): string {
  return spellings.some(({ id }) => id === spelling) ? spelling : ''
}

/** Failures of unknown clients in a row, however they wrote the account. */
export function failuresInARow({ spellings, unknownFailures }: LoginRecord): number {
  const beside = Math.max(unknownFailures, ...spellings.map(({ beside = 0 }) => beside))
  return spellings.reduce((sum, { failures }) => sum + failures, beside)
}

/** Whether somebody who signed in once still counts as known. */
export function isKnown(known: Known | undefined, now: number): known is Known {
  return known !== undefined && now - known.seen < KNOWN_FOR
}

/**
 * Milliseconds after which nothing in the record matters any more: with somebody
 * known half a year, else 30 days.
 */
export function recordLifetime(record: LoginRecord): number {
  return record.devices.length + record.networks.length > 0 ? KNOWN_FOR : KNOWN_FOR / 6
}

/** The text a store keeps. */
export function writeRecord(record: LoginRecord): string {
  return JSON.stringify(record)
}

/** The record that a store kept; nothing kept is an account that nobody tried yet. */
export function readRecord(text: string | undefined): LoginRecord {
  if (text === undefined) return NO_RECORD
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return UNREADABLE_RECORD
  }
  return isRecord(value) ? { ...NO_RECORD, ...value } : UNREADABLE_RECORD
}

function isRecord(value: unknown): value is LoginRecord {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Partial<Record<keyof LoginRecord, unknown>>
  return (
    Array.isArray(record.devices) &&
    Array.isArray(record.networks) &&
    Array.isArray(record.pairs) &&
    typeof record.unknownFullAt === 'number' &&
    typeof record.unknownFailures === 'number' &&
    typeof record.mailedAt === 'number' &&
    typeof record.touched === 'number' &&
    (record.spellings === undefined || Array.isArray(record.spellings)) &&
    (record.links === undefined || Array.isArray(record.links))
  )
}
