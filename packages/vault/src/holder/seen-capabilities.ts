/** Capabilities of one actor and of all, remembered until they expire by themselves. */
const MOST = 500_000
const MOST_OF_ONE = 20_000

/**
 * Capabilities that were used. What cannot be remembered is not taken; one actor who signs without end uses
 * up their own share only.
 */
export class SeenCapabilities {
  readonly #seen = new Map<string, Map<string, number>>()
  readonly #most: number
  readonly #mostOfOne: number
  #size = 0

  constructor(most: number = MOST, mostOfOne: number = MOST_OF_ONE) {
    this.#most = most
    this.#mostOfOne = mostOfOne
  }

  /** Remembers one. False when it was used before, or when there is no room. */
  use(actor: string, nonce: string, expiresAt: number, now: number): boolean {
    const own = this.#seen.get(actor) ?? new Map<string, number>()
    if (own.has(nonce)) return false
    if (own.size >= this.#mostOfOne) this.#expire(actor, own, now)
    if (this.#size >= this.#most) for (const [name, nonces] of this.#seen) this.#expire(name, nonces, now)
    if (own.size >= this.#mostOfOne || this.#size >= this.#most) return false
    own.set(nonce, expiresAt)
    this.#seen.set(actor, own)
    this.#size++
    return true
  }

  #expire(actor: string, nonces: Map<string, number>, now: number): void {
    for (const [nonce, expiresAt] of nonces) {
      if (expiresAt > now) continue
      nonces.delete(nonce)
      this.#size--
    }
    if (nonces.size === 0) this.#seen.delete(actor)
  }
}
