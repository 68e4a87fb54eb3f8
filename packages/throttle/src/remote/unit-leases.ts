interface Lease {
  left: number
  /** Monotonic milliseconds. */
  until: number
}

const MOST = 10_000

/**
 * Units that this process took from a remote store and may spend by itself. They were debited before, and are
 * lost when they are not spent in time, so no limit is ever exceeded by them.
 */
export class UnitLeases {
  #leases = new Map<string, Lease>()

  /** Units that may still be spent for a key. */
  left(key: string, now: number): number {
    const lease = this.#leases.get(key)
    if (lease === undefined) return 0
    if (lease.until > now) return lease.left
    this.#leases.delete(key)
    return 0
  }

  /** Spends units that `left` said were there; a negative number gives them back. */
  spend(key: string, units: number): void {
    const lease = this.#leases.get(key)
    if (lease !== undefined) lease.left -= units
  }

  /**
   * Keeps units until a time. Those of an earlier lease of the key live on as long as they would have: they
   * are dropped if that is shorter.
   */
  add(key: string, units: number, until: number): void {
    if (units <= 0) return
    if (this.#leases.size >= MOST) this.#leases = new Map()
    this.#leases.set(key, { left: units, until })
  }

  forget(key: string): void {
    this.#leases.delete(key)
  }
}
