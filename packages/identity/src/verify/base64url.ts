/**
 * The bytes of base64url in its one spelling (RFC 7515 section 2), or undefined for any other text: padding,
 * space, another alphabet, bits set that the bytes do not need. One signature then has one text, and a token
 * one cache key. Encoding what was decoded shows all of it, and is faster than a look at every character.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
