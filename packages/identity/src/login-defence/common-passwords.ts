import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** log2 of the bits of the filter, and how many of them a password sets. */
const WIDTH = 21
const PROBES = 14

/** Module state: the one file of the package, read when the first password is checked. */
let filter: Uint8Array | undefined

/**
 * Whether a password is among the 100,000 most common ones of the leaked lists, in any letter case (ASVS
 * 5.0 6.2.4). Asks nobody: a Bloom filter of 256 KiB that comes with the package. It never misses one of
 * them, and takes 1 in 25,000 others for one.
 */
export function isCommonPassword(password: string): boolean {
  filter ??= readFileSync(new URL('../../data/common-passwords.bloom', import.meta.url))
  for (const bit of commonPasswordBits(password)) {
    if (((filter[bit >> 3] ?? 0) & (1 << (bit & 7))) === 0) return false
  }
  return true
}

/** The bits that a password sets, for the script that makes the filter. */
export function commonPasswordBits(password: string): readonly number[] {
  const digest = createHash('sha256').update(password.normalize('NFKC').toLowerCase()).digest()
  const first = digest.readUInt32BE(0)
  // Odd, so that all steps differ (Kirsch and Mitzenmacher, Less hashing, same performance).
  const step = digest.readUInt32BE(4) | 1
  const mask = 2 ** WIDTH - 1
  return Array.from({ length: PROBES }, (_, probe) => (first + Math.imul(step, probe)) & mask)
}

/** Bytes of the filter. */
export const FILTER_BYTES: number = 2 ** WIDTH / 8
