const STEPS = 9

/**
 * Units of one key in a window: eight steps make the window and nine are counted, so that no window ever
 * holds more than was admitted.
 */
export class UnitsInWindow {
  readonly #step: number
  #newest: number
  /** Newest first. */
  readonly #counts: number[]

  /** No units, in no window yet. */
  static readonly NONE: UnitsInWindow = new UnitsInWindow(0, 0)

  /** @param step milliseconds, as `stepOf` says @param newest number of the step that is counted now */
  constructor(step: number, newest: number, counts: readonly number[] = []) {
    this.#step = step
    this.#newest = newest
    this.#counts = Array.from({ length: STEPS }, (_, age) => counts[age] ?? 0)
  }

  /** What `toString` wrote; no units for any other text. */
  static read(text: string | undefined): UnitsInWindow {
    const [step = 0, newest = 0, ...counts] = (text ?? '').split(' ').map(Number)
    const isWhole = [step, newest, ...counts].every(Number.isSafeInteger)
    return isWhole ? new UnitsInWindow(step, newest, counts) : UnitsInWindow.NONE
  }

  /** Units that count now. */
  get used(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** Milliseconds after which none of them counts. */
  get lifetime(): number {
    return this.#step * STEPS
  }

  /**
   * The same units at another time. Where they were counted in steps of another length (the window was
   * changed), all count as if they came now. A clock that is behind counts in the newest step.
   */
  at(step: number, now: number): UnitsInWindow {
    const isSame = step === this.#step
    const index = Math.floor(now / step)
    const units = isSame
      ? new UnitsInWindow(step, this.#newest, this.#counts)
      : new UnitsInWindow(step, index, [this.used])
    units.advance(now)
    return units
  }

  /** Forgets what has left the window. */
  advance(now: number): void {
    const index = Math.floor(now / this.#step)
    if (index >= this.#newest + STEPS) {
      this.#counts.fill(0)
      this.#newest = index
    }
    for (; this.#newest < index; this.#newest++) {
      this.#counts.unshift(0)
      this.#counts.pop()
    }
  }

  add(units: number): void {
    this.#counts[0] = (this.#counts[0] ?? 0) + units
  }

  /**
   * Takes units out of the step that they were added in: taken out of a later one, they would make room
   * there, and stand for others in the step that leaves first.
   * @param addedAt when they were added, epoch milliseconds
   */
  giveBack(units: number, addedAt: number): void {
    const age = this.#newest - Math.floor(addedAt / this.#step)
    const count = this.#counts[age]
    if (count !== undefined) this.#counts[age] = Math.max(0, count - units)
  }

  /** When at least so many units will have left, epoch milliseconds. */
  opens(needed: number): number {
    let freed = 0
    for (let age = STEPS - 1; age >= 0; age--) {
      freed += this.#counts[age] ?? 0
      if (freed >= needed) return (this.#newest + STEPS - age) * this.#step
    }
    return (this.#newest + STEPS) * this.#step
  }

  toString(): string {
    return [this.#step, this.#newest, ...this.#counts].join(' ')
  }
}

/** Milliseconds of a step of a window of so many. */
export function stepOf(window: number): number {
  return Math.ceil(window / (STEPS - 1))
}
