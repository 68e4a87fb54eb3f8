import { canonicalJson, type Json } from '@postern/core'
import { type SigningKey, signBytes } from '../primitive/ed25519.ts'

const MAX_TEXT = 1_000_000

/** A JSON object and a signature over it, as `body.signature`, base64url each. */
export interface SignedText {
  /** The JSON as it came: what the signature is over. */
  readonly json: string
  readonly body: Readonly<Record<string, unknown>>
  readonly signature: Uint8Array
}

/** Signs an object in its canonical form (RFC 8785), under a label that says what kind of statement it is. */
export function signText(key: SigningKey, label: string, body: { readonly [key: string]: Json }): string {
  const json = canonicalJson(body)
  return joinSigned(json, signBytes(key, Buffer.from(label + json)))
}

/** The text of a body and its signature. */
export function joinSigned(json: string, signature: Uint8Array): string {
  return `${Buffer.from(json).toString('base64url')}.${Buffer.from(signature).toString('base64url')}`
}

/** Takes a signed text apart; undefined when it is malformed. Verifies nothing. */
export function parseSigned(text: string): SignedText | undefined {
  if (text.length > MAX_TEXT) return undefined
  const dot = text.indexOf('.')
  if (dot < 0 || text.indexOf('.', dot + 1) >= 0) return undefined
  const json = Buffer.from(text.slice(0, dot), 'base64url').toString()
  const signature = Buffer.from(text.slice(dot + 1), 'base64url')
  try {
    const body: unknown = JSON.parse(json)
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
    return { json, body: body as Readonly<Record<string, unknown>>, signature }
  } catch {
    return undefined
  }
}
