/**
 * Distinct things within a sliding window. A thing that was counted is free until it leaves
 * the window, `window` milliseconds after it was counted. Times must not go backwards; one
 * that does is taken for the latest seen.
 */
export class BudgetWindow {
  readonly #window: number
  /** Thing to when it was counted. Insertion order is time order, so what expires is at the front. */
  readonly #counted = new Map<string, number>()
  #latest = Number.NEGATIVE_INFINITY

  constructor(window: number) {
    this.#window = window
  }

  /** Which of these would be counted now. */
  fresh(things: readonly string[], now: number): readonly string[] {
    this.#expire(now)
    const fresh = new Set<string>()
    for (const thing of things) if (!this.#counted.has(thing)) fresh.add(thing)
    return [...fresh]
  }

  /** Counts things. */
  add(things: readonly string[], now: number): void {
    this.#expire(now)
    for (const thing of things) if (!this.#counted.has(thing)) this.#counted.set(thing, this.#latest)
  }

  /** How many are counted now. */
  used(now: number): number {
    this.#expire(now)
    return this.#counted.size
  }

  /** When `units` will be free again under `limit`, epoch milliseconds. */
  freeAt(units: number, limit: number, now: number): number {
    this.#expire(now)
    let missing = this.#counted.size + units - limit
    if (missing <= 0) return now
    for (const time of this.#counted.values()) {
      missing--
      if (missing === 0) return time + this.#window
    }
    return now + this.#window
  }

  #expire(now: number): void {
    this.#latest = Math.max(this.#latest, now)
    for (const [thing, time] of this.#counted) {
      if (time + this.#window > this.#latest) break
      this.#counted.delete(thing)
    }
  }
}
