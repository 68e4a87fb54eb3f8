import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { decodeBase64url } from './base64url.ts'
import {
  ALGORITHMS,
  type AlgorithmRule,
  type JwsAlgorithm,
  type NodeKey,
  nodeKeyFor,
} from './jws-algorithm.ts'
import { isWeakRsa } from './weak-rsa.ts'

/** A key that verifies with one algorithm and no other: a token cannot choose. */
export interface VerificationKey {
  readonly kid: string | undefined
  readonly algorithm: JwsAlgorithm
  readonly rule: AlgorithmRule
  readonly key: KeyObject
  readonly nodeKey: NodeKey
}

/** A JSON Web Key as it is published. Parsed, not trusted. */
export type Jwk = Readonly<Record<string, unknown>>

const CURVES: Readonly<Record<string, JwsAlgorithm>> = {
  'P-256': 'ES256',
  'P-384': 'ES384',
  'P-521': 'ES512',
  Ed25519: 'EdDSA',
}

/**
 * A published key, pinned to its algorithm: the `alg` it names, else the only one its type allows,
 * else (RSA) the one that the caller says. Undefined for a key that is not for verifying: another
 * `use` or `key_ops`, weak (RSA: see `isWeakRsa`; HMAC shorter than its hash), of an algorithm
 * that is not allowed, or not a key at all.
 */
export function verificationKey(
  jwk: Jwk,
  allowed: readonly JwsAlgorithm[],
  rsa: JwsAlgorithm = 'RS256',
): VerificationKey | undefined {
  const { kid, kty, use, key_ops: operations, crv } = jwk
  if (use !== undefined && use !== 'sig') return undefined
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return undefined
  const algorithm = (jwk['alg'] ?? (kty === 'RSA' ? rsa : CURVES[String(crv)])) as JwsAlgorithm | undefined
  const rule = ALGORITHMS.get(String(algorithm))
  if (algorithm === undefined || rule === undefined || !allowed.includes(algorithm)) return undefined
  if (rule.kty !== kty || (rule.crv !== undefined && rule.crv !== crv)) return undefined
  const key = kty === 'oct' ? secretOf(jwk, rule.length ?? 0) : publicOf(jwk)
  if (key === undefined) return undefined
  return {
    kid: typeof kid === 'string' ? kid : undefined,
    algorithm,
    rule,
    key,
    nodeKey: nodeKeyFor(algorithm, key),
  }
}

/**
 * RFC 7518 section 3.2: a key of at least the hash's length. An empty secret would
 * verify what anybody signed.
 */
function secretOf(jwk: Jwk, least: number): KeyObject | undefined {
  const bytes = typeof jwk['k'] === 'string' ? decodeBase64url(jwk['k']) : undefined
  return bytes === undefined || bytes.length < least ? undefined : createSecretKey(bytes)
}

/** Only the public members are read, so a private key that was published by mistake is at least not kept. */
function publicOf(jwk: Jwk): KeyObject | undefined {
  const members: Record<string, string> = {}
  for (const name of ['kty', 'crv', 'x', 'y', 'n', 'e']) {
    const value = jwk[name]
    if (typeof value === 'string') members[name] = value
  }
  try {
    const read = createPublicKey({ key: members, format: 'jwk' })
    // Once more, from DER: OpenSSL converts a key that was put together from numbers
    // again and again when it is used.
    const der = read.export({ type: 'spki', format: 'der' })
    const key = createPublicKey({ key: der, type: 'spki', format: 'der' })
    return isWeakRsa(key) ? undefined : key
  } catch {
    return undefined
  }
}
