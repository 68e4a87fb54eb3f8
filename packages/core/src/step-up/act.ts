import { createHash } from 'node:crypto'
import type { Json } from '../text/json.ts'

/**
 * One thing that somebody is about to do, exact enough to be confirmed or approved: this and nothing else.
 */
export interface Act {
  /** Kind and id of the principal, `user:alice`. */
  readonly actor: string
  /** What is done, in the application's words: `orders.delete`. */
  readonly action: string
  /** What it is done to: `order/1001`; empty when the action names no single resource. */
  readonly resource: string
  /** Everything else that changes what the action does. */
  readonly arguments: Json
}

/** Separates these digests from every other use of SHA-256 with the same key or device. */
const DOMAIN = 'postern act v1\n'

/**
 * SHA-256 over the canonical form of an act, a time and a nonce. A passkey that signs it confirms this act
 * only; an approval bound to it approves nothing else.
 * @param time epoch milliseconds
 * @param nonce fresh for each question, at least 16 random bytes as text
 * @throws RangeError when the arguments hold a number that JSON cannot write, or are nested deeper than 64
 */
export function actDigest(act: Act, time: number, nonce: string): Uint8Array {
  const { actor, action, resource } = act
  const text = canonicalJson({ action, actor, arguments: act.arguments, nonce, resource, time })
  return createHash('sha256').update(DOMAIN).update(text).digest()
}

const MAX_DEPTH = 64

/**
 * JSON in the one form that RFC 8785 (JSON Canonicalization Scheme) gives it: names sorted by UTF-16 code
 * units, no white space, numbers and strings as ECMAScript writes them.
 * @throws RangeError for a number that is not finite, a lone surrogate, or nesting deeper than 64
 */
export function canonicalJson(value: Json): string {
  return write(value, 0)
}

function write(value: Json, depth: number): string {
  if (depth > MAX_DEPTH) throw new RangeError(`JSON is nested deeper than ${MAX_DEPTH}`)
  if (typeof value === 'string') return text(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError('JSON has no form for a number that is not finite')
    return JSON.stringify(value)
  }
  if (typeof value !== 'object' || value === null) return String(value)
  if (isList(value)) return `[${value.map(item => write(item, depth + 1)).join(',')}]`
  const names = Object.keys(value).sort()
  return `{${names.map(name => `${text(name)}:${write(value[name] as Json, depth + 1)}`).join(',')}}`
}

function text(value: string): string {
  if (!value.isWellFormed()) throw new RangeError('JSON text holds half a surrogate pair')
  return JSON.stringify(value)
}

function isList(value: Exclude<Json, string | number | boolean | null>): value is readonly Json[] {
  return Array.isArray(value)
}
