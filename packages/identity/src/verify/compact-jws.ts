import { createHmac, timingSafeEqual, verify } from 'node:crypto'
import { decodeBase64url, isCanonicalBase64url } from './base64url.ts'
import { ALGORITHMS } from './jws-algorithm.ts'
import type { VerificationKey } from './verification-key.ts'

/**
 * Header members that matter here; all others are ignored, keys and addresses of keys in the
 * token (`jwk`, `jku`, `x5u`) among them.
 */
export interface JwsHeader {
  readonly alg: string
  readonly kid: string | undefined
  readonly typ: string | undefined
  /** All of it, for tokens whose key is in the header on purpose (DPoP). */
  readonly members: Readonly<Record<string, unknown>>
}

/** A signed token, taken apart. Nothing of it is believed yet. */
export interface CompactJws {
  readonly header: JwsHeader
  readonly payload: Buffer
  readonly signature: Buffer
  readonly signed: Buffer
}

/** Longest token that is read; proxies and servers take no longer header. */
const MAX_LENGTH = 16_384
/** Headers of tokens are few: one per key. */
const MAX_HEADERS = 256
let headers = new Map<string, JwsHeader>()

/**
 * Takes a compact JWS apart (RFC 7515 section 7.1), or gives undefined: other than three parts, base64url in
 * another spelling than its one, a header that is no object, names `crit` or `b64` (nothing critical is
 * understood here), or has an `alg`, `kid` or `typ` that is no text.
 */
export function parseCompactJws(token: string): CompactJws | undefined {
  if (token.length > MAX_LENGTH) return undefined
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first <= 0 || second < 0 || token.indexOf('.', second + 1) >= 0) return undefined
  const header = headerOf(token.slice(0, first))
  if (header === undefined) return undefined
  const payload = token.slice(first + 1, second)
  const signature = token.slice(second + 1)
  if (!isCanonicalBase64url(payload) || !isCanonicalBase64url(signature)) return undefined
  return {
    header,
    payload: Buffer.from(payload, 'base64url'),
    signature: Buffer.from(signature, 'base64url'),
    signed: Buffer.from(token.slice(0, second), 'latin1'),
  }
}

/** Whether a key made the signature. False unless the token names the key's own algorithm. Never throws. */
export function isSignedBy(jws: CompactJws, key: VerificationKey): boolean {
  if (jws.header.alg !== key.algorithm) return false
  const rule = ALGORITHMS.get(key.algorithm)
  if (rule === undefined || (rule.length !== undefined && jws.signature.length !== rule.length)) return false
  if (rule.kty === 'oct') {
    const wanted = createHmac(rule.hash ?? '', key.key)
      .update(jws.signed)
      .digest()
    return timingSafeEqual(wanted, jws.signature)
  }
  try {
    return verify(rule.hash, jws.signed, key.nodeKey, jws.signature)
  } catch {
    return false
  }
}

function headerOf(text: string): JwsHeader | undefined {
  const known = headers.get(text)
  if (known !== undefined) return known
  const parsed = parseHeader(text)
  if (parsed === undefined) return undefined
  if (headers.size >= MAX_HEADERS) headers = new Map()
  headers.set(text, parsed)
  return parsed
}

function parseHeader(text: string): JwsHeader | undefined {
  const members = jsonObject(decodeBase64url(text))
  if (members === undefined || 'crit' in members || 'b64' in members) return undefined
  const { alg, kid, typ } = members
  if (typeof alg !== 'string' || !isTextOrAbsent(kid) || !isTextOrAbsent(typ)) return undefined
  return { alg, kid, typ, members }
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

/** A JSON object in UTF-8, or undefined. */
export function jsonObject(bytes: Buffer | undefined): Readonly<Record<string, unknown>> | undefined {
  if (bytes === undefined) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}
