import { KNOWN_FOR, MAX_KNOWN } from './lane-rules.ts'

/** A device or network from which the account was signed in to. */
export interface Known {
  /** Keyed hash of the network, or the device's id. */
  readonly id: string
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
}

/**
 * Everything that is remembered of one account. Immutable; bounded: 32 devices, 32
 * networks, 32 pairs. Holds hashes only.
 */
export interface LoginRecord {
  readonly devices: readonly Known[]
  readonly networks: readonly Known[]
  readonly pairs: readonly Pair[]
  readonly unknownFullAt: number
  /** Failures of unknown clients since one of them succeeded or the owner opened a link. */
  readonly unknownFailures: number
  /** When a link was last mailed, epoch milliseconds; 0 for never. */
  readonly mailedAt: number
  readonly link?: LiveLink
  /** Last change, epoch milliseconds. */
  readonly touched: number
}

export const NO_RECORD: LoginRecord = Object.freeze({
  devices: [],
  networks: [],
  pairs: [],
  unknownFullAt: 0,
  unknownFailures: 0,
  mailedAt: 0,
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

/** A list with an entry put in front; the one used longest ago falls out. */
export function remember<Entry extends { readonly id: string }>(
  list: readonly Entry[],
  entry: Entry,
): readonly Entry[] {
  return [entry, ...list.filter(({ id }) => id !== entry.id)].slice(0, MAX_KNOWN)
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
  return isRecord(value) ? value : UNREADABLE_RECORD
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
    typeof record.touched === 'number'
  )
}
