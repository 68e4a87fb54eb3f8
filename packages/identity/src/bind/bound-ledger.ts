import type { Clock, RandomSource } from '@postern/core'
import { percentDecoded } from '../headers/signed-cookie.ts'
import type { RecordStore } from '../records/record-store.ts'
import type { Jwk } from '../verify/verification-key.ts'
import type { BoundCookie } from './bound-cookie.ts'
import {
  type BoundRecord,
  confirmed,
  GRACE,
  MAX_USED,
  NO_SESSION,
  rotated,
  type Standing,
  standingOf,
} from './bound-record.ts'
import { type CookieSeal, digestOf } from './cookie-seal.ts'
import type { SetCookieLine } from './set-cookie-line.ts'

/** What is known of a request's session. */
export interface Held {
  /** Empty where the request names none. */
  readonly id: string
  readonly standing: Standing
  readonly record: BoundRecord
  /** The backend's cookie value, when the session is good. */
  readonly original: string | undefined
}

export const NOBODY: Held = { id: '', standing: 'none', record: NO_SESSION, original: undefined }

/** A key as it is registered. */
export interface NewKey {
  readonly key: Jwk
  readonly keeper: 'device' | 'script'
  /** The challenge that was answered with it. */
  readonly challenge: string
}

/** A browser's own registration may take the place of a script's for so long after it. */
const UPGRADE = 10_000
/** The longest that browsers keep a cookie, whatever its line says (RFC 6265bis section 5.5). */
const LONGEST_COOKIE = 400 * 86_400_000
/** A smaller change of the end of a session needs no write: rolling sessions change it with every answer. */
const NOTICED = 60_000

export interface LedgerOptions {
  readonly store: RecordStore<BoundRecord>
  readonly seal: CookieSeal
  readonly clock: Clock
  readonly random: RandomSource
  /** Milliseconds that a value of the browser's cookie counts once a key is registered. */
  readonly interval: number
  /** Milliseconds that a session lives for which the backend sets no end. */
  readonly longest: number
  /** Milliseconds that a session counts for which no key was registered; infinite where it need not be. */
  readonly unbound: number
  readonly onError: (error: unknown) => void
}

/** The sessions of the backend that browsers hold through us: made, looked up, renewed and ended. */
export class BoundLedger {
  readonly #options: LedgerOptions

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  /** What a value of the browser's cookie is worth. */
  look({ id, secret }: BoundCookie): Held | Promise<Held> {
    const { store, seal, clock } = this.#options
    const now = clock.now()
    return store.update(id, record => {
      const digest = digestOf(secret)
      const standing = standingOf(record, digest, now)
      const original = standing === 'good' ? seal.open(record.sealed, id) : undefined
      const changed = standing === 'good' ? confirmed(record, digest, now) : undefined
      const result = { id, standing, record: changed ?? record, original }
      return changed === undefined ? { result } : { record: changed, result }
    })
  }

  /**
   * A cookie of the backend from before it was bound. Once it is bound, its bare value is worth nothing.
   */
  adopt(original: string): Held | Promise<Held> {
    return this.#options.store.update(markOf(original), record => ({
      result: record.sealed === '' ? { ...NOBODY, original } : NOBODY,
    }))
  }

  /** The record of a session, which is over where it has none. */
  async find(id: string): Promise<BoundRecord> {
    const record = await this.#options.store.update(id, one => ({ result: one }))
    return record.sealed === '' || record.until <= this.#options.clock.now() ? NO_SESSION : record
  }

  /**
   * Keeps a new session of the backend.
   * @returns the browser's cookie, and when the session ends at the latest
   */
  begin(set: SetCookieLine): { readonly cookie: BoundCookie; readonly until: number } {
    const { seal, clock, unbound } = this.#options
    const cookie = { id: this.#text(16), secret: this.#text(32) }
    const now = clock.now()
    const until = this.#endOf(set, now)
    this.#keep(cookie.id, {
      sealed: seal.seal(set.value, cookie.id),
      // Until a key is registered; where none has to be, as long as the backend's
      // cookie would have lived.
      current: { digest: digestOf(cookie.secret), until: Math.min(until, now + unbound) },
      used: [],
      until,
      ...(set.sameSite !== 'Lax' && { sameSite: set.sameSite }),
    })
    this.#keep(markOf(set.value), { ...NO_SESSION, sealed: cookie.id, until })
    return { cookie, until }
  }

  /** The session before a sign-in: requests under way still have it for a moment. */
  retire(id: string): void {
    const now = this.#options.clock.now()
    this.#change(id, record => ({ ...record, until: Math.min(record.until, now + GRACE) }))
  }

  /**
   * The backend set the same cookie again: the session ends when the line says.
   * @returns when it ends, where that has changed and no key is needed for it; else undefined
   */
  prolong(held: Held, set: SetCookieLine): number | undefined {
    const { clock, unbound } = this.#options
    const now = clock.now()
    const until = this.#endOf(set, now)
    if (Math.abs(until - held.record.until) < Math.min(NOTICED, (until - now) / 10)) return undefined
    // Where a key has to be registered, answers of the backend do not give more time for it.
    const isKeyless = held.record.key === undefined && unbound === Number.POSITIVE_INFINITY
    this.#change(held.id, record =>
      // A sign-in or another answer changed the end meanwhile: theirs is newer.
      record.until !== held.record.until
        ? record
        : {
            ...record,
            until,
            current: record.key === undefined && isKeyless ? { ...record.current, until } : record.current,
          },
    )
    this.#keep(markOf(set.value), { ...NO_SESSION, sealed: held.id, until })
    return isKeyless ? until : undefined
  }

  end(id: string): void {
    this.#keep(id, NO_SESSION)
  }

  /** The browser cannot keep a key: its session ends soon, and it is not asked again. */
  async withoutKey(id: string): Promise<void> {
    await this.#options.store.update(id, record =>
      record.sealed === '' || record.key !== undefined
        ? { result: undefined }
        : { record: { ...record, keyless: true }, result: undefined },
    )
  }

  /**
   * Registers a key. A session has one for its life: whoever copies the cookie later cannot bring another.
   * Only until its owner is known to have it another may take its place, and for a moment the browser's own
   * that of a script.
   * @returns the next value of the browser's cookie, or undefined where the session has its key
   */
  async register(id: string, { key, keeper, challenge }: NewKey): Promise<BoundCookie | undefined> {
    const now = this.#options.clock.now()
    const secret = this.#text(32)
    const done = await this.#options.store.update(id, record => {
      if (record.sealed === '' || !takesKey(record, keeper, now)) return { result: false }
      const used = [challenge, ...record.used].slice(0, MAX_USED)
      const next = rotated({ ...record, used }, this.#ticket(secret, record, now), now)
      const { confirmed: _, ...unconfirmed } = next
      return { record: { ...unconfirmed, key, keeper, registered: now }, result: true }
    })
    return done ? { id, secret } : undefined
  }

  /**
   * @returns the next value of the browser's cookie, or undefined where the challenge was answered already
   */
  async renew(id: string, challenge: string): Promise<BoundCookie | undefined> {
    const now = this.#options.clock.now()
    const secret = this.#text(32)
    const done = await this.#options.store.update(id, record => {
      if (record.sealed === '' || record.used.includes(challenge)) return { result: false }
      const used = [challenge, ...record.used].slice(0, MAX_USED)
      return { record: rotated({ ...record, used }, this.#ticket(secret, record, now), now), result: true }
    })
    return done ? { id, secret } : undefined
  }

  #endOf({ expiresAt }: SetCookieLine, now: number): number {
    return Math.min(expiresAt ?? now + this.#options.longest, now + LONGEST_COOKIE)
  }

  #ticket(secret: string, record: BoundRecord, now: number): BoundRecord['current'] {
    return { digest: digestOf(secret), until: Math.min(record.until, now + this.#options.interval) }
  }

  #text(bytes: number): string {
    return Buffer.from(this.#options.random.bytes(bytes)).toString('base64url')
  }

  #change(id: string, change: (record: BoundRecord) => BoundRecord): void {
    this.#try(() =>
      this.#options.store.update(id, record =>
        record.sealed === '' ? { result: undefined } : { record: change(record), result: undefined },
      ),
    )
  }

  #keep(key: string, record: BoundRecord): void {
    this.#try(() => this.#options.store.update(key, () => ({ record, result: undefined })))
  }

  /** For what an answer on its way cannot wait for. */
  #try(work: () => unknown): void {
    try {
      Promise.resolve(work()).catch(this.#options.onError)
    } catch (error) {
      this.#options.onError(error)
    }
  }
}

/** Whether a session may be given a key, by whom it is kept. */
export function takesKey(record: BoundRecord, keeper: 'device' | 'script', now: number): boolean {
  if (record.key === undefined) return true
  const isYoung = (record.registered ?? 0) + UPGRADE > now
  if (keeper === 'device') return record.confirmed !== true || (record.keeper === 'script' && isYoung)
  // A browser that has just registered its own key may not have the answer yet.
  return record.confirmed !== true && !(record.keeper !== 'script' && isYoung)
}

/** Of every spelling of a cookie's value: backends read it without its escapes. */
function markOf(original: string): string {
  return `raw-${digestOf(percentDecoded(original) ?? original)}`
}
