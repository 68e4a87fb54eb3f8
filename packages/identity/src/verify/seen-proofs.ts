import type { UsedProofs } from './used-proofs.ts'

/** Most proofs that one key may have in one window: 333 requests a second, at the default of a minute. */
const MAX_PER_KEY = 20_000
/** Most of all keys together: about 20 MB. */
const MAX_SEEN = 200_000

/**
 * Proofs that were used, while they could be used again (RFC 9449 section 11.1). They are kept by the window
 * in which they end, so that a window is forgotten whole. When there is no room a proof counts as used:
 * forgetting one early would let it be used again. One key cannot take the room of all.
 */
export class SeenProofs implements UsedProofs {
  readonly #window: number
  /** By the end of a window, in windows since 1970; in it by key. */
  readonly #windows = new Map<number, Map<string, Set<string>>>()
  #size = 0

  /** @param window milliseconds */
  constructor(window: number) {
    this.#window = window
  }

  /**
   * Whether this is the first use of a proof, and remembers it.
   * @param key thumbprint of the key that signed it
   * @param until last millisecond at which the proof would hold
   * @param now epoch milliseconds
   */
  isFirst(key: string, id: string, until: number, now: number): boolean {
    this.#forget(now)
    const end = Math.ceil(until / this.#window)
    const keys = this.#windows.get(end) ?? new Map<string, Set<string>>()
    const ids = keys.get(key) ?? new Set<string>()
    if (ids.has(id) || ids.size >= MAX_PER_KEY || this.#size >= MAX_SEEN) return false
    this.#windows.set(end, keys.set(key, ids.add(id)))
    this.#size++
    return true
  }

  #forget(now: number): void {
    for (const [end, keys] of this.#windows) {
      if (end * this.#window >= now) continue
      for (const ids of keys.values()) this.#size -= ids.size
      this.#windows.delete(end)
    }
  }
}
