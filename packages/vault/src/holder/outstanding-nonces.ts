import type { RandomSource } from '@postern/core'
import { CONTRIBUTION_BYTES } from '../split/contribution.ts'

/**
 * Contributions that were handed out and not used yet. Kept in memory only: a
 * restart forgets them, which is safe.
 */
export class OutstandingNonces {
  readonly #random: RandomSource
  readonly #most: number
  readonly #lifetime: number
  /** `service nonce` to when it was handed out; the oldest first. */
  readonly #outstanding = new Map<string, number>()

  constructor(random: RandomSource, most = 200_000, lifetime = 3_600_000) {
    this.#random = random
    this.#most = most
    this.#lifetime = lifetime
  }

  /** Fresh ones for a service. The oldest outstanding are dropped when there are too many. */
  issue(service: string, count: number, now: number): readonly string[] {
    const pool = Buffer.from(this.#random.bytes(count * CONTRIBUTION_BYTES))
    const issued: string[] = []
    for (let i = 0; i < count; i++) {
      const nonce = pool.toString('base64url', i * CONTRIBUTION_BYTES, (i + 1) * CONTRIBUTION_BYTES)
      this.#outstanding.set(`${service} ${nonce}`, now)
      issued.push(nonce)
    }
    for (const [key, time] of this.#outstanding) {
      if (this.#outstanding.size <= this.#most && time + this.#lifetime > now) break
      this.#outstanding.delete(key)
    }
    return issued
  }

  /** Whether all of these are outstanding for this service; when they are, they are used up. All or none. */
  take(service: string, nonces: readonly string[]): boolean {
    const keys = new Set(nonces.map(nonce => `${service} ${nonce}`))
    if (keys.size !== nonces.length) return false
    for (const key of keys) if (!this.#outstanding.has(key)) return false
    for (const key of keys) this.#outstanding.delete(key)
    return true
  }
}
