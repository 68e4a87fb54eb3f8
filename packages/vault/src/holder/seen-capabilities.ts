/** Capabilities that were used, until they expire by themselves. */
export class SeenCapabilities {
  readonly #seen = new Map<string, number>()
  readonly #most: number

  constructor(most = 500_000) {
    this.#most = most
  }

  /**
   * Remembers one. False when it was used before, or when there is no room: what
   * cannot be remembered is not taken.
   * @param key actor and nonce
   */
  use(key: string, expiresAt: number, now: number): boolean {
    if (this.#seen.has(key)) return false
    if (this.#seen.size >= this.#most) {
      for (const [old, expiry] of this.#seen) if (expiry <= now) this.#seen.delete(old)
      if (this.#seen.size >= this.#most) return false
    }
    this.#seen.set(key, expiresAt)
    return true
  }
}
