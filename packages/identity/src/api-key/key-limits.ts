import type { KeyLimit } from './api-key.ts'

interface Bucket {
  level: number
  at: number
}

/**
 * Keys whose level is remembered; the least recently used is forgotten first, which
 * can only be to its favour.
 */
const CAPACITY = 10_000

/**
 * A token bucket per key, in the memory of this process: with n processes a key has
 * at most n times its limit.
 */
export class KeyLimits {
  readonly #buckets = new Map<string, Bucket>()

  /**
   * Takes one use.
   * @param now monotonic milliseconds
   * @returns 0 when it is allowed, else whole seconds until one is
   */
  take(id: string, limit: KeyLimit, now: number): number {
    const bucket = this.#buckets.get(id) ?? { level: limit.count, at: now }
    this.#buckets.delete(id)
    this.#buckets.set(id, bucket)
    if (this.#buckets.size > CAPACITY) {
      const [oldest] = this.#buckets.keys()
      if (oldest !== undefined) this.#buckets.delete(oldest)
    }
    const rate = limit.count / limit.window
    bucket.level = Math.min(limit.count, bucket.level + (now - bucket.at) * rate)
    bucket.at = now
    if (bucket.level < 1) return Math.max(1, Math.ceil((1 - bucket.level) / rate / 1_000))
    bucket.level--
    return 0
  }
}
