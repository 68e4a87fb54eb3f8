/**
 * How long the epoch before the newest still seals, milliseconds: the operators of the other holders begin
 * the newest one in that time. Not longer: one dishonest holder that reports the earlier epoch could
 * otherwise keep new records in it indefinitely, and its keys may be what somebody has.
 */
const BEGINNING_MS = 3_600_000

/** Which epochs a holder seals in. */
export class SealingEpoch {
  #newest: number
  /** When the newest one was seen first; an epoch that a holder starts with has begun long ago. */
  #since = Number.NEGATIVE_INFINITY

  /** @param newest the epoch that the holder starts with */
  constructor(newest: number) {
    this.#newest = newest
  }

  /** Notes which epoch is the newest, whenever somebody asks. */
  observe(newest: number, now: number): void {
    if (newest === this.#newest) return
    this.#newest = newest
    this.#since = now
  }

  /**
   * Whether an epoch seals: the newest, and for an hour the one before, which other holders may still have.
   */
  allows(epoch: number, newest: number, now: number): boolean {
    this.observe(newest, now)
    return epoch === newest || (epoch === newest - 1 && now < this.#since + BEGINNING_MS)
  }
}
