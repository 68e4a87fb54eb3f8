import {
  ALLOW,
  type Answer,
  type AnswerHead,
  type Clock,
  ConfigError,
  type Decision,
  type Duration,
  type Event,
  type Exchange,
  type Guard,
  parseDuration,
  type RandomSource,
  systemClock,
  systemRandom,
} from '@postern/core'
import { hostCookieName, readCookies, setCookie, withoutCookies } from '../headers/cookie.ts'
import type { RecordStore } from '../records/record-store.ts'
import { readProof } from './bound-proof.ts'
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
import { memoryBoundStore } from './bound-stores.ts'
import { challenges } from './challenges.ts'
import { cookieSeal, digestOf } from './cookie-seal.ts'
import { parseSetCookie, type SetCookieLine } from './set-cookie-line.ts'

export interface BoundSessionsOptions {
  /** The backend's session cookie: `connect.sid`. */
  readonly cookie: string
  /** At least 32 bytes, the same on every instance. */
  readonly secret: Uint8Array
  /**
   * How long a value of the browser's cookie counts, and so a stolen one at most.
   * Default: `5m`; at least 30 seconds.
   */
  readonly interval?: Duration
  /** How long a session may live for which the backend sets no end. Default: `7d`. */
  readonly longest?: Duration
  /**
   * Cookies of the backend that browsers hold from before: taken over (`adopt`,
   * default), or not passed on (`refuse`).
   */
  readonly existing?: 'adopt' | 'refuse'
  readonly store?: RecordStore<BoundRecord>
  readonly clock?: Clock
  readonly random?: RandomSource
  /** Receives `session.bound`, `session.stale` and `session.unbound` events. */
  readonly onEvent?: (event: Event) => void
  readonly onError?: (error: unknown) => void
}

/** Where browsers register keys and prove possession. */
const BIND_PATH = '/.postern/bind'

/** What we know of a request's session. */
interface Held {
  readonly id: string
  readonly standing: Standing
  readonly record: BoundRecord
  /** The backend's cookie value, when the session is good. */
  readonly original: string | undefined
}

const NOBODY: Held = { id: '', standing: 'none', record: NO_SESSION, original: undefined }
const COOKIE = 'postern-bound'
const VALUE = /^([\w-]{22})\.([\w-]{43})$/

/**
 * Binds sessions of a backend that was never written for it to the browser's device (W3C Device Bound Session
 * Credentials). The backend's cookie never reaches the browser: it gets a short-lived one, which it renews by
 * proving that it has a key that cannot leave the device. A cookie copied elsewhere stops working within the
 * interval. Browsers that do not know how keep their cookie as long as the backend's would have lived.
 */
export class BoundSessions implements Guard {
  readonly name = 'bind'
  readonly failure = 'closed'
  readonly #options: BoundSessionsOptions
  readonly #store: RecordStore<BoundRecord>
  readonly #clock: Clock
  readonly #random: RandomSource
  readonly #seal: ReturnType<typeof cookieSeal>
  readonly #challenges: ReturnType<typeof challenges>
  readonly #interval: number
  readonly #longest: number
  readonly #held = new WeakMap<Exchange, Held | Promise<Held>>()

  /** @throws ConfigError for a cookie name or an interval that cannot be used */
  constructor(options: BoundSessionsOptions) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(options.cookie))
      throw new ConfigError({
        place: 'bind.cookie',
        problem: 'not a cookie name',
        hint: 'e.g. connect.sid',
      })
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#store = options.store ?? memoryBoundStore(this.#clock)
    this.#seal = cookieSeal(options.secret, this.#random)
    this.#challenges = challenges(options.secret, this.#random)
    this.#interval = parseDuration(options.interval ?? '5m', 'bind.interval')
    this.#longest = parseDuration(options.longest ?? '7d', 'bind.longest')
    if (this.#interval < GRACE)
      throw new ConfigError({
        place: 'bind.interval',
        problem: 'below 30 seconds',
        hint: '5m is usual',
      })
  }

  decide(exchange: Exchange): Decision | Promise<Decision> {
    const path = exchange.path.canonical
    if (path === `${BIND_PATH}/register`) return this.#register(exchange)
    if (path === `${BIND_PATH}/refresh`) return this.#refresh(exchange)
    const header = exchange.header('cookie')
    if (header === undefined) return ALLOW
    const held = this.#hold(exchange)
    return held instanceof Promise
      ? held.then(late => this.#pass(exchange, late))
      : this.#pass(exchange, held)
  }

  #pass(exchange: Exchange, held: Held): Decision {
    exchange.setRequestHeader('cookie', this.#headerFor(exchange, held))
    if (held.standing === 'stale') this.#emit(exchange, 'session.stale', held.id)
    return ALLOW
  }

  #headerFor(exchange: Exchange, held: Held): string | undefined {
    const { cookie } = this.#options
    const header = exchange.header('cookie')
    const rest = withoutCookies(header, [COOKIE, `__Host-${COOKIE}`, cookie])
    if (held.original === undefined) return rest
    const own = `${cookie}=${held.original}`
    return rest === undefined ? own : `${rest}; ${own}`
  }

  #hold(exchange: Exchange): Held | Promise<Held> {
    const known = this.#held.get(exchange)
    if (known !== undefined) return known
    const held = this.#look(exchange)
    this.#held.set(exchange, held)
    return held
  }

  /** Two different values of the bound cookie are nobody: one of them was planted. */
  #look(exchange: Exchange): Held | Promise<Held> {
    const header = exchange.header('cookie')
    const values = new Set(readCookies(header, hostCookieName(COOKIE, exchange.scheme)))
    const [value = ''] = values
    const parts = values.size === 1 ? VALUE.exec(value) : null
    if (parts === null) return values.size > 0 ? NOBODY : this.#adopt(header)
    const [, id = '', secret = ''] = parts
    const now = this.#clock.now()
    return this.#store.update(id, record => {
      const digest = digestOf(secret)
      const standing = standingOf(record, digest, now)
      const original = standing === 'good' ? this.#seal.open(record.sealed, id) : undefined
      const changed = standing === 'good' ? confirmed(record, digest, now) : undefined
      const result = { id, standing, record: changed ?? record, original }
      return changed === undefined ? { result } : { record: changed, result }
    })
  }

  /** A cookie of the backend from before it was bound. Once it is bound, its bare value is worth nothing. */
  #adopt(header: string | undefined): Held | Promise<Held> {
    const values = new Set(readCookies(header, this.#options.cookie))
    const [original] = values
    if (original === undefined || values.size > 1 || this.#options.existing === 'refuse') return NOBODY
    return this.#store.update(markOf(original), record => ({
      result: record.sealed === '' ? { ...NOBODY, original } : NOBODY,
    }))
  }

  onAnswer(exchange: Exchange, head: AnswerHead): void {
    const held = this.#held.get(exchange) ?? NOBODY
    // Decided before the backend was asked, so it is known by now.
    if (held instanceof Promise) {
      held.then(late => this.#held.set(exchange, late)).catch(() => {})
      return
    }
    const now = this.#clock.now()
    const lines = head.getAll('set-cookie')
    const own = lines
      .map(line => parseSetCookie(line, now))
      .filter(({ name }) => name === this.#options.cookie)
    const set = own.at(-1)
    if (set === undefined) {
      if (held.id === '' && held.original !== undefined)
        this.#begin(exchange, head, adopted(this.#options.cookie, held.original), now)
      return
    }
    const others = lines.filter(line => parseSetCookie(line, now).name !== this.#options.cookie)
    if (others.length === 0) head.remove('set-cookie')
    else head.set('Set-Cookie', others)
    if (set.value === '' || (set.expiresAt !== undefined && set.expiresAt <= now))
      this.#end(exchange, head, held)
    else if (held.id !== '' && set.value === held.original) this.#prolong(held, set, now)
    else this.#begin(exchange, head, set, now)
  }

  /**
   * A new value of the backend's cookie is a new session, with a new key: what was planted or copied
   * before a sign-in is not what is signed in.
   */
  #begin(exchange: Exchange, head: AnswerHead, set: SetCookieLine, now: number): void {
    const id = this.#text(16)
    const secret = this.#text(32)
    const until = Math.min(set.expiresAt ?? Number.POSITIVE_INFINITY, now + this.#longest)
    const record: BoundRecord = {
      sealed: this.#seal.seal(set.value, id),
      // Until a key is registered, and for browsers that never do, as long as the
      // backend's cookie would have lived.
      current: { digest: digestOf(secret), until },
      used: [],
      until,
    }
    this.#keep(id, record)
    this.#keep(markOf(set.value), { ...NO_SESSION, sealed: id, until })
    const maxAge = set.expiresAt === undefined ? {} : { maxAge: (until - now) / 1_000 }
    head.append('Set-Cookie', this.#cookie(exchange, `${id}.${secret}`, set.sameSite, maxAge))
    // A raw cookie that the browser still has from before must not linger.
    if (readCookies(exchange.header('cookie'), this.#options.cookie).length > 0)
      head.append('Set-Cookie', `${this.#options.cookie}=; Path=/; Max-Age=0`)
    if (exchange.scheme === 'https')
      head.append(
        'Secure-Session-Registration',
        `(ES256 RS256);path="${BIND_PATH}/register";challenge="${this.#challenges.issue(id, now)}"`,
      )
    const before = this.#held.get(exchange)
    if (before !== undefined && !(before instanceof Promise) && before.id !== '') this.#retire(before.id, now)
  }

  /** The session before a sign-in: requests under way still have it for a moment. */
  #retire(id: string, now: number): void {
    this.#try(
      this.#store.update(id, record =>
        record.sealed === ''
          ? { result: undefined }
          : { record: { ...record, until: Math.min(record.until, now + GRACE) }, result: undefined },
      ),
    )
  }

  #prolong(held: Held, set: SetCookieLine, now: number): void {
    const until = Math.min(set.expiresAt ?? Number.POSITIVE_INFINITY, now + this.#longest)
    // Rolling sessions set their cookie with every answer; a minute more or less needs no write.
    if (until - held.record.until < 60_000) return
    this.#try(
      this.#store.update(held.id, record => {
        if (record.sealed === '') return { result: undefined }
        const current = record.key === undefined ? { ...record.current, until } : record.current
        return { record: { ...record, current, until }, result: undefined }
      }),
    )
  }

  #end(exchange: Exchange, head: AnswerHead, held: Held): void {
    if (held.id !== '') {
      this.#keep(held.id, NO_SESSION)
      this.#emit(exchange, 'session.unbound', held.id)
    }
    head.append('Set-Cookie', this.#cookie(exchange, '', 'Lax', { maxAge: 0 }))
  }

  async #register(exchange: Exchange): Promise<Decision> {
    const proof = this.#proofOf(exchange, undefined)
    const held = await this.#hold(exchange)
    const now = this.#clock.now()
    if (proof?.key === undefined || held.standing !== 'good' || held.id === '') return refused(400)
    const { key, challenge } = proof
    if (!this.#challenges.isFresh(challenge, held.id, now)) return refused(400)
    const secret = this.#text(32)
    const done = await this.#store.update(held.id, record => {
      // One key for a session's life: whoever copies the cookie later cannot bring another.
      if (record.sealed === '' || record.confirmed === true) return { result: false }
      const next = rotated({ ...record, key, used: [challenge] }, this.#ticket(secret, record, now), now)
      return { record: next, result: true }
    })
    if (!done) return refused(403)
    this.#emit(exchange, 'session.bound', held.id)
    return this.#granted(exchange, held.id, secret)
  }

  /**
   * The browser's cookie may have run out, so the session is found by its id, which
   * is no secret: the key proves it.
   */
  async #refresh(exchange: Exchange): Promise<Decision> {
    const id = (exchange.header('sec-secure-session-id') ?? exchange.header('secure-session-id') ?? '')
      .replaceAll('"', '')
      .trim()
    if (exchange.method !== 'POST' || !/^[\w-]{22}$/.test(id)) return refused(400)
    const now = this.#clock.now()
    const record = await this.#store.update(id, one => ({ result: one }))
    if (record.sealed === '' || record.until <= now || record.key === undefined) return ended()
    const proof = this.#proofOf(exchange, record.key)
    if (proof === undefined || !this.#challenges.isFresh(proof.challenge, id, now))
      return this.#challenged(id, now)
    const secret = this.#text(32)
    const done = await this.#store.update(id, one => {
      if (one.sealed === '' || one.used.includes(proof.challenge)) return { result: false }
      const used = [proof.challenge, ...one.used].slice(0, MAX_USED)
      return { record: rotated({ ...one, used }, this.#ticket(secret, one, now), now), result: true }
    })
    return done ? this.#granted(exchange, id, secret) : this.#challenged(id, now)
  }

  #challenged(id: string, now: number): Decision {
    const challenge = `"${this.#challenges.issue(id, now)}";id="${id}"`
    return served(403, ['Secure-Session-Challenge', challenge], '')
  }

  #granted(exchange: Exchange, id: string, secret: string): Decision {
    const name = hostCookieName(COOKIE, exchange.scheme)
    const secure = exchange.scheme === 'https'
    const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
    const value = this.#cookie(exchange, `${id}.${secret}`, 'Lax', { maxAge: this.#interval / 1_000 })
    const body = JSON.stringify({
      session_identifier: id,
      refresh_url: `${BIND_PATH}/refresh`,
      scope: {
        origin: `${exchange.scheme}://${exchange.host}`,
        include_site: false,
        scope_specification: [],
      },
      credentials: [{ type: 'cookie', name, attributes }],
    })
    return served(200, ['Content-Type', 'application/json', 'Set-Cookie', value], body)
  }

  #proofOf(exchange: Exchange, key: BoundRecord['key']): ReturnType<typeof readProof> {
    if (exchange.headerCount('secure-session-response') !== 1) return undefined
    return readProof(exchange.header('secure-session-response') ?? '', key)
  }

  #ticket(secret: string, record: BoundRecord, now: number): BoundRecord['current'] {
    return { digest: digestOf(secret), until: Math.min(record.until, now + this.#interval) }
  }

  #cookie(
    exchange: Exchange,
    value: string,
    sameSite: SetCookieLine['sameSite'],
    age: { readonly maxAge?: number },
  ): string {
    const secure = exchange.scheme === 'https' ? 'secure' : 'insecure'
    return setCookie(hostCookieName(COOKIE, exchange.scheme), value, { ...age, sameSite, secure })
  }

  #text(bytes: number): string {
    return Buffer.from(this.#random.bytes(bytes)).toString('base64url')
  }

  #keep(key: string, record: BoundRecord): void {
    this.#try(this.#store.update(key, () => ({ record, result: undefined })))
  }

  #try(work: unknown): void {
    Promise.resolve(work).catch((error: unknown) => this.#options.onError?.(error))
  }

  #emit(exchange: Exchange, type: string, id: string): void {
    this.#options.onEvent?.({
      type,
      time: exchange.time,
      actor: { address: exchange.client },
      // Half of the id: enough to see that two events are of one session.
      data: { session: id.slice(0, 11), path: exchange.path.canonical.slice(0, 1_024) },
    })
  }
}

function markOf(original: string): string {
  return `raw-${digestOf(original)}`
}

function adopted(name: string, value: string): SetCookieLine {
  return { name, value, expiresAt: undefined, sameSite: 'Lax' }
}

function served(status: number, headers: readonly string[], body: string): Decision {
  const answer: Answer = { status, headers: [...headers, 'Cache-Control', 'no-store'], body }
  return { effect: 'allow', answer }
}

function refused(status: number): Decision {
  return served(status, [], '')
}

/** Tells the browser that there is nothing to refresh any more. */
function ended(): Decision {
  return served(200, ['Content-Type', 'application/json'], '{"continue":false}')
}
