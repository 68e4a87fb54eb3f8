/** A bucket of tries that refills one by one (GCRA). */
export interface BucketRule {
  /** Tries that a full bucket holds. */
  readonly capacity: number
  /** Milliseconds in which one try comes back. */
  readonly every: number
}

/**
 * The state of a bucket is one number: when it will be full again, epoch milliseconds. 0 is a full bucket.
 * @returns the state after one try, or undefined when the bucket is empty
 */
export function takeOne(fullAt: number, rule: BucketRule, now: number): number | undefined {
  const next = Math.max(fullAt, now) + rule.every
  return next - now <= rule.capacity * rule.every ? next : undefined
}

/** When one try is available, epoch milliseconds; `now` when one is. */
export function availableAt(fullAt: number, rule: BucketRule, now: number): number {
  return Math.max(now, fullAt + rule.every - rule.capacity * rule.every)
}
