import {
  type Clock,
  type Duration,
  type Exchange,
  givenText,
  parseDuration,
  systemClock,
} from '@postern/core'
import type { Revocations } from '../revocation/revocations.ts'
import { AnswerCache } from './answer-cache.ts'
import { readAuthorization } from './authorization.ts'
import type { Claims } from './claims.ts'
import { type PrincipalClaims, principalOf } from './claims-principal.ts'
import { type CertificateSource, screenCertificate } from './client-certificate.ts'
import { identifiedBy } from './credential.ts'
import { type DpopProofs, dpopProofs } from './dpop.ts'
import { type Fetch, fetchJson } from './fetch-json.ts'
import { isHeld } from './held-token.ts'
import { ABSENT, type Identification, type IdentifyMethod, known, REFUSED } from './identify-method.ts'
import { assertFetchable } from './remote-key-set.ts'

export interface IntrospectionOptions {
  /** Introspection endpoint of the authorization server (RFC 7662). HTTPS, or loopback. */
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  /**
   * Tokens must name it in `aud`, where they name anything; required, for a token of
   * another API is active too.
   */
  readonly audience: string
  /** How long an answer counts; a revoked token lives that much longer. Default: `10s`. */
  readonly cache?: Duration
  /** Default: `oauth`. */
  readonly name?: string
  readonly claims?: PrincipalClaims
  readonly revocations?: Revocations
  readonly dpop?: DpopProofs
  /**
   * Origins that a proof of possession (DPoP) may be for: `https://api.shop.example`. Default: what the
   * request names as its host, which whoever sends it chooses.
   */
  readonly origins?: readonly string[] | undefined
  /** Where the certificate is that a token may be bound to. Default: the connection's own. */
  readonly certificate?: CertificateSource
  readonly fetch?: Fetch
  readonly clock?: Clock
}

/**
 * Identifies by opaque access tokens, asking the server that issued them. A token that is bound to a key or a
 * certificate (`cnf` in the answer) holds only together with the proof, as in `jwtMethod`.
 * @throws ConfigError for an address that is not HTTPS, or an empty secret or audience
 */
export function introspectionMethod(options: IntrospectionOptions): IdentifyMethod {
  assertFetchable(options.url, 'identify.oauth.url')
  for (const name of ['clientId', 'clientSecret', 'audience'] as const)
    givenText(
      options[name],
      `identify.oauth.${name}`,
      'register this application as a client of the authorization server',
    )
  const clock = options.clock ?? systemClock
  const fetcher = options.fetch ?? fetch
  const proofs = options.dpop ?? dpopProofs({ clock })
  const ttl = parseDuration(options.cache ?? '10s', 'identify.oauth.cache')
  const isGood = ({ active }: Claims): boolean => active === true
  const answers = new AnswerCache<Claims>({ ttl, max: 10_000, clock, isGood })
  // RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
  const basic = Buffer.from(`${formEncoded(options.clientId)}:${formEncoded(options.clientSecret)}`).toString(
    'base64',
  )

  const ask = async (token: string): Promise<Claims> => {
    const said = await fetchJson(fetcher, options.url, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    })
    return typeof said === 'object' && said !== null ? (said as Claims) : {}
  }

  const isGoodNow = (claims: Claims): boolean =>
    isActive(claims, clock.now()) && isFor(claims['aud'], options.audience)
  const take = (
    exchange: Exchange,
    scheme: 'bearer' | 'dpop',
    token: string,
    claims: Claims,
  ): Identification | Promise<Identification> => {
    const accepted = accept(token, claims)
    if (accepted.kind !== 'known') return REFUSED
    const held = isHeld(exchange, { scheme, token, claims }, { ...options, proofs })
    if (held instanceof Promise) return held.then(isHeld => (isHeld ? accepted : REFUSED))
    return held ? accepted : REFUSED
  }
  const accept = (token: string, claims: Claims): Identification => {
    if (!isGoodNow(claims)) return REFUSED
    const principal = principalOf(claims, options.claims)
    if (principal === undefined) return REFUSED
    const { sid, iat } = claims
    const session = typeof sid === 'string' ? sid : undefined
    const issuedAt = typeof iat === 'number' ? iat * 1_000 : 0
    if (options.revocations?.isRevoked(session, principal.id, issuedAt) === true) return REFUSED
    // What is open since was proven when it began, and a proof counts once.
    const again = async (): Promise<boolean> =>
      accept(token, await answers.get(token, () => ask(token))).kind === 'known'
    return known(identifiedBy(principal, { session, issuedAt, headers: ['authorization'], again }))
  }

  return {
    name: options.name ?? 'oauth',
    screen: exchange => screenCertificate(exchange, options.certificate ?? {}),
    identify: exchange => {
      const authorization = readAuthorization(exchange)
      if (authorization.kind === 'absent') return ABSENT
      if (authorization.kind === 'malformed') return REFUSED
      const { scheme, token } = authorization
      const said = answers.get(token, () => ask(token))
      return said instanceof Promise
        ? said.then(late => take(exchange, scheme, token, late))
        : take(exchange, scheme, token, said)
    },
  }
}

/** Whether a server says that a token is active, and its times agree. */
function isActive({ active, exp, nbf }: Claims, now: number): boolean {
  if (active !== true) return false
  if (typeof exp === 'number' && exp * 1_000 <= now) return false
  return typeof nbf !== 'number' || nbf * 1_000 <= now
}

function isFor(claim: unknown, audience: string): boolean {
  return claim === audience || (Array.isArray(claim) && claim.includes(audience))
}

function formEncoded(text: string): string {
  return new URLSearchParams({ v: text }).toString().slice(2)
}
