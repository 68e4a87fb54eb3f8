/** Units between two looks at the clock. */
const BETWEEN = 16_384

/**
 * Counts what inspecting one request costs, in units of one rule over one character, so that the same request always costs the same; and tells when a slice
 * of time is used up, so that the event loop can serve others. The budget is about the work, the slice about the clock.
 */
export class EffortMeter {
  readonly #budget: number
  #spent = 0
  /** Units at which the clock is looked at next. */
  #look = Number.POSITIVE_INFINITY
  #until = Number.POSITIVE_INFINITY
  /** Units when the slice began. */
  #begun = 0
  #now: (() => number) | undefined
  #isUp = false

  /** @param budget units that one request may cost */
  constructor(budget: number) {
    this.#budget = budget
  }

  get spent(): number {
    return this.#spent
  }

  /** Whether the slice, or the budget, is used up. */
  get isUp(): boolean {
    return this.#isUp
  }

  get isOver(): boolean {
    return this.#spent > this.#budget
  }

  /**
   * Begins a slice.
   * @param now milliseconds of a clock that never goes back
   */
  slice(milliseconds: number, now: () => number): void {
    this.#now = now
    this.#isUp = false
    this.#until = now() + milliseconds
    this.#begun = this.#spent
    this.#look = this.#spent + BETWEEN
  }

  /**
   * Looks at the clock, whatever was counted: before work that cannot be divided. A slice in which nothing was done yet is never used up, so that each gets on.
   * @returns whether the slice is used up
   */
  isUpNow(): boolean {
    if (this.#now !== undefined && this.#spent > this.#begun && this.#now() >= this.#until) this.#isUp = true
    return this.#isUp
  }

  /** Counts work that was done. @returns true when it is time to stop: the slice or the budget is used up */
  spend(units: number): boolean {
    this.#spent += units
    if (this.#spent > this.#budget) {
      this.#isUp = true
      return true
    }
    if (this.#spent < this.#look || this.#now === undefined) return false
    this.#look = this.#spent + BETWEEN
    this.#isUp = this.#now() >= this.#until
    return this.#isUp
  }
}
