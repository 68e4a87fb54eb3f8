/** A proof must not be dated in the future by more than clocks differ. */
const SKEW = 60_000

/**
 * Whether a proof is young enough. One from the future is of a clock that was wrong when it was written down:
 * it would stay fresh until that time comes.
 * @param within milliseconds
 */
export function isProvenWithin(within: number, provenAt: number, now: number): boolean {
  const age = now - provenAt
  return age <= within && age >= -SKEW
}
