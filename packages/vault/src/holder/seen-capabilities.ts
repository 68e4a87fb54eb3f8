import type { HolderJournal, UsedCapability } from './holder-journal.ts'

/** Capabilities of all and of one actor, remembered until they expire by themselves. */
const MOST = 500_000
const MOST_OF_ONE = 20_000
/** Milliseconds between two searches for expired ones: who fills this must not keep the holder busy too. */
const EXPIRE_EVERY = 1_000

/** How many used capabilities are remembered. */
export interface SeenCapabilitiesOptions {
  /** Services that may present some: each of them has a share that no other one can fill. Default 1. */
  readonly services?: number
  /** Default 500,000. */
  readonly most?: number
  /** Most of one actor. Default 20,000. */
  readonly mostOfOne?: number
}

/**
 * Capabilities that were used. What cannot be remembered is not taken. One actor who signs without end uses
 * up their own share only; a service that invents actors its own share and the common half. Nor is a
 * capability taken that may have been forgotten: it is long expired, unless somebody has set the clock back.
 */
export class SeenCapabilities {
  /** By actor, then by nonce. */
  readonly #seen = new Map<string, Map<string, UsedCapability>>()
  readonly #ofService = new Map<string, number>()
  readonly #mostOfOne: number
  /** What each service has for itself, and what all may use beyond that. */
  readonly #share: number
  readonly #common: number
  #commonUsed = 0
  #expiredAt = Number.NEGATIVE_INFINITY
  /** Latest expiry of those that are not remembered any more, epoch milliseconds. */
  #forgottenUntil = 0

  constructor({ services = 1, most = MOST, mostOfOne = MOST_OF_ONE }: SeenCapabilitiesOptions = {}) {
    this.#mostOfOne = mostOfOne
    this.#share = Math.floor(most / 2 / Math.max(1, services))
    this.#common = most - this.#share * Math.max(1, services)
  }

  /** What a holder had written down when it ended. @param services that it serves */
  static from(journal: HolderJournal, services: number, now: number): SeenCapabilities {
    const seen = new SeenCapabilities({ services })
    for (const used of journal.usedAfter(now)) seen.use(used, now)
    seen.#forgottenUntil = journal.forgottenUntil()
    return seen
  }

  /** Remembers one. False when it was used before, or when there is no room. */
  use(used: UsedCapability, now: number): boolean {
    const { service, actor, nonce, expiresAt } = used
    if (expiresAt <= this.#forgottenUntil) return false
    if (this.#seen.get(actor)?.has(nonce) === true) return false
    if (!this.#hasRoom(service, actor)) {
      this.#expire(now)
      if (!this.#hasRoom(service, actor)) return false
    }
    const own = this.#seen.get(actor) ?? new Map<string, UsedCapability>()
    own.set(nonce, used)
    this.#seen.set(actor, own)
    this.#count(service, 1)
    return true
  }

  #hasRoom(service: string, actor: string): boolean {
    if ((this.#seen.get(actor)?.size ?? 0) >= this.#mostOfOne) return false
    return (this.#ofService.get(service) ?? 0) < this.#share || this.#commonUsed < this.#common
  }

  #count(service: string, change: 1 | -1): void {
    const before = this.#ofService.get(service) ?? 0
    const after = before + change
    this.#ofService.set(service, after)
    this.#commonUsed += Math.max(0, after - this.#share) - Math.max(0, before - this.#share)
  }

  #expire(now: number): void {
    if (now - this.#expiredAt < EXPIRE_EVERY) return
    this.#expiredAt = now
    for (const [actor, nonces] of this.#seen) {
      for (const [nonce, { service, expiresAt }] of nonces) {
        if (expiresAt > now) continue
        this.#forgottenUntil = Math.max(this.#forgottenUntil, expiresAt)
        nonces.delete(nonce)
        this.#count(service, -1)
      }
      if (nonces.size === 0) this.#seen.delete(actor)
    }
  }
}
