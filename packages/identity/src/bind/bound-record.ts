import type { RecordCodec } from '../records/record-store.ts'
import type { Jwk } from '../verify/verification-key.ts'

/** A value of the browser's cookie: SHA-256 of its secret, and until when it counts, epoch milliseconds. */
export interface Ticket {
  readonly digest: string
  readonly until: number
}

/** A session of the backend that the browser holds through us. */
export interface BoundRecord {
  /**
   * The backend's own cookie value, sealed: whoever reads the store has no sessions.
   * Empty for a session that ended.
   */
  readonly sealed: string
  /** The browser's public key, once it registered one. */
  readonly key?: Jwk
  /** Who keeps the key: the browser itself, outside any page, or a script of ours, in IndexedDB. */
  readonly keeper?: 'device' | 'script'
  /** When the key was registered, epoch milliseconds. */
  readonly registered?: number
  /** Whether the browser said that it cannot keep a key: it is not asked again. */
  readonly keyless?: true
  /** `SameSite` of the backend's cookie, where it is not `Lax`. */
  readonly sameSite?: 'Strict' | 'None'
  /**
   * Whether the browser came with a value that was given for its key: only then is it known that
   * the answer to its registration arrived.
   */
  readonly confirmed?: true
  readonly current: Ticket
  /** The value before the last one, for requests that were under way when it changed. */
  readonly previous?: Ticket
  /** Challenges that were answered, newest first: each counts once. */
  readonly used: readonly string[]
  /** When the session ends by itself, epoch milliseconds. */
  readonly until: number
}

/**
 * Answered challenges that are remembered; the rest has run out, or the key's owner
 * refreshes faster than anybody needs to.
 */
export const MAX_USED = 64

export const NO_SESSION: BoundRecord = Object.freeze({
  sealed: '',
  current: { digest: '', until: 0 },
  used: [],
  until: 0,
})

export const BOUND_CODEC: RecordCodec<BoundRecord> = {
  read: text => {
    if (text === undefined) return NO_SESSION
    try {
      return JSON.parse(text) as BoundRecord
    } catch {
      // Nobody can tell whose it was: the session has ended.
      return NO_SESSION
    }
  },
  write: record => JSON.stringify(record),
  lifetime: (record, now) => Math.max(1_000, record.until - now),
}

/** What a cookie's secret is worth at a time. */
export type Standing =
  | 'good'
  /** A value that was right and has run out or was replaced: its owner refreshes, a thief cannot. */
  | 'stale'
  | 'none'

export function standingOf(record: BoundRecord, digest: string, now: number): Standing {
  if (record.sealed === '' || record.until <= now) return 'none'
  const { current, previous } = record
  if (current.digest === digest) return current.until > now ? 'good' : 'stale'
  if (previous?.digest === digest) return previous.until > now ? 'good' : 'stale'
  return 'none'
}

/**
 * Milliseconds that a replaced value still counts: for requests of other tabs under way, and
 * when the answer with the new one was lost.
 */
export const GRACE = 30_000

/**
 * The record with a new value for the browser's cookie. Until the first one given for a key was seen, the
 * value from before registration counts on: if that answer was lost, nobody is signed out.
 */
export function rotated(record: BoundRecord, next: Ticket, now: number): BoundRecord {
  const { current, previous, confirmed } = record
  const before = confirmed === undefined && previous !== undefined ? previous : current
  const until = confirmed === undefined ? before.until : Math.min(before.until, now + GRACE)
  return { ...record, current: next, previous: { digest: before.digest, until } }
}

/**
 * The record once the browser came with the value given for its key; undefined where that is known already.
 */
export function confirmed(record: BoundRecord, digest: string, now: number): BoundRecord | undefined {
  const { previous } = record
  if (record.key === undefined || record.confirmed === true || record.current.digest !== digest)
    return undefined
  return {
    ...record,
    confirmed: true,
    ...(previous !== undefined && {
      previous: { ...previous, until: Math.min(previous.until, now + GRACE) },
    }),
  }
}
