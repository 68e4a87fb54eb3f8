import type { Clock } from '@postern/core'

interface Bucket {
  tokens: number
  at: number
}

const MAX_BUCKETS = 50_000

/** A token bucket per remediation, for throttled actors. Bounded; per process. */
export class ActorRate {
  readonly #perMs: number
  readonly #burst: number
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()

  /** @param count requests per `windowMs`; `burst` at once */
  constructor(count: number, windowMs: number, burst: number, clock: Clock) {
    this.#perMs = count / windowMs
    this.#burst = burst
    this.#clock = clock
  }

  /** Takes one. @returns 0 when it may pass, else milliseconds until the next may */
  take(id: string): number {
    const now = this.#clock.monotonic()
    let bucket = this.#buckets.get(id)
    if (bucket === undefined) {
      this.#makeRoom()
      bucket = { tokens: this.#burst, at: now }
      this.#buckets.set(id, bucket)
    }
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (now - bucket.at) * this.#perMs)
    bucket.at = now
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1
      return 0
    }
    return (1 - bucket.tokens) / this.#perMs
  }

  /** Whether `take` would have to wait. Takes nothing. */
  isSpent(id: string): boolean {
    const bucket = this.#buckets.get(id)
    return bucket !== undefined && bucket.tokens + (this.#clock.monotonic() - bucket.at) * this.#perMs < 1
  }

  /**
   * The oldest bucket is evicted: its actor starts with a full one again, which errs in the actor's favour.
   */
  #makeRoom(): void {
    if (this.#buckets.size < MAX_BUCKETS) return
    const oldest = this.#buckets.keys().next().value
    if (oldest !== undefined) this.#buckets.delete(oldest)
  }
}
