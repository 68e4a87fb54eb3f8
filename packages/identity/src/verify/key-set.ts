import { ConfigError } from '@postern/core'
import type { JwsAlgorithm } from './jws-algorithm.ts'
import { type Jwk, type VerificationKey, verificationKey } from './verification-key.ts'

/** Keys that tokens of one issuer may be signed with. */
export interface KeySet {
  /** Changes when keys do: what was verified with an older generation is verified again. */
  readonly generation: number
  /** The one key that may have signed this. A promise when it must be fetched first. */
  find(
    kid: string | undefined,
    alg: string,
  ): VerificationKey | undefined | Promise<VerificationKey | undefined>
}

/** Asymmetric algorithms: what an issuer elsewhere signs with. */
export const PUBLIC_ALGORITHMS: readonly JwsAlgorithm[] = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
]

const MAX_KEYS = 64

/**
 * The keys of a JWK set (RFC 7517 section 5). Keys that are not for verifying are left out, and so are two of
 * one name. A set that mixes secret and public keys has none: one of them was put there by mistake, and a
 * published secret verifies what anybody signs.
 */
export function keysOf(
  set: unknown,
  allowed: readonly JwsAlgorithm[],
  rsa?: JwsAlgorithm,
): readonly VerificationKey[] {
  const list: unknown = typeof set === 'object' && set !== null ? (set as Jwk)['keys'] : undefined
  if (!Array.isArray(list) || list.length > MAX_KEYS) return []
  const jwks = list.filter((item): item is Jwk => typeof item === 'object' && item !== null)
  const secrets = jwks.filter(jwk => jwk['kty'] === 'oct').length
  if (secrets > 0 && secrets < jwks.length) return []
  const names = jwks.map(jwk => jwk['kid'])
  return jwks
    .filter(({ kid }) => kid === undefined || names.indexOf(kid) === names.lastIndexOf(kid))
    .map(jwk => verificationKey(jwk, allowed, rsa))
    .filter(key => key !== undefined)
}

/** With a `kid`, the key of that name; without one, the only key of the algorithm. */
export function matching(
  keys: readonly VerificationKey[],
  kid: string | undefined,
  alg: string,
): VerificationKey | undefined {
  let found: VerificationKey | undefined
  for (const key of keys) {
    if (key.algorithm !== alg || (kid !== undefined && key.kid !== kid)) continue
    if (found !== undefined) return undefined
    found = key
  }
  return found
}

/**
 * Keys that do not change while the process runs.
 * @throws ConfigError when there is no usable key among them
 */
export function localKeySet(
  set: unknown,
  allowed: readonly JwsAlgorithm[] = PUBLIC_ALGORITHMS,
  rsa?: JwsAlgorithm,
): KeySet {
  const keys = keysOf(set, allowed, rsa)
  if (keys.length === 0)
    throw new ConfigError({
      place: 'identify.jwt.keys',
      problem: 'no usable verification key',
      hint: 'give a JWK set with public keys of at least 2,048 (RSA) or 256 (EC) bits, or secrets alone, with their algorithms allowed: at least 32 bytes for HS256, 48 for HS384, 64 for HS512',
    })
  return { generation: 0, find: (kid, alg) => matching(keys, kid, alg) }
}
