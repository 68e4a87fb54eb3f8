import type { GuardTime } from './guard-time.ts'

/**
 * How long the guards of one exchange took, one after the other. Numbers alone are kept, and one reading of
 * the clock a guard: the names are those of the engine, and a list with both is made when asked for.
 */
export class GuardStopwatch {
  #names: readonly string[]
  readonly #laps: number[] = []
  #last = 0
  #total = 0

  /** @param names of the guards, in the order in which they are asked */
  constructor(names: readonly string[]) {
    this.#names = names
  }

  /** A guard is asked next. @param now milliseconds of a clock that never goes back */
  start(now: number): void {
    this.#last = now
  }

  /** The guard that was asked has answered, and the next one is asked. */
  lap(now: number): void {
    const took = now - this.#last
    this.#laps.push(took)
    this.#total += took
    this.#last = now
  }

  /** A guard that stands in another order has answered. */
  lapOf(name: string, now: number): void {
    this.#names = [...this.#names.slice(0, this.#laps.length), name]
    this.lap(now)
  }

  /** Milliseconds in all guards together. */
  get total(): number {
    return this.#total
  }

  /** The guards that were asked, in their order. */
  get times(): readonly GuardTime[] {
    return this.#laps.map((ms, i) => ({ guard: this.#names[i] ?? '', ms }))
  }
}
