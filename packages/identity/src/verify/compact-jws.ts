import { createHmac, type Hmac, timingSafeEqual, verify } from 'node:crypto'
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

/** A signed token, taken apart. Nothing of it is verified yet. */
export interface CompactJws {
  readonly header: JwsHeader
  readonly payload: Buffer
  /** As it stands in the token: base64url, if it is one. */
  readonly signature: string
  /** Header and payload as they were signed: ASCII. */
  readonly signed: string
}

/** Longest token that is read; proxies and servers take no longer header. */
const MAX_LENGTH = 16_384
/** Headers of tokens are few: one per key. */
const MAX_HEADERS = 256

/** Headers that were read, in a table of fixed size; a full one is emptied. */
class JwsHeaders {
  #known = new Map<string, JwsHeader>()
  #recent: { readonly text: string; readonly header: JwsHeader } | undefined

  /** The header in the first characters of a token; undefined when they are not a header. */
  of(token: string, length: number): JwsHeader | undefined {
    const recent = this.#recent
    // Compared in place: most tokens that follow each other have the same.
    if (recent !== undefined && recent.text.length === length && token.startsWith(recent.text))
      return recent.header
    const text = token.slice(0, length)
    const header = this.#known.get(text) ?? parseHeader(text)
    if (header === undefined) return undefined
    if (this.#known.size >= MAX_HEADERS) this.#known = new Map()
    this.#known.set(text, header)
    this.#recent = { text, header }
    return header
  }
}

const headers = new JwsHeaders()

/**
 * Takes a compact JWS apart (RFC 7515 section 7.1), or gives undefined: other than three parts, a payload
 * that is base64url in another spelling than its one (`isSignedBy` holds the signature to that), a header
 * that is not an object, names `crit` or `b64` (nothing critical is understood here), or has an `alg`, `kid`
 * or
 * `typ` that is not text.
 */
export function parseCompactJws(token: string): CompactJws | undefined {
  if (token.length > MAX_LENGTH) return undefined
  const first = token.indexOf('.')
  const second = token.indexOf('.', first + 1)
  if (first <= 0 || second < 0) return undefined
  // A third dot would be in the signature, where base64url has none.
  const payload = decodeBase64url(token.slice(first + 1, second))
  if (payload === undefined) return undefined
  const header = headers.of(token, first)
  if (header === undefined) return undefined
  return { header, payload, signature: token.slice(second + 1), signed: token.slice(0, second) }
}

/**
 * Whether a key made the signature, and it is spelled in the one way of base64url. False unless the token
 * names the key's own algorithm. Never throws.
 */
export function isSignedBy(jws: CompactJws, key: VerificationKey): boolean {
  if (jws.header.alg !== key.algorithm) return false
  const { rule } = key
  if (rule.kty === 'oct') return isMac(jws, createHmac(rule.hash ?? '', key.key))
  const signature = decodeBase64url(jws.signature)
  if (signature === undefined || (rule.length !== undefined && signature.length !== rule.length)) return false
  try {
    return verify(rule.hash, Buffer.from(jws.signed, 'latin1'), key.nodeKey, signature)
  } catch {
    return false
  }
}

/** Bytes of the text of the longest MAC, HS512. */
const MAC_TEXT = 86
const wantedText = Buffer.alloc(MAC_TEXT)
const givenText = Buffer.alloc(MAC_TEXT)

/**
 * Compares a MAC as text, in constant time: the wanted text is in the one spelling, so nothing has to be
 * decoded and encoded again, and two buffers that are kept take both. That is a tenth of the whole check of
 * an HS256 token.
 */
function isMac({ signed, signature }: CompactJws, hmac: Hmac): boolean {
  const wanted = hmac.update(signed, 'latin1').digest('base64url')
  if (signature.length !== wanted.length) return false
  wantedText.write(wanted, 'latin1')
  // What is not ASCII becomes more bytes, and so another length than the MAC's.
  const isAscii = givenText.write(signature, 'utf8') === wanted.length
  const isEqual = timingSafeEqual(wantedText, givenText)
  // Nothing of a longer MAC may stand behind the next one.
  wantedText.fill(0)
  givenText.fill(0)
  return isAscii && isEqual
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
