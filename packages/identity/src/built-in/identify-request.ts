import type { Exchange, Principal } from '@postern/core'
import type { ApiKeyCheck, ApiKeys } from '../api-key/api-keys.ts'
import { parseKey } from '../api-key/key-text.ts'
import type { CookieJar } from '../session/cookies.ts'
import type { Session } from '../session/session.ts'
import { SessionPrincipal } from '../session/session-principal.ts'
import type { Sessions } from '../session/sessions.ts'
import { readAuthorization } from '../verify/authorization.ts'
import { identifiedBy } from '../verify/credential.ts'

type KeyFault = Exclude<ApiKeyCheck, { kind: 'accepted' }>

/** A bearer token that looks like a key of ours: a JWT does not. `X-Api-Key` may hold anything. */
const LIKE_A_KEY = /^[a-z][a-z0-9]*_[a-z0-9]+_/

/**
 * Who sends a request, by an API key or the session cookie. A key that was sent decides alone, also when it
 * does not hold: a request with a bad key and a good cookie is nobody's.
 */
export class RequestIdentity {
  readonly #apiKeys: ApiKeys
  readonly #sessions: Sessions
  readonly #cookies: CookieJar
  /** Only exchanges whose key did not hold. */
  readonly #faults = new WeakMap<Exchange, KeyFault>()

  readonly #accessToken: ((token: string) => Promise<Principal | undefined>) | undefined

  constructor(parts: {
    readonly apiKeys: ApiKeys
    readonly sessions: Sessions
    readonly cookies: CookieJar
    /** Who a bearer token of our own OAuth server stands for. */
    readonly accessToken?: (token: string) => Promise<Principal | undefined>
  }) {
    this.#accessToken = parts.accessToken
    this.#apiKeys = parts.apiKeys
    this.#sessions = parts.sessions
    this.#cookies = parts.cookies
  }

  /**
   * @param accepted the methods that count, by name; all when undefined. What belongs to another is
   *   overlooked
   * @throws StoreError when it cannot be determined
   */
  identify(
    exchange: Exchange,
    accepted: readonly string[] | undefined,
  ): Principal | undefined | Promise<Principal | undefined> {
    const takesKeys = accepts(accepted, 'apiKey')
    const takesTokens = this.#accessToken !== undefined && accepts(accepted, 'oauth')
    const own = takesKeys ? exchange.header('x-api-key') : undefined
    if (own !== undefined) return this.#byKey(exchange, own)
    const authorization = readAuthorization(exchange)
    if (authorization.kind === 'malformed' && (takesKeys || takesTokens)) {
      this.#faults.set(exchange, { kind: 'refused', why: 'invalid' })
      return undefined
    }
    if (authorization.kind === 'token' && authorization.scheme === 'bearer') {
      const { token } = authorization
      if (takesKeys && LIKE_A_KEY.test(token)) return this.#byKeyOrToken(exchange, token, takesTokens)
      if (takesTokens) return this.#byToken(token)
    }
    if (!accepts(accepted, 'session')) return undefined
    const token = this.#cookies.read(exchange.header('cookie'), 'session')
    if (token === undefined) return undefined
    const found = this.#sessions.find(token, exchange.client)
    return found instanceof Promise ? found.then(principalOf) : principalOf(found)
  }

  /** What was wrong with the key of an exchange, when it had one that does not hold. */
  keyFault(exchange: Exchange): KeyFault | undefined {
    return this.#faults.get(exchange)
  }

  /** Access tokens are random: one in thousands begins as a key does, and is not a whole one. */
  async #byKeyOrToken(
    exchange: Exchange,
    text: string,
    takesTokens: boolean,
  ): Promise<Principal | undefined> {
    const principal = takesTokens && parseKey(text) === undefined ? await this.#byToken(text) : undefined
    return principal ?? this.#byKey(exchange, text)
  }

  async #byToken(token: string): Promise<Principal | undefined> {
    const principal = await this.#accessToken?.(token)
    if (principal === undefined) return undefined
    const again = async (): Promise<boolean> => (await this.#accessToken?.(token))?.id === principal.id
    return identifiedBy(principal, { session: undefined, issuedAt: 0, again })
  }

  async #byKey(exchange: Exchange, key: string): Promise<Principal | undefined> {
    const check = await this.#apiKeys.check(key, exchange.client)
    if (check.kind === 'accepted')
      return identifiedBy(check.principal, {
        session: undefined,
        issuedAt: 0,
        again: () => this.#apiKeys.holds(check.key.id),
      })
    this.#faults.set(exchange, check)
    return undefined
  }
}

function accepts(accepted: readonly string[] | undefined, method: 'apiKey' | 'oauth' | 'session'): boolean {
  return accepted === undefined || accepted.includes(method)
}

function principalOf(session: Session | undefined): Principal | undefined {
  return session === undefined ? undefined : new SessionPrincipal(session)
}
