import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

/**
 * Hashes names under a secret, so that a store holds no account, address or network, and
 * nobody without the secret can look one up.
 */
export interface KeyedHash {
  /** 22 characters of base64url (128 bits) of a text, different for each purpose. */
  of(purpose: string, text: string): string
}

/** @param secret at least 32 bytes, the same on every instance */
export function keyedHash(secret: Uint8Array): KeyedHash {
  const key: KeyObject = createSecretKey(secret)
  return {
    of: (purpose, text) =>
      createHmac('sha256', key).update(`postern login\n${purpose}\n${text}`).digest('base64url').slice(0, 22),
  }
}
