import type { Claims } from './claims.ts'

interface Kept {
  readonly claims: Claims
  readonly generation: number
  /** Epoch milliseconds at which it must be verified again. */
  readonly until: number
}

/**
 * Tokens that were verified, by the whole token: two tokens that share anything less (header and payload, a
 * prefix, a weak hash) are two entries. Bounded; the oldest is evicted. An entry holds for its own key
 * generation only, and never beyond the token's end.
 */
export class TokenCache {
  readonly #max: number
  readonly #entries = new Map<string, Kept>()

  constructor(max: number) {
    this.#max = max
  }

  get(token: string, generation: number, now: number): Claims | undefined {
    // Looking a token up hashes all of it.
    if (this.#entries.size === 0) return undefined
    const kept = this.#entries.get(token)
    if (kept === undefined) return undefined
    if (kept.generation === generation && now < kept.until) return kept.claims
    this.#entries.delete(token)
    return undefined
  }

  set(token: string, claims: Claims, generation: number, until: number): void {
    if (this.#max === 0) return
    if (this.#entries.size >= this.#max) {
      const oldest = this.#entries.keys().next().value
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    this.#entries.set(token, { claims, generation, until })
  }
}
