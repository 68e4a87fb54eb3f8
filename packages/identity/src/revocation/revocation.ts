/**
 * What was revoked: one session (by its id's hash), or everything of a principal that was issued before. A
 * `change` revokes nothing: something about a principal is kept elsewhere and is another now (a session of
 * built-in identity that ended), so what is open for it is to be checked again.
 */
export interface Revocation {
  readonly kind: 'session' | 'principal' | 'change'
  /**
   * Id of the principal, or SHA-256 of the session's id as base64url: a list of live
   * session ids would be a list of credentials.
   */
  readonly value: string
  /** Epoch milliseconds. Of a principal, what was issued later holds again. */
  readonly revokedAt: number
  /** When whatever was revoked would have ended by itself, epoch milliseconds; the entry is dropped then. */
  readonly expiresAt: number
}

/** A table of revocations that instances share. */
export interface RevocationTable {
  readonly name: string
  /** All live entries, newest first, at most `limit`. @throws StoreError (rejects) */
  load(now: number, limit: number): Promise<readonly Revocation[]>
  /**
   * Keeps an entry, durably, and notifies the other instances. Of two about the same, the later counts.
   * @param now epoch milliseconds: what has ended by then may be dropped. @throws StoreError (rejects)
   */
  put(revocation: Revocation, now: number): Promise<void>
  /**
   * Calls back for every entry of another instance, or with undefined when something may have
   * been missed. @throws StoreError (rejects)
   */
  watch(changed: (revocation: Revocation | undefined) => void): Promise<void>
  close(): Promise<void>
}

/** The same entry on a clock that shows so many milliseconds more. */
export function shifted(entry: Revocation, ms: number): Revocation {
  if (ms === 0) return entry
  return { ...entry, revokedAt: entry.revokedAt + ms, expiresAt: entry.expiresAt + ms }
}

/** An entry read from a store, or undefined for an invalid one. */
export function readRevocation(value: unknown): Revocation | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { kind, value: what, revokedAt, expiresAt } = value as Readonly<Record<string, unknown>>
  if (kind !== 'session' && kind !== 'principal' && kind !== 'change') return undefined
  if (typeof what !== 'string' || what === '') return undefined
  const from = Number(revokedAt)
  const until = Number(expiresAt)
  if (!Number.isFinite(from) || !Number.isFinite(until)) return undefined
  return { kind, value: what, revokedAt: from, expiresAt: until }
}
