export interface PacedWorkOptions {
  /** Pieces of work in one turn; asked at the beginning of each. At least 1. */
  readonly each: () => number
  /** Milliseconds between two turns. */
  readonly every: number
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Calls once after so many milliseconds. */
  readonly later: (ms: number, call: () => void) => void
}

/**
 * Work that a crowd of clients can ask for in one instant, spread over time: while little comes it is done
 * at once, beyond `each` pieces in `every` milliseconds it waits, in order. So thousands of connections that
 * run out of time together keep the event loop for a moment each, and requests of others run in between.
 */
export class PacedWork {
  readonly #options: PacedWorkOptions
  readonly #waiting: (() => void)[] = []
  #taken = 0
  /** Pieces that this turn has room for. */
  #room: number
  #turnBegan = Number.NEGATIVE_INFINITY
  #isPlanned = false

  constructor(options: PacedWorkOptions) {
    this.#options = options
    this.#room = options.each()
  }

  /** Pieces that wait. */
  get waiting(): number {
    return this.#waiting.length - this.#taken
  }

  /** Does it now, or in a later turn. It must not throw. */
  add(work: () => void): void {
    if (this.waiting === 0 && this.#hasRoom()) {
      this.#room--
      work()
      return
    }
    this.#waiting.push(work)
    this.#plan()
  }

  #hasRoom(): boolean {
    const { each, every, now } = this.#options
    const time = now()
    if (time - this.#turnBegan >= every) {
      this.#turnBegan = time
      this.#room = each()
    }
    return this.#room > 0
  }

  #plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    this.#options.later(this.#options.every, () => this.#turn())
  }

  #turn(): void {
    this.#isPlanned = false
    this.#turnBegan = this.#options.now()
    this.#room = this.#options.each()
    for (; this.waiting > 0 && this.#room > 0; this.#room--) this.#next()()
    if (this.waiting > 0) this.#plan()
  }

  #next(): () => void {
    const work = this.#waiting[this.#taken++] as () => void
    // A queue that is emptied from its front is cut now and then: each piece moves once at most.
    if (this.#taken * 2 >= this.#waiting.length) {
      this.#waiting.splice(0, this.#taken)
      this.#taken = 0
    }
    return work
  }
}
