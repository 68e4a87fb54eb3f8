import { createHash } from 'node:crypto'
import { SALT_BYTES } from '../record/record-format.ts'
import type { HolderId } from './part.ts'

/** Bytes of a holder's contribution to a salt. */
export const CONTRIBUTION_BYTES = 16

/** A random value a holder handed out, once, towards the salt of a record still to be sealed. */
export interface Contribution {
  readonly holder: HolderId
  readonly nonce: Uint8Array
}

const LABEL = Buffer.from('postern vault salt 1')

/**
 * The salt of a new record: SHA-256(label, context, each holder's contribution in order), cut to 16 bytes.
 *
 * No single party chooses it: whoever wants the salt of an existing record needs a second
 * preimage (2^128), and a contribution is good for one request only. So what a right to seal
 * returns is never the key of a stored record.
 */
export function saltFrom(encodedContext: Uint8Array, contributions: readonly Contribution[]): Buffer {
  const digest = createHash('sha256').update(LABEL).update(encodedContext)
  for (const { holder, nonce } of contributions) digest.update(Uint8Array.of(holder)).update(nonce)
  return digest.digest().subarray(0, SALT_BYTES)
}
