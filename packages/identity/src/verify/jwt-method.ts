import { type CidrSet, CredentialError, type Exchange, type Principal } from '@postern/core'
import { backendCookies, readCookies } from '../headers/cookie.ts'
import type { Revocations } from '../revocation/revocations.ts'
import { readAuthorization } from './authorization.ts'
import type { Claims } from './claims.ts'
import { type PrincipalClaims, principalOf } from './claims-principal.ts'
import { type CertificateSource, screenCertificate } from './client-certificate.ts'
import { jsonObject, parseCompactJws } from './compact-jws.ts'
import { companionHeaders } from './companion-headers.ts'
import { identifiedBy } from './credential.ts'
import { type DpopProofs, dpopProofs } from './dpop.ts'
import { isHeld } from './held-token.ts'
import { ABSENT, type Identification, type IdentifyMethod, known, REFUSED } from './identify-method.ts'
import { type JwtVerifier, type JwtVerifierOptions, jwtVerifier } from './jwt-verifier.ts'

/** The tokens that are accepted, where they stand in a request, and how they name a principal. */
export interface JwtMethodOptions extends JwtVerifierOptions {
  /** Default: `jwt`. */
  readonly name?: string
  /** Cookie that may hold the token when there is no `Authorization` header: Clerk's `__session`. */
  readonly cookie?: string
  /**
   * Header that holds the token, alone, in place of `Authorization`: `cf-access-jwt-assertion`.
   */
  readonly header?: string
  readonly claims?: PrincipalClaims
  /** In place of `claims`. Undefined refuses the token. */
  readonly principal?: (claims: Claims) => Principal | undefined
  /** Tokens of sessions and principals revoked before their end. */
  readonly revocations?: Revocations
  readonly dpop?: DpopProofs
  /**
   * Origins that a proof of possession (DPoP) may be for: `https://api.shop.example`. Default: what the
   * request names as its host, which whoever sends it chooses.
   */
  readonly origins?: readonly string[] | undefined
  /** Where the certificate is that a token may be bound to. Default: the connection's own. */
  readonly certificate?: CertificateSource
  /**
   * Proxies whose further headers stay beside a token of theirs in `header`. What that token says too stays
   * from anybody. Default: none.
   */
  readonly trustedProxies?: CidrSet
}

/**
 * Identifies by signed tokens of one issuer. A token that is bound to a key (`cnf`: RFC 9449
 * section 6, RFC 8705 section 3) holds only together with the proof: for the backend that
 * takes bearer tokens it is checked here.
 * @throws ConfigError as `jwtVerifier` does
 */
export function jwtMethod(options: JwtMethodOptions): IdentifyMethod {
  const verifier: JwtVerifier = jwtVerifier(options)
  const proofs = options.dpop ?? dpopProofs(options.clock === undefined ? {} : { clock: options.clock })
  const read = options.principal ?? ((claims: Claims) => principalOf(claims, options.claims))

  const header = options.header?.toLowerCase()
  const companions = companionHeaders(header, options.trustedProxies)
  const place = {
    headers: [header ?? 'authorization'],
    ...(options.cookie !== undefined && { cookies: [options.cookie] }),
    // Such a proxy knows its people by a cookie of its own, which the backend need not see.
    ...(companions !== undefined && { isAmbient: true as const }),
  }
  const take = (
    exchange: Exchange,
    scheme: 'bearer' | 'dpop',
    token: string,
    claims: Claims,
  ): Identification | Promise<Identification> => {
    const held = isHeld(exchange, { scheme, token, claims }, { ...options, proofs })
    if (held instanceof Promise)
      return held.then(isHeld => (isHeld ? accept(exchange, token, claims) : REFUSED))
    return held ? accept(exchange, token, claims) : REFUSED
  }
  const accept = (exchange: Exchange, token: string, claims: Claims): Identification => {
    const principal = read(claims)
    if (principal === undefined) return REFUSED
    const again = (): Promise<boolean> => stillHolds(verifier, token)
    const headers = [...place.headers, ...(companions?.sent(exchange) ?? [])]
    const credential = { session: sessionOf(claims), issuedAt: issuedAt(claims), again, ...place, headers }
    if (options.revocations?.isRevoked(credential.session, principal.id, credential.issuedAt) === true)
      return REFUSED
    companions?.accept(exchange, claims)
    return known(identifiedBy(principal, credential))
  }

  return {
    name: options.name ?? 'jwt',
    screen: exchange => {
      screenCertificate(exchange, options.certificate ?? {})
      companions?.screen(exchange)
    },
    names: exchange => {
      const found = tokenOf(exchange, options)
      if (found === undefined || found === 'malformed') return undefined
      const jws = parseCompactJws(found.token)
      return jws && { credential: found.token, isOwn: jsonObject(jws.payload)?.['iss'] === options.issuer }
    },
    identify: exchange => {
      const found = tokenOf(exchange, options)
      if (found === undefined) return ABSENT
      if (found === 'malformed') return REFUSED
      const { scheme, token } = found
      try {
        const claims = verifier.verify(token)
        return claims instanceof Promise
          ? claims.then(late => take(exchange, scheme, token, late)).catch(refusedUnlessFault)
          : take(exchange, scheme, token, claims)
      } catch (error) {
        return refusedUnlessFault(error)
      }
    },
  }
}

interface Found {
  readonly scheme: 'bearer' | 'dpop'
  readonly token: string
}

/** A bearer token that is not a JWT is another method's: an API key, an opaque token. */
function tokenOf(exchange: Exchange, options: JwtMethodOptions): Found | 'malformed' | undefined {
  const { cookie } = options
  const header = options.header?.toLowerCase()
  if (header !== undefined) {
    const count = exchange.headerCount(header)
    if (count === 0) return undefined
    return count > 1 ? 'malformed' : { scheme: 'bearer', token: exchange.header(header)?.trim() ?? '' }
  }
  const authorization = readAuthorization(exchange)
  if (authorization.kind === 'malformed') return 'malformed'
  if (authorization.kind === 'token')
    return authorization.token.split('.').length === 3 ? authorization : undefined
  if (cookie === undefined) return undefined
  const values = readCookies(backendCookies(exchange), cookie)
  if (values.length > 1) return 'malformed'
  return values[0] === undefined || values[0] === '' ? undefined : { scheme: 'bearer', token: values[0] }
}

/** Whether a token still holds, for what is open since: until its end, and while its key is published. */
async function stillHolds(verifier: JwtVerifier, token: string): Promise<boolean> {
  try {
    await verifier.verify(token)
    return true
  } catch (error) {
    if (error instanceof CredentialError) return false
    throw error
  }
}

function sessionOf(claims: Claims): string | undefined {
  const id = claims['sid'] ?? claims['jti']
  return typeof id === 'string' ? id : undefined
}

/** Epoch milliseconds. */
function issuedAt(claims: Claims): number {
  const { iat } = claims
  return typeof iat === 'number' ? iat * 1_000 : 0
}

function refusedUnlessFault(error: unknown): Identification {
  if (error instanceof CredentialError) return REFUSED
  throw error
}
