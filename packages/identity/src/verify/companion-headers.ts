import type { CidrSet, Exchange } from '@postern/core'
import type { Claims } from './claims.ts'
import { removeHeaders, sentNames } from './identify-method.ts'

/** What a proxy writes beside its signed token, in plain text, for applications that verify none. */
interface Companions {
  /** As in `sentNames`. */
  readonly names: readonly string[]
  /** What a header says by the token; undefined where the token does not say it. */
  readonly said: (name: string, claims: Claims) => unknown
}

const COMPANIONS: ReadonlyMap<string, Companions> = new Map([
  [
    'cf-access-jwt-assertion',
    {
      names: ['cf-access-*'],
      said: (name, { email }) => (name === 'cf-access-authenticated-user-email' ? email : undefined),
    },
  ],
  [
    'x-goog-iap-jwt-assertion',
    {
      names: ['x-goog-authenticated-user-*', 'x-goog-iap-*'],
      said: (name, { email, sub }) => {
        if (name === 'x-goog-authenticated-user-id') return sub
        return name === 'x-goog-authenticated-user-email' ? `accounts.google.com:${email}` : undefined
      },
    },
  ],
  [
    'x-amzn-oidc-data',
    {
      names: ['x-amzn-oidc-*'],
      said: (name, { sub }) => (name === 'x-amzn-oidc-identity' ? sub : undefined),
    },
  ],
  [
    'x-pomerium-jwt-assertion',
    {
      names: ['x-pomerium-*'],
      said: (name, claims) => claimNamed(name.replace('x-pomerium-claim-', ''), claims),
    },
  ],
])

function claimNamed(name: string, claims: Claims): unknown {
  const key = Object.keys(claims).find(each => each.toLowerCase().replaceAll('_', '-') === name)
  const value = key === undefined ? undefined : claims[key]
  return Array.isArray(value) ? value.join(',') : value
}

/** Headers beside a proxy's token. Who may write them is not known before the token is verified. */
export interface CompanionHeaders {
  /** Those that a request has. */
  sent(exchange: Exchange): readonly string[]
  /** Removes all of them. */
  screen(exchange: Exchange): void
  /**
   * Leaves in the request what the verified token says too, and from a trusted proxy also what no claim
   * covers. Whoever has a token of their own could write somebody else's name beside it.
   */
  accept(exchange: Exchange, claims: Claims): void
}

/**
 * The headers that belong to a token in a header: `Cf-Access-Authenticated-User-Email` beside
 * `Cf-Access-Jwt-Assertion`. Undefined where a header is known to have none.
 * @param header of the token, lower-case
 * @param trusted proxies, none by default
 */
export function companionHeaders(
  header: string | undefined,
  trusted: CidrSet | undefined,
): CompanionHeaders | undefined {
  const family = header === undefined ? undefined : COMPANIONS.get(header)
  if (family === undefined) return undefined
  const sent = (exchange: Exchange): readonly string[] =>
    sentNames(exchange, family.names).filter(name => name !== header)
  return {
    sent,
    screen: exchange => removeHeaders(exchange, sent(exchange)),
    accept: (exchange, claims) => {
      const isTrusted = trusted?.has(exchange.peer) === true
      for (const name of sent(exchange)) {
        const value = exchange.header(name)
        const said = family.said(name, claims)
        const isRight = said === undefined ? isTrusted : value === String(said)
        if (isRight && !name.includes('_') && exchange.headerCount(name) === 1)
          exchange.setRequestHeader(name, value)
      }
    },
  }
}
