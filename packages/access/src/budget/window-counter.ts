import { stepOf, UnitsInWindow } from './units-in-window.ts'

/**
 * Units per key in a window, in this process's memory. The least recently used key is evicted (capacity).
 */
export class WindowCounter {
  readonly #step: number
  readonly #capacity: number
  readonly #table = new Map<string, UnitsInWindow>()

  /** @param window milliseconds @param capacity keys at most */
  constructor(window: number, capacity: number) {
    this.#step = stepOf(window)
    this.#capacity = capacity
  }

  /** Units that count for a key now. */
  used(key: string, now: number): number {
    return this.#at(key, now).used
  }

  add(key: string, units: number, now: number): void {
    this.#at(key, now).add(units)
  }

  /** Takes units back that were added. @param addedAt `now` of the `add`, epoch milliseconds */
  giveBack(key: string, units: number, addedAt: number, now: number): void {
    this.#at(key, now).giveBack(units, addedAt)
  }

  /** Whether two moments count alike. */
  isSameStep(one: number, other: number): boolean {
    return Math.floor(one / this.#step) === Math.floor(other / this.#step)
  }

  /** When at least so many units will have left, epoch milliseconds. */
  opens(key: string, needed: number, now: number): number {
    return this.#at(key, now).opens(needed)
  }

  #at(key: string, now: number): UnitsInWindow {
    const entry = this.#table.get(key) ?? new UnitsInWindow(this.#step, Math.floor(now / this.#step))
    entry.advance(now)
    this.#table.delete(key)
    this.#table.set(key, entry)
    if (this.#table.size > this.#capacity) {
      const oldest = this.#table.keys().next().value
      if (oldest !== undefined) this.#table.delete(oldest)
    }
    return entry
  }
}
