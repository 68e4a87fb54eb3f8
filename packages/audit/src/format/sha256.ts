import { hash } from 'node:crypto'

/** 32 bytes of SHA-256. */
export type Hash = Uint8Array

export const HASH_BYTES = 32

/**
 * SHA-256 of some bytes. The one-shot `crypto.hash` with a one-byte string as output is about ten times as
 * fast as `createHash` for the short inputs of a Merkle tree (measured on Node 24).
 */
export function sha256(data: Uint8Array): Hash {
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1')
}

/** Whether two byte strings are equal. Hashes here are public: no constant time is needed. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0
}
