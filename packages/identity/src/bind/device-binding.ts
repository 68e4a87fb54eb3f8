import type { Clock, Decision, Exchange, RandomSource } from '@postern/core'
import { BIND_PATH, served, servedJson } from './bind-answers.ts'
import { type BoundCookie, boundCookieLine, boundCredential } from './bound-cookie.ts'
import type { BoundLedger, Held } from './bound-ledger.ts'
import { readProof } from './bound-proof.ts'
import type { BoundRecord } from './bound-record.ts'
import { challenges } from './challenges.ts'

export interface DeviceBindingOptions {
  readonly ledger: BoundLedger
  readonly secret: Uint8Array
  readonly clock: Clock
  readonly random: RandomSource
  /** Milliseconds that a value of the cookie counts. */
  readonly interval: number
  /** A browser has registered its key. */
  readonly onBound: (exchange: Exchange, id: string) => void
}

/** Keys that the browser itself keeps (W3C Device Bound Session Credentials). */
export class DeviceBinding {
  readonly #options: DeviceBindingOptions
  /**
   * A challenge for a registration is sent once, beside the session's cookie: whoever has the cookie alone
   * has no such challenge, and none of a refresh is taken for one.
   */
  readonly #registrations: ReturnType<typeof challenges>
  readonly #refreshes: ReturnType<typeof challenges>

  constructor(options: DeviceBindingOptions) {
    this.#options = options
    this.#registrations = challenges(options.secret, options.random, 'registration')
    this.#refreshes = challenges(options.secret, options.random, 'refresh')
  }

  /** Value of `Secure-Session-Registration` for a new session. */
  invitation(id: string): string {
    const challenge = this.#registrations.issue(id, this.#options.clock.now())
    return `(ES256 RS256);path="${BIND_PATH}/register";challenge="${challenge}"`
  }

  async register(exchange: Exchange, held: Held): Promise<Decision> {
    const { ledger, clock, onBound } = this.#options
    const proof = proofOf(exchange, undefined)
    if (proof?.key === undefined || held.standing !== 'good') return served(400, [], '')
    const { key, challenge } = proof
    if (!this.#registrations.isFresh(challenge, held.id, clock.now())) return served(403, [], '')
    const cookie = await ledger.register(held.id, { key, keeper: 'device', challenge })
    if (cookie === undefined) return served(403, [], '')
    onBound(exchange, held.id)
    return this.#granted(exchange, cookie, held.record)
  }

  /**
   * The browser's cookie may have run out, so the session is found by its id, which
   * is not a secret: the key proves it.
   */
  async refresh(exchange: Exchange): Promise<Decision> {
    const { ledger, clock } = this.#options
    const id = (exchange.header('sec-secure-session-id') ?? exchange.header('secure-session-id') ?? '')
      .replaceAll('"', '')
      .trim()
    if (exchange.method !== 'POST' || !/^[\w-]{22}$/.test(id)) return served(400, [], '')
    const record = await ledger.find(id)
    // Tells the browser that there is nothing to refresh any more.
    if (record.key === undefined || record.keeper === 'script')
      return servedJson(200, [], { continue: false })
    const proof = proofOf(exchange, record.key)
    const isFresh = proof !== undefined && this.#refreshes.isFresh(proof.challenge, id, clock.now())
    const cookie = isFresh ? await ledger.renew(id, proof.challenge) : undefined
    if (cookie !== undefined) return this.#granted(exchange, cookie, record)
    const challenge = `"${this.#refreshes.issue(id, clock.now())}";id="${id}"`
    return served(403, ['Secure-Session-Challenge', challenge], '')
  }

  #granted(exchange: Exchange, cookie: BoundCookie, record: BoundRecord): Decision {
    const sameSite = record.sameSite ?? 'Lax'
    const maxAge = this.#options.interval / 1_000
    return servedJson(200, ['Set-Cookie', boundCookieLine(exchange, cookie, { sameSite, maxAge })], {
      session_identifier: cookie.id,
      refresh_url: `${BIND_PATH}/refresh`,
      scope: {
        origin: `${exchange.scheme}://${exchange.host}`,
        include_site: false,
        scope_specification: [],
      },
      credentials: [boundCredential(exchange, sameSite)],
    })
  }
}

function proofOf(exchange: Exchange, key: BoundRecord['key']): ReturnType<typeof readProof> {
  if (exchange.headerCount('secure-session-response') !== 1) return undefined
  return readProof(exchange.header('secure-session-response') ?? '', key)
}
