import { createHash } from 'node:crypto'
import {
  type Clock,
  type Duration,
  type Health,
  type HealthProbe,
  parseDuration,
  StoreError,
  systemClock,
} from '@postern/core'
import { percentDecoded } from '../headers/signed-cookie.ts'
import type { Revocation, RevocationTable } from './revocation.ts'

/** The table that instances share, and how long the longest credential lasts. */
export interface RevocationsOptions {
  /** Shared by all instances; without one the list is this process's own and ends with it. */
  readonly table?: RevocationTable
  /** How long whatever may be revoked lives at most: longest token or session. Default: `30d`. */
  readonly longest?: Duration
  readonly clock?: Clock
  /** Called with failures in the background. */
  readonly onError?: (error: unknown) => void
}

/**
 * Entries kept; when there are more, everything issued before the oldest that no
 * longer fits is taken for revoked.
 */
const MAX_ENTRIES = 100_000
const REREAD = 60_000
/** Entries that one reading writes again, where the store lost them; the next reading goes on. */
const MAX_RESTORED = 1_000
/** Two times of one entry, milliseconds: the clocks of machines are compared this closely. */
const SAME_TIME = 2_000
/** Between two attempts to read a table that was away at the start. */
const AGAIN = 1_000
/** A change is kept until every process has surely read it. */
const CHANGE_KEPT = 2 * REREAD

/**
 * The revocation list: asked from memory on every request, at once. What one instance revokes holds there for
 * the next request, and on the others when the table tells them, within a second. Reread every minute, and
 * whenever a message may have been lost.
 */
export class Revocations implements HealthProbe {
  readonly #table: RevocationTable | undefined
  readonly #longest: number
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #entries = new Map<string, Revocation>()
  readonly #listeners = new Set<(revocation: Revocation) => void>()
  #timer: NodeJS.Timeout | undefined
  #later: NodeJS.Timeout | undefined
  #isClosed = false
  /** A reading that fails is repeated; the watch that began before it goes on. */
  #isWatching = false
  #trouble: string | undefined
  /** Everything issued before this is revoked: there was no room to say what. */
  #floor = 0

  constructor(options: RevocationsOptions = {}) {
    this.#table = options.table
    this.#longest = parseDuration(options.longest ?? '30d', 'revocation.longest')
    this.#clock = options.clock ?? systemClock
    this.#onError = options.onError ?? (() => {})
  }

  /**
   * Reads the table and follows it.
   * @throws StoreError (rejects): a list that cannot be read revokes nothing. With `whenAway: 'start'` a
   * store that does not answer is asked again each second, and `health` is not well until it was read
   */
  async start(options: { readonly whenAway?: 'reject' | 'start' } = {}): Promise<this> {
    const table = this.#table
    if (table === undefined) return this
    try {
      await this.#follow(table)
    } catch (error) {
      if (options.whenAway !== 'start' || !(error instanceof StoreError) || !error.retryable) throw error
      this.#trouble = `not read yet, and nothing is revoked until it is: ${error.message}`
      this.#followLater(table)
    }
    return this
  }

  async #follow(table: RevocationTable): Promise<void> {
    if (!this.#isWatching) {
      await table.watch(changed => {
        if (changed === undefined) this.#reread()
        else this.#take(changed)
      })
      this.#isWatching = true
    }
    await this.#load(table)
    if (this.#isClosed) return
    this.#timer = setInterval(() => this.#reread(), REREAD).unref()
  }

  #followLater(table: RevocationTable): void {
    this.#later = setTimeout(() => {
      this.#follow(table).catch((error: unknown) => {
        this.#onError(error)
        if (!this.#isClosed) this.#followLater(table)
      })
    }, AGAIN).unref()
  }

  /**
   * Whether a session, or whatever the principal was given at a time, is revoked.
   * @param session id of the session or token, if it has one
   * @param issuedAt epoch milliseconds
   */
  isRevoked(session: string | undefined, principal: string, issuedAt: number): boolean {
    if (issuedAt < this.#floor) return true
    if (this.#entries.size === 0) return false
    if (session !== undefined && this.#entries.has(`session ${hashOf(session)}`)) return true
    const all = this.#entries.get(`principal ${principal}`)
    return all !== undefined && issuedAt <= all.revokedAt
  }

  /**
   * Revokes one session or token. In force here at once; resolves when it is durable
   * and the other processes were notified.
   */
  revokeSession(id: string): Promise<void> {
    return this.#revoke('session', hashOf(id))
  }

  /** Revokes everything that a principal was given so far. */
  revokePrincipal(id: string): Promise<void> {
    return this.#revoke('principal', id)
  }

  /**
   * Revokes nothing, but has every process check again what is open for a principal: it was changed where it
   * is kept.
   */
  noteChange(principal: string): Promise<void> {
    return this.#revoke('change', principal, CHANGE_KEPT)
  }

  async #revoke(kind: Revocation['kind'], value: string, lifetime = this.#longest): Promise<void> {
    const now = this.#clock.now()
    const entry: Revocation = { kind, value, revokedAt: now, expiresAt: now + lifetime }
    this.#take(entry)
    await this.#table?.put(entry, now)
  }

  /**
   * Calls back for every new revocation, wherever it was made: to cut what is still
   * open. @returns how to stop
   */
  onRevoked(listener: (revocation: Revocation) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #take(entry: Revocation): void {
    const key = keyOf(entry)
    const before = this.#entries.get(key)
    if (before !== undefined && before.revokedAt >= entry.revokedAt) return
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    if (this.#entries.size > MAX_ENTRIES) this.#makeRoom()
    for (const listener of this.#listeners) listener(entry)
  }

  #makeRoom(): void {
    const now = this.#clock.now()
    for (const [key, entry] of this.#entries) if (entry.expiresAt <= now) this.#entries.delete(key)
    // A tenth at a time, or every further entry would cost a look at all of them.
    while (this.#entries.size > MAX_ENTRIES * 0.9) {
      const [key, oldest] = this.#entries.entries().next().value as [string, Revocation]
      this.#entries.delete(key)
      if (oldest.kind !== 'change') this.#floor = Math.max(this.#floor, oldest.revokedAt)
    }
  }

  #reread(): void {
    if (this.#table !== undefined)
      this.#load(this.#table).catch((error: unknown) => {
        this.#trouble = error instanceof Error ? error.message : 'not readable'
        this.#onError(error)
      })
  }

  async #load(table: RevocationTable): Promise<void> {
    const now = this.#clock.now()
    const entries = await table.load(now, MAX_ENTRIES)
    for (const entry of entries.toReversed()) this.#take(entry)
    for (const [key, entry] of this.#entries) if (entry.expiresAt <= now) this.#entries.delete(key)
    this.#trouble = undefined
    if (entries.length < MAX_ENTRIES) await this.#restore(table, entries, now)
  }

  /**
   * Nothing is ever taken from the list before its end. What is missing was lost (a Redis without its data, a
   * restored backup) or could not be written, and would hold again once this process ends: it is kept again.
   */
  async #restore(table: RevocationTable, entries: readonly Revocation[], now: number): Promise<void> {
    const kept = new Map<string, number>()
    for (const entry of entries) {
      const key = keyOf(entry)
      kept.set(key, Math.max(entry.revokedAt, kept.get(key) ?? 0))
    }
    let room = MAX_RESTORED
    for (const [key, entry] of this.#entries) {
      // Times that were read back may differ by what the clocks do.
      if (entry.kind === 'change' || entry.revokedAt - (kept.get(key) ?? 0) <= SAME_TIME) continue
      if (room-- === 0) return
      await table.put(entry, now)
    }
  }

  health(): Health {
    return {
      name: `revocations in ${this.#table?.name ?? 'memory'}`,
      ok: this.#trouble === undefined,
      required: true,
      ...(this.#trouble !== undefined && { detail: this.#trouble }),
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#later)
    clearInterval(this.#timer)
    await this.#table?.close()
  }
}

function keyOf({ kind, value }: Revocation): string {
  return `${kind} ${value}`
}

/** Frameworks read a cookie's value without its escapes, so one session has many spellings. */
function hashOf(id: string): string {
  return createHash('sha256')
    .update(`postern session\n${percentDecoded(id) ?? id}`)
    .digest('base64url')
}
