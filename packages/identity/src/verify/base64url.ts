const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const ONLY = /^[A-Za-z0-9_-]*$/

/**
 * Whether a text is base64url in its one spelling (RFC 7515 section 2): no padding, no
 * space, no other alphabet, no bits set that the bytes do not need. One signature then
 * has one text, and a token one cache key.
 */
export function isCanonicalBase64url(text: string): boolean {
  const rest = text.length & 3
  if (rest === 1 || !ONLY.test(text)) return false
  if (rest === 0) return true
  const last = ALPHABET.indexOf(text.charAt(text.length - 1))
  return (last & (rest === 2 ? 15 : 3)) === 0
}

/** The bytes of canonical base64url, or undefined for any other text. */
export function decodeBase64url(text: string): Buffer | undefined {
  return isCanonicalBase64url(text) ? Buffer.from(text, 'base64url') : undefined
}
