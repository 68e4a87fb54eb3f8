import type { RandomSource } from '@postern/core'
import { CONTRIBUTION_BYTES } from '../split/contribution.ts'

/** Contributions outstanding for one service, and how long they may be used, milliseconds. */
const MOST_OF_ONE = 50_000
const LIFETIME = 3_600_000

/**
 * Contributions that were handed out and not used yet, of each service apart: one that asks for more and more
 * drops its own, not those of others. Kept in memory only: a restart forgets them, which is safe.
 */
export class OutstandingNonces {
  readonly #random: RandomSource
  readonly #most: number
  readonly #lifetime: number
  /** Per configured service: nonce to when it was handed out; the oldest first. */
  readonly #outstanding = new Map<string, Map<string, number>>()

  constructor(random: RandomSource, most: number = MOST_OF_ONE, lifetime: number = LIFETIME) {
    this.#random = random
    this.#most = most
    this.#lifetime = lifetime
  }

  /** Fresh ones for a service. The oldest outstanding of this service are dropped when there are too many. */
  issue(service: string, count: number, now: number): readonly string[] {
    const pool = Buffer.from(this.#random.bytes(count * CONTRIBUTION_BYTES))
    const own = this.#outstanding.get(service) ?? new Map<string, number>()
    this.#outstanding.set(service, own)
    const issued: string[] = []
    for (let i = 0; i < count; i++) {
      const nonce = pool.toString('base64url', i * CONTRIBUTION_BYTES, (i + 1) * CONTRIBUTION_BYTES)
      own.set(nonce, now)
      issued.push(nonce)
    }
    for (const [nonce, time] of own) {
      if (own.size <= this.#most && time + this.#lifetime > now) break
      own.delete(nonce)
    }
    return issued
  }

  /** Whether all of these are outstanding for this service; when they are, they are used up. All or none. */
  take(service: string, nonces: readonly string[]): boolean {
    const own = this.#outstanding.get(service)
    if (own === undefined || new Set(nonces).size !== nonces.length) return false
    for (const nonce of nonces) if (!own.has(nonce)) return false
    for (const nonce of nonces) own.delete(nonce)
    return true
  }
}
