import { createHash } from 'node:crypto'
import { type Clock, systemClock } from '@postern/core'
import type { Claims } from './claims.ts'
import { isSignedBy, type JwsHeader, jsonObject, parseCompactJws } from './compact-jws.ts'
import type { JwsAlgorithm } from './jws-algorithm.ts'
import { SeenProofs } from './seen-proofs.ts'
import type { UsedProofs } from './used-proofs.ts'
import { type Jwk, verificationKey } from './verification-key.ts'

/** The request that a proof is for. */
export interface DpopRequest {
  readonly method: string
  /**
   * Scheme, host and path as the client named them; one of several. Query and fragment are ignored.
   */
  readonly url: string | readonly string[]
  /** The access token that came along. */
  readonly token: string
  /** RFC 7638 thumbprint of the key that the token is bound to. */
  readonly key: string
}

export interface DpopOptions {
  /** How old a proof may be, and how far clocks may differ, milliseconds. Default: 60,000. */
  readonly window?: number
  readonly clock?: Clock
  /** Where used proofs are kept. Default: in the memory of this process, so that each takes one once. */
  readonly used?: UsedProofs | undefined
}

/** Checks proofs of possession (RFC 9449 section 4.3). */
export interface DpopProofs {
  /** Whether the proof holds, was signed by the key of the token, and was not used before. */
  holds(proof: string, request: DpopRequest): boolean | Promise<boolean>
}

const SIGNING: readonly JwsAlgorithm[] = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256']

/**
 * A proof counts once: its `jti` is remembered, per key, while it could be replayed. A proof of another key
 * than the token's is refused before it is remembered, so that nobody can fill the memory with other keys.
 */
export function dpopProofs(options: DpopOptions = {}): DpopProofs {
  const window = options.window ?? 60_000
  const clock = options.clock ?? systemClock
  const seen = options.used ?? new SeenProofs(window)

  return {
    holds: (proof, request) => {
      const jws = parseCompactJws(proof)
      const jwk = jws === undefined ? undefined : keyOf(jws.header)
      const claims = jsonObject(jws?.payload)
      if (jws === undefined || jwk === undefined || claims === undefined) return false
      if (thumbprintOf(jwk) !== request.key) return false
      const key = verificationKey({ ...jwk, alg: jws.header.alg }, SIGNING)
      if (key === undefined || !isSignedBy(jws, key)) return false
      const now = clock.now()
      if (!isFor(claims, request, now, window)) return false
      const id = createHash('sha256').update(String(claims['jti'])).digest('base64url')
      return seen.isFirst(request.key, id, Number(claims['iat']) * 1_000 + window, now)
    },
  }
}

/**
 * The public key in a proof's header; undefined when there is none, it is private or
 * secret, or names another algorithm.
 */
function keyOf(header: JwsHeader): Jwk | undefined {
  if (header.typ?.toLowerCase() !== 'dpop+jwt') return undefined
  const { jwk } = header.members
  if (typeof jwk !== 'object' || jwk === null || 'd' in jwk || 'k' in jwk) return undefined
  const { alg } = jwk as Jwk
  return alg === undefined || alg === header.alg ? (jwk as Jwk) : undefined
}

function isFor(claims: Claims, request: DpopRequest, now: number, window: number): boolean {
  const { jti, htm, htu, iat, ath } = claims
  return (
    typeof jti === 'string' &&
    jti !== '' &&
    jti.length <= 256 &&
    htm === request.method &&
    typeof iat === 'number' &&
    Math.abs(now - iat * 1_000) <= window &&
    typeof htu === 'string' &&
    [request.url].flat().some(url => isSameTarget(htu, url)) &&
    ath === createHash('sha256').update(request.token).digest('base64url')
  )
}

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
}

/** JWK thumbprint (RFC 7638, RFC 8037 section 2) by SHA-256, base64url. */
export function thumbprintOf(jwk: Jwk): string | undefined {
  const members = MEMBERS[String(jwk['kty'])]
  if (members === undefined) return undefined
  const required: Record<string, string> = {}
  for (const name of members) {
    const value = jwk[name]
    if (typeof value !== 'string') return undefined
    required[name] = value
  }
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url')
}

/** RFC 9449 section 4.3: without query and fragment, after normalisation (RFC 3986 section 6.2). */
function isSameTarget(htu: string, url: string): boolean {
  if (!URL.canParse(htu) || !URL.canParse(url)) return false
  const claimed = new URL(htu)
  const real = new URL(url)
  return claimed.origin === real.origin && claimed.pathname === real.pathname
}
