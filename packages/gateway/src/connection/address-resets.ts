const WINDOW_MS = 10_000
const MAX_NETWORKS = 10_000

interface Window {
  readonly start: number
  count: number
}

/**
 * Counts the HTTP/2 streams that each network cancels within ten seconds, over all its connections. Without
 * it, a client that stays below the limit of one connection, and opens many or a new one each time, cancels
 * as many streams as it likes. Holds 10,000 networks; the one whose window began first is evicted.
 */
export class AddressResets {
  readonly #limit: number
  readonly #windows = new Map<string, Window>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Networks that are remembered. */
  get size(): number {
    return this.#windows.size
  }

  /**
   * Counts a cancelled stream.
   * @param now in milliseconds, monotonic
   * @returns whether the network has cancelled more than the limit
   */
  add(network: string, now: number): boolean {
    const known = this.#windows.get(network)
    if (known !== undefined && now - known.start <= WINDOW_MS) {
      known.count++
      return known.count > this.#limit
    }
    this.#windows.delete(network)
    if (this.#windows.size >= MAX_NETWORKS) {
      const [oldest] = this.#windows.keys()
      if (oldest !== undefined) this.#windows.delete(oldest)
    }
    this.#windows.set(network, { start: now, count: 1 })
    return this.#limit < 1
  }
}
