import { constants, type KeyObject } from 'node:crypto'

/**
 * Signature algorithms that are verified (RFC 7518 section 3.1, RFC 8037, RFC 9864).
 * `none` is never accepted.
 */
export type JwsAlgorithm =
  | 'HS256'
  | 'HS384'
  | 'HS512'
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'
  | 'Ed25519'

/** What an algorithm needs of a key, and how node verifies it. */
export interface AlgorithmRule {
  readonly kty: 'oct' | 'RSA' | 'EC' | 'OKP'
  readonly crv?: string
  /** undefined for EdDSA, which hashes itself. */
  readonly hash: string | undefined
  /** Bytes of a signature, where there is only one length. */
  readonly length?: number
}

export const ALGORITHMS: ReadonlyMap<string, AlgorithmRule> = new Map<JwsAlgorithm, AlgorithmRule>([
  ['HS256', { kty: 'oct', hash: 'sha256', length: 32 }],
  ['HS384', { kty: 'oct', hash: 'sha384', length: 48 }],
  ['HS512', { kty: 'oct', hash: 'sha512', length: 64 }],
  ['RS256', { kty: 'RSA', hash: 'sha256' }],
  ['RS384', { kty: 'RSA', hash: 'sha384' }],
  ['RS512', { kty: 'RSA', hash: 'sha512' }],
  ['PS256', { kty: 'RSA', hash: 'sha256' }],
  ['PS384', { kty: 'RSA', hash: 'sha384' }],
  ['PS512', { kty: 'RSA', hash: 'sha512' }],
  ['ES256', { kty: 'EC', crv: 'P-256', hash: 'sha256', length: 64 }],
  ['ES384', { kty: 'EC', crv: 'P-384', hash: 'sha384', length: 96 }],
  ['ES512', { kty: 'EC', crv: 'P-521', hash: 'sha512', length: 132 }],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519', hash: undefined, length: 64 }],
  ['Ed25519', { kty: 'OKP', crv: 'Ed25519', hash: undefined, length: 64 }],
])

/** The arguments of `crypto.verify` for a key of this algorithm. Created once per key. */
export type NodeKey =
  | KeyObject
  | {
      readonly key: KeyObject
      readonly dsaEncoding?: 'ieee-p1363'
      readonly padding?: number
      readonly saltLength?: number
    }

export function nodeKeyFor(algorithm: JwsAlgorithm, key: KeyObject): NodeKey {
  const { kty } = ALGORITHMS.get(algorithm) as AlgorithmRule
  if (kty === 'EC') return { key, dsaEncoding: 'ieee-p1363' }
  if (kty !== 'RSA') return key
  // PKCS #1 version 1.5 is node's default.
  return algorithm.startsWith('PS')
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : key
}
