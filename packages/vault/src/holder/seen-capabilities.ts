import type { HolderJournal } from './holder-journal.ts'

/** Capabilities of one actor and of all, remembered until they expire by themselves. */
const MOST = 500_000
const MOST_OF_ONE = 20_000

/**
 * Capabilities that were used. What cannot be remembered is not taken; one actor who signs without end uses
 * up their own share only. Nor is one that may have been forgotten: it is long expired, unless somebody has
 * set the clock back.
 */
export class SeenCapabilities {
  readonly #seen = new Map<string, Map<string, number>>()
  readonly #most: number
  readonly #mostOfOne: number
  #size = 0
  /** Latest expiry of those that are not remembered any more, epoch milliseconds. */
  #forgottenUntil = 0

  constructor(most: number = MOST, mostOfOne: number = MOST_OF_ONE) {
    this.#most = most
    this.#mostOfOne = mostOfOne
  }

  /** What a holder had written down when it ended. */
  static from(journal: HolderJournal, now: number): SeenCapabilities {
    const seen = new SeenCapabilities()
    for (const { capability, expiresAt } of journal.usedAfter(now)) {
      // An actor's name may hold spaces; a nonce holds none.
      const at = capability.lastIndexOf(' ')
      seen.use(capability.slice(0, at), capability.slice(at + 1), expiresAt, now)
    }
    seen.#forgottenUntil = journal.forgottenUntil()
    return seen
  }

  /** Remembers one. False when it was used before, or when there is no room. */
  use(actor: string, nonce: string, expiresAt: number, now: number): boolean {
    if (expiresAt <= this.#forgottenUntil) return false
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
      this.#forgottenUntil = Math.max(this.#forgottenUntil, expiresAt)
      nonces.delete(nonce)
      this.#size--
    }
    if (nonces.size === 0) this.#seen.delete(actor)
  }
}
