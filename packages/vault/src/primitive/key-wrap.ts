import { createCipheriv, createDecipheriv } from 'node:crypto'
import { IntegrityError } from '@postern/core'

/** The initial value of RFC 3394 section 2.2.3.1. */
const IV = Buffer.alloc(8, 0xa6)

/**
 * AES key wrap (RFC 3394) with a 128, 192 or 256 bit key. The lengths are checked here because node's
 * implementation accepts an empty input, which wraps nothing and authenticates nothing.
 */
export function wrapKey(kek: Uint8Array, secret: Uint8Array): Buffer {
  if (secret.length < 16 || secret.length % 8 !== 0)
    throw new RangeError('AES key wrap takes 16 or more bytes, a multiple of 8')
  const cipher = createCipheriv(`id-aes${kek.length * 8}-wrap`, kek, IV)
  return Buffer.concat([cipher.update(secret), cipher.final()])
}

/**
 * Undoes `wrapKey`.
 * @throws IntegrityError when it was wrapped with another key, or changed
 */
export function unwrapKey(kek: Uint8Array, wrapped: Uint8Array): Buffer {
  if (wrapped.length < 24 || wrapped.length % 8 !== 0)
    throw new IntegrityError('wrapped key: its length is not that of a wrapped key')
  try {
    const decipher = createDecipheriv(`id-aes${kek.length * 8}-wrap`, kek, IV)
    return Buffer.concat([decipher.update(wrapped), decipher.final()])
  } catch {
    throw new IntegrityError('wrapped key: it does not unwrap with this key; use the key it was wrapped with')
  }
}
