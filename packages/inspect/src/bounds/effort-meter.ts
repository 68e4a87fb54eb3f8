import { countedCpu } from './effort-units.ts'

/** Units between two looks at the clock. */
const BETWEEN = 16_384
/** How far beyond its budget of time a request may end, times that budget. */
const MOST_OVER = 1.1

/**
 * Milliseconds of CPU that requests may still take beyond their budgets, in the life of a process: each rule
 * is compiled when it is first used, and that is not the fault of the request that uses it.
 */
export interface StartUp {
  left: number
}

/** What the slices of one request together may take. */
export interface TimeBudget {
  readonly milliseconds: number
  /** Milliseconds of CPU that this thread has used. */
  readonly cpu: () => number
  /** Taken from before a request is over its budget. */
  readonly startUp?: StartUp | undefined
}

/**
 * Counts what inspecting one request costs, in units of one rule over one character, so that the same
 * request always costs the same; and tells when a slice
 * of time is used up, so that the event loop can serve others. The budget is about the work, the slice
 * about the clock; where slices are taken,
 * the CPU that they use together has a budget too, because some texts cost more than their length says.
 * Of that CPU, no more counts than the units explain: a machine that is busy takes longer for the same work.
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
  readonly #time: TimeBudget | undefined
  /** Milliseconds of CPU that the slices before count for. */
  #taken = 0
  /**
   * What the clock of the CPU showed when the slice began; for the first slice, once it had done some work:
   * reading it is a call of the system, and most requests are done by then.
   */
  #cpuBegun: number | undefined
  #isFirst = true

  /**
   * @param budget units that one request may cost
   * @param time what its slices together may take; default: as long as it takes
   */
  constructor(budget: number, time?: TimeBudget) {
    this.#budget = budget
    this.#time = time
  }

  get spent(): number {
    return this.#spent
  }

  /** Whether the slice, or the budget, is used up. */
  get isUp(): boolean {
    return this.#isUp
  }

  get isOver(): boolean {
    return this.#spent > this.#budget || (this.#time !== undefined && this.#taken > this.#time.milliseconds)
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
    this.#cpuBegun = this.#isFirst ? undefined : this.#time?.cpu()
    this.#isFirst = false
    this.#look = this.#spent + BETWEEN
  }

  #end(): void {
    if (!this.#isUp && this.#time !== undefined && this.#cpuBegun !== undefined)
      this.#take(countedCpu(this.#time.cpu() - this.#cpuBegun, this.#spent - this.#begun), this.#time)
    this.#isUp = true
  }

  /**
   * Ends the slice that runs, as all is done: a last step may have been long.
   * @returns whether all slices together took more than the budget and a tenth of it
   */
  close(): boolean {
    if (this.#time === undefined || this.#cpuBegun === undefined) return false
    this.#end()
    this.#cpuBegun = undefined
    return this.#taken > this.#time.milliseconds * MOST_OVER
  }

  #take(taken: number, { milliseconds, startUp }: TimeBudget): void {
    this.#taken += taken
    const over = this.#taken - milliseconds
    if (startUp === undefined || startUp.left <= 0 || over <= 0) return
    const given = Math.min(over, startUp.left)
    startUp.left -= given
    this.#taken -= given
  }

  /**
   * Looks at the clock, whatever was counted: before work that cannot be divided. A slice in which nothing
   * was done yet is never used up, so that each gets on.
   * @returns whether the slice is used up
   */
  isUpNow(): boolean {
    if (this.#now !== undefined && this.#spent > this.#begun && this.#now() >= this.#until) this.#end()
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
    this.#cpuBegun ??= this.#time?.cpu()
    if (this.#now() >= this.#until) this.#end()
    return this.#isUp
  }
}
