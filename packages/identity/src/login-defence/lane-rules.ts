import type { BucketRule } from './bucket.ts'

/** The budgets of all lanes. */
export interface LaneRules {
  /** A device that signed in to this account before. */
  readonly device: BucketRule
  /** A network from which this account was signed in to before. */
  readonly network: BucketRule
  /** All unknown clients of one account together. */
  readonly unknown: BucketRule
  /** One address at one account, within the lane of the unknown. */
  readonly pair: BucketRule
  /** Consecutive failures after which a lane closes (NIST SP 800-63B section 3.2.2). */
  readonly closeAfter: number
  /**
   * Milliseconds between two mailed links for one account. A link lives exactly as
   * long, so that one is always there.
   */
  readonly linkEvery: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/**
 * The lanes as simulated: at most 58 guesses of unknown clients are checked per account
 * and day, and the owner always gets in.
 */
export const DEFAULT_LANES: LaneRules = Object.freeze({
  device: { capacity: 10, every: 5 * MINUTE },
  network: { capacity: 5, every: 15 * MINUTE },
  unknown: { capacity: 10, every: 30 * MINUTE },
  pair: { capacity: 3, every: HOUR },
  closeAfter: 100,
  linkEvery: 2 * HOUR,
})

/** How many devices, networks and pairs are remembered per account; the least recently used is evicted. */
export const MAX_KNOWN = 32
/** How long a device or network stays known after its last success, milliseconds. */
export const KNOWN_FOR: number = 180 * 24 * HOUR
