import { isSignedBy, jsonObject, parseCompactJws } from '../verify/compact-jws.ts'
import { type Jwk, verificationKey } from '../verify/verification-key.ts'

/** A proof as browsers send it in `Secure-Session-Response`. */
export interface BoundProof {
  /** The challenge that is answered. */
  readonly challenge: string
  /** The key that a registration brings. */
  readonly key: Jwk | undefined
}

/** `typ` of a proof: by the browser itself, or by a script. One is never taken for the other. */
export type ProofType = 'dbsc+jwt' | 'postern-bind+jwt'

const ALGORITHMS = ['ES256', 'RS256'] as const

/**
 * Verifies a proof of a type, signed by the session's key, or, at registration, by the key that it brings
 * (in the header's `jwk`, or the payload's `key`).
 * @param known key of the session; undefined at registration
 * @returns undefined for a proof that does not hold
 */
export function readProof(
  text: string,
  known: Jwk | undefined,
  type: ProofType = 'dbsc+jwt',
): BoundProof | undefined {
  // A structured-field string comes in quotes.
  const jws = parseCompactJws(text.trim().replace(/^"(.*)"$/, '$1'))
  if (jws === undefined || jws.header.typ?.toLowerCase() !== type) return undefined
  const claims = jsonObject(jws.payload)
  const { jti } = claims ?? {}
  if (typeof jti !== 'string' || jti === '' || jti.length > 200) return undefined
  const brought = known === undefined ? asJwk(jws.header.members['jwk'] ?? claims?.['key']) : undefined
  const jwk = known ?? brought
  if (jwk === undefined) return undefined
  const key = verificationKey({ ...publicPart(jwk), alg: jws.header.alg }, ALGORITHMS)
  if (key === undefined || !isSignedBy(jws, key)) return undefined
  return {
    challenge: jti,
    key: brought === undefined ? undefined : { ...publicPart(brought), alg: jws.header.alg },
  }
}

function asJwk(value: unknown): Jwk | undefined {
  return typeof value === 'object' && value !== null ? (value as Jwk) : undefined
}

/** The members of a public key and no others: a record stays small whatever a browser sends. */
function publicPart(jwk: Jwk): Jwk {
  const part: Record<string, unknown> = {}
  for (const name of ['kty', 'crv', 'x', 'y', 'n', 'e'])
    if (typeof jwk[name] === 'string') part[name] = jwk[name]
  return part
}
