import { createHmac, timingSafeEqual, verify } from 'node:crypto'
import { decodeBase64url } from './base64url.ts'
import type { VerificationKey } from './verification-key.ts'

/**
 * Header members that matter here; all others are ignored, keys and addresses of keys in the
 * token (`jwk`, `jku`, `x5u`) among them.
 */
export interface JwsHeader {
  readonly alg: string
  readonly kid: string | undefined
  readonly typ: string | undefined
  /** `typ` as it is compared (RFC 7515 section 4.1.9): in lower case, without `application/`. */
  readonly type: string | undefined
  /** All of it, for tokens whose key is in the header on purpose (DPoP). */
  readonly members: Readonly<Record<string, unknown>>
}

/** A signed token, taken apart. Nothing of it is believed yet. */
export interface CompactJws {
  readonly header: JwsHeader
  readonly payload: Buffer
  readonly signature: Buffer
  /** Header and payload as they were signed: ASCII. */
  readonly signed: string
}

/** Longest token that is read; proxies and servers take no longer header. */
const MAX_LENGTH = 16_384
/** Headers of tokens are few: one per key. */
const MAX_HEADERS = 256
let headers = new Map<string, JwsHeader>()
/** The header of the token before, compared in place: most tokens that follow each other have the same. */
let recent: { readonly text: string; readonly header: JwsHeader } | undefined

/**
 * Takes a compact JWS apart (RFC 7515 section 7.1), or gives undefined: other than three parts, base64url in
 * another spelling than its one, a header that is no object, names `crit` or `b64` (nothing critical is
 * understood here), or has an `alg`, `kid` or `typ` that is no text.
 */
export function parseCompactJws(token: string): CompactJws | undefined {
  if (token.length > MAX_LENGTH) return undefined
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first <= 0 || second < 0) return undefined
  // A third dot would be in the signature, where base64url has none.
  const payload = decodeBase64url(token.slice(first + 1, second))
  const signature = decodeBase64url(token.slice(second + 1))
  if (payload === undefined || signature === undefined) return undefined
  const header =
    recent !== undefined && recent.text.length === first && token.startsWith(recent.text)
      ? recent.header
      : headerOf(token.slice(0, first))
  return header === undefined ? undefined : { header, payload, signature, signed: token.slice(0, second) }
}

/** Whether a key made the signature. False unless the token names the key's own algorithm. Never throws. */
export function isSignedBy(jws: CompactJws, key: VerificationKey): boolean {
  if (jws.header.alg !== key.algorithm) return false
  const { rule } = key
  if (rule.length !== undefined && jws.signature.length !== rule.length) return false
  if (rule.kty === 'oct') {
    const mac = createHmac(rule.hash ?? '', key.key)
      .update(jws.signed, 'latin1')
      .digest()
    return timingSafeEqual(mac, jws.signature)
  }
  try {
    return verify(rule.hash, Buffer.from(jws.signed, 'latin1'), key.nodeKey, jws.signature)
  } catch {
    return false
  }
}

function headerOf(text: string): JwsHeader | undefined {
  const header = headers.get(text) ?? parseHeader(text)
  if (header === undefined) return undefined
  if (headers.size >= MAX_HEADERS) headers = new Map()
  headers.set(text, header)
  recent = { text, header }
  return header
}

function parseHeader(text: string): JwsHeader | undefined {
  const members = jsonObject(decodeBase64url(text))
  if (members === undefined || 'crit' in members || 'b64' in members) return undefined
  const { alg, kid, typ } = members
  if (typeof alg !== 'string' || !isTextOrAbsent(kid) || !isTextOrAbsent(typ)) return undefined
  return { alg, kid, typ, type: typ?.toLowerCase().replace(/^application\//, ''), members }
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
