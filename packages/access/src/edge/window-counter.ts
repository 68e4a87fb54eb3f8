const STEPS = 9

interface Counts {
  newest: number
  /** Newest first. */
  readonly counts: number[]
}

/**
 * Units per key in a window, in this process's memory: eight steps make the window and nine are counted, so
 * that no window ever holds more than was admitted. The least recently used key is evicted (capacity).
 */
export class WindowCounter {
  readonly #step: number
  readonly #capacity: number
  readonly #table = new Map<string, Counts>()

  /** @param window milliseconds @param capacity keys at most */
  constructor(window: number, capacity: number) {
    this.#step = Math.ceil(window / (STEPS - 1))
    this.#capacity = capacity
  }

  /** Units that count for a key now. */
  used(key: string, now: number): number {
    return this.#at(key, now).counts.reduce((sum, count) => sum + count, 0)
  }

  add(key: string, units: number, now: number): void {
    const { counts } = this.#at(key, now)
    counts[0] = (counts[0] ?? 0) + units
  }

  /**
   * Takes units out of the step that they were added in: taken out of a later one, they would make room
   * there, and stand for others in the step that leaves first.
   * @param addedAt `now` of the `add`, epoch milliseconds
   */
  giveBack(key: string, units: number, addedAt: number, now: number): void {
    const { newest, counts } = this.#at(key, now)
    const age = newest - Math.floor(addedAt / this.#step)
    const count = counts[age]
    if (count !== undefined) counts[age] = Math.max(0, count - units)
  }

  /** Whether two moments count alike. */
  isSameStep(one: number, other: number): boolean {
    return Math.floor(one / this.#step) === Math.floor(other / this.#step)
  }

  /** When at least so many units will have left, epoch milliseconds. */
  opens(key: string, needed: number, now: number): number {
    const { newest, counts } = this.#at(key, now)
    let freed = 0
    for (let age = STEPS - 1; age >= 0; age--) {
      freed += counts[age] ?? 0
      if (freed >= needed) return (newest + STEPS - age) * this.#step
    }
    return (newest + STEPS) * this.#step
  }

  #at(key: string, now: number): Counts {
    const index = Math.floor(now / this.#step)
    const entry = this.#table.get(key) ?? { newest: index, counts: new Array<number>(STEPS).fill(0) }
    for (; entry.newest < index; entry.newest++) {
      entry.counts.unshift(0)
      entry.counts.pop()
      if (entry.counts.every(count => count === 0)) entry.newest = index - 1
    }
    this.#table.delete(key)
    this.#table.set(key, entry)
    if (this.#table.size > this.#capacity) {
      const oldest = this.#table.keys().next().value
      if (oldest !== undefined) this.#table.delete(oldest)
    }
    return entry
  }
}
