import { unwrapKey, wrapKey } from '../primitive/key-wrap.ts'

/** What a wrapped canary begins with. No base64url does. */
const WRAPPED = 'wrapped '

/**
 * The digest of a canary's place, wrapped: whoever has a copy of the holder's file and the database computes
 * the digest of every row, and would know which ones to leave alone.
 */
export function wrapCanary(kek: Uint8Array, record: string): string {
  return WRAPPED + wrapKey(kek, Buffer.from(record, 'base64url')).toString('base64url')
}

export function unwrapCanary(kek: Uint8Array, stored: string): string {
  return isWrappedCanary(stored)
    ? unwrapKey(kek, Buffer.from(stored.slice(WRAPPED.length), 'base64url')).toString('base64url')
    : stored
}

/** False for what earlier releases kept: the digest as it is. */
export function isWrappedCanary(stored: string): boolean {
  return stored.startsWith(WRAPPED)
}
