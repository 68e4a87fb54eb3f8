/**
 * Bytes that WebCrypto takes: over an ordinary buffer. Not written as a generic type, which TypeScript before
 * 5.7 does not have, because applications read this declaration with the version that they use.
 */
export type Bytes = ReturnType<Uint8ArrayConstructor['of']>

/** A key inside WebCrypto. */
export type WebKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

const encoder = new TextEncoder()

export function utf8(text: string): Bytes {
  return encoder.encode(text)
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

export function randomBytes(count: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(count))
}

/** Whether two values are equal, in time that depends on their length only. */
export function equalBytes(x: Uint8Array, y: Uint8Array): boolean {
  if (x.length !== y.length) return false
  let difference = 0
  for (const [index, byte] of x.entries()) difference |= byte ^ (y[index] ?? 0)
  return difference === 0
}

/** base64url without padding (RFC 4648 section 5). */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** @throws Error for text that is not base64url */
export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), character =>
    character.charCodeAt(0),
  )
}

/** HMAC as WebCrypto does it. */
export async function hmac(algorithm: 'SHA-256' | 'SHA-512', key: Bytes, message: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: algorithm }, false, [
    'sign',
  ])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, message))
}

/** HKDF-SHA-256 with an empty salt (RFC 5869). */
export async function hkdf(secret: Bytes, info: string, length: number): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits'])
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8(info) }
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, length * 8))
}
