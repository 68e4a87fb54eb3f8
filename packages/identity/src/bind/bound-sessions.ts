import {
  ALLOW,
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
import { backendCookies, readCookies, withoutCookies } from '../headers/cookie.ts'
import type { RecordStore } from '../records/record-store.ts'
import { BIND_PATH } from './bind-answers.ts'
import { BOUND_COOKIES, boundCookieLine, noBoundCookieLine, readBoundCookie } from './bound-cookie.ts'
import { BoundLedger, type Held, NOBODY } from './bound-ledger.ts'
import { type BoundRecord, GRACE } from './bound-record.ts'
import { memoryBoundStore } from './bound-stores.ts'
import { cookieSeal } from './cookie-seal.ts'
import { DeviceBinding } from './device-binding.ts'
import { ScriptBinding } from './script-binding.ts'
import { parseSetCookie, type SetCookieLine } from './set-cookie-line.ts'

/** The cookie that is bound, where sessions are kept, and how often browsers renew it. */
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
  /**
   * Browsers that keep no keys themselves: `unchanged` (default), their cookie lives as long as the backend's
   * would have; or `webcrypto`, a script keeps a key, and a session for which none is registered
   * within the interval ends.
   */
  readonly withoutDbsc?: 'unchanged' | 'webcrypto'
  readonly store?: RecordStore<BoundRecord>
  readonly clock?: Clock
  readonly random?: RandomSource
  /** Receives `session.bound`, `session.stale` and `session.unbound` events. */
  readonly onEvent?: (event: Event) => void
  readonly onError?: (error: unknown) => void
}

/**
 * Binds sessions of a backend that was never written for it to the browser's device (W3C Device Bound Session
 * Credentials; by choice, with a key that a script keeps). The backend's cookie never reaches the browser: it
 * gets a short-lived one, which it renews by proving that it has a key that cannot leave the device. A cookie
 * copied elsewhere stops working within the interval.
 */
export class BoundSessions implements Guard {
  readonly name = 'bind'
  readonly failure = 'closed'
  readonly #options: BoundSessionsOptions
  readonly #clock: Clock
  readonly #ledger: BoundLedger
  readonly #device: DeviceBinding
  readonly #script: ScriptBinding | undefined
  readonly #held = new WeakMap<Exchange, Held | Promise<Held>>()

  /** @throws ConfigError for a cookie name or an interval that cannot be used */
  constructor(options: BoundSessionsOptions) {
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(options.cookie))
      throw new ConfigError({
        place: 'bind.cookie',
        problem: 'not a cookie name',
        hint: 'e.g. connect.sid',
      })
    const { secret, clock = systemClock, random = systemRandom } = options
    const interval = parseDuration(options.interval ?? '5m', 'bind.interval')
    if (interval < GRACE)
      throw new ConfigError({
        place: 'bind.interval',
        problem: 'below 30 seconds',
        hint: '5m is usual',
      })
    const isScripted = options.withoutDbsc === 'webcrypto'
    this.#options = options
    this.#clock = clock
    this.#ledger = new BoundLedger({
      store: options.store ?? memoryBoundStore(clock),
      seal: cookieSeal(secret, random),
      clock,
      random,
      interval,
      longest: parseDuration(options.longest ?? '7d', 'bind.longest'),
      unbound: isScripted ? interval : Number.POSITIVE_INFINITY,
      onError: options.onError ?? (() => {}),
    })
    const onBound = (exchange: Exchange, id: string): void => this.#emit(exchange, 'session.bound', id)
    const parts = { ledger: this.#ledger, secret, clock, random, interval, onBound }
    this.#device = new DeviceBinding(parts)
    this.#script = isScripted ? new ScriptBinding(parts) : undefined
  }

  decide(exchange: Exchange): Decision | Promise<Decision> {
    const path = exchange.path.canonical
    if (path.startsWith(BIND_PATH)) {
      const own = this.#serve(exchange, path)
      if (own !== undefined) return own
    }
    if (exchange.header('cookie') === undefined) return ALLOW
    const held = this.#hold(exchange)
    return held instanceof Promise
      ? held.then(late => this.#pass(exchange, late))
      : this.#pass(exchange, held)
  }

  #serve(exchange: Exchange, path: string): Decision | Promise<Decision> | undefined {
    if (path === `${BIND_PATH}/register`)
      return Promise.resolve(this.#hold(exchange)).then(held => this.#device.register(exchange, held))
    if (path === `${BIND_PATH}/refresh`) return this.#device.refresh(exchange)
    return this.#script?.serve(exchange, () => this.#hold(exchange))
  }

  #pass(exchange: Exchange, held: Held): Decision {
    exchange.setRequestHeader('cookie', this.#headerFor(exchange, held))
    if (held.standing === 'stale') this.#emit(exchange, 'session.stale', held.id)
    return this.#script?.pass(exchange, held) ?? ALLOW
  }

  #headerFor(exchange: Exchange, held: Held): string | undefined {
    const { cookie } = this.#options
    const rest = withoutCookies(backendCookies(exchange), [...BOUND_COOKIES, cookie])
    if (held.original === undefined) return rest
    const own = `${cookie}=${held.original}`
    return rest === undefined ? own : `${rest}; ${own}`
  }

  #hold(exchange: Exchange): Held | Promise<Held> {
    const known = this.#held.get(exchange)
    if (known !== undefined) return known
    const held = this.#look(exchange)
    this.#held.set(exchange, held)
    if (!(held instanceof Promise)) return held
    // The answer is looked at in one go, so what is known by then stands there itself.
    return held.then(late => {
      this.#held.set(exchange, late)
      return late
    })
  }

  #look(exchange: Exchange): Held | Promise<Held> {
    const cookie = readBoundCookie(exchange)
    if (cookie === 'unreadable') return NOBODY
    if (cookie !== 'absent') return this.#ledger.look(cookie)
    const values = new Set(readCookies(backendCookies(exchange), this.#options.cookie))
    const [original] = values
    if (original === undefined || values.size > 1 || this.#options.existing === 'refuse') return NOBODY
    return this.#ledger.adopt(original)
  }

  onAnswer(exchange: Exchange, head: AnswerHead): void {
    const known = this.#held.get(exchange) ?? NOBODY
    // Decided before the backend was asked; a look-up that is still under way belongs to nobody's request.
    const held = known instanceof Promise ? NOBODY : known
    const now = this.#clock.now()
    const lines = head.getAll('set-cookie')
    const own = lines
      .map(line => parseSetCookie(line, now))
      .filter(({ name }) => name === this.#options.cookie)
    const set = own.at(-1)
    if (set === undefined) {
      if (held.id === '' && held.original !== undefined)
        this.#begin(exchange, head, adopted(this.#options.cookie, held.original), held)
      return
    }
    const others = lines.filter(line => parseSetCookie(line, now).name !== this.#options.cookie)
    if (others.length === 0) head.remove('set-cookie')
    else head.set('Set-Cookie', others)
    if (set.value === '' || (set.expiresAt !== undefined && set.expiresAt <= now))
      this.#end(exchange, head, held)
    else if (held.id !== '' && set.value === held.original) this.#prolong(exchange, head, set, held)
    else this.#begin(exchange, head, set, held)
  }

  /**
   * A new value of the backend's cookie is a new session, with a new key: what was planted or copied
   * before a sign-in is not what is signed in.
   */
  #begin(exchange: Exchange, head: AnswerHead, set: SetCookieLine, before: Held): void {
    const { cookie, until } = this.#ledger.begin(set)
    head.append('Set-Cookie', boundCookieLine(exchange, cookie, lifeOf(set, until, this.#clock.now())))
    // A raw cookie that the browser still has from before must not linger.
    if (readCookies(exchange.header('cookie'), this.#options.cookie).length > 0)
      head.append('Set-Cookie', `${this.#options.cookie}=; Path=/; Max-Age=0`)
    if (exchange.scheme === 'https')
      head.append('Secure-Session-Registration', this.#device.invitation(cookie.id))
    if (this.#script !== undefined) head.append(...this.#script.invitation)
    if (before.id !== '') this.#ledger.retire(before.id)
  }

  /** A browser without a key has the cookie that it got at sign-in, which ends when that line said. */
  #prolong(exchange: Exchange, head: AnswerHead, set: SetCookieLine, held: Held): void {
    const until = this.#ledger.prolong(held, set)
    const cookie = readBoundCookie(exchange)
    if (until === undefined || typeof cookie === 'string') return
    head.append('Set-Cookie', boundCookieLine(exchange, cookie, lifeOf(set, until, this.#clock.now())))
  }

  #end(exchange: Exchange, head: AnswerHead, held: Held): void {
    if (held.id !== '') {
      this.#ledger.end(held.id)
      this.#emit(exchange, 'session.unbound', held.id)
    }
    head.append('Set-Cookie', noBoundCookieLine(exchange))
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

/** How long the browser keeps the cookie: until it ends, where the backend's line names no time. */
function lifeOf(
  { sameSite, expiresAt }: SetCookieLine,
  until: number,
  now: number,
): { readonly sameSite: SetCookieLine['sameSite']; readonly maxAge?: number } {
  return { sameSite, ...(expiresAt !== undefined && { maxAge: (until - now) / 1_000 }) }
}

function adopted(name: string, value: string): SetCookieLine {
  return { name, value, expiresAt: undefined, sameSite: 'Lax' }
}
