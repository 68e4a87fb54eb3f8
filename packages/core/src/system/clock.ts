/** The source of time for all of Postern, passed in so that every rule can be tested on a virtual clock. */
export interface Clock {
  /** Wall time, epoch milliseconds (fractions allowed). May step when the machine's clock is set. */
  now(): number
  /** Milliseconds since an arbitrary start; never goes backwards. */
  monotonic(): number
}

/** The clock of the machine and of this process. */
export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
}

/** A clock that moves only when a test advances it. */
export class VirtualClock implements Clock {
  #now: number
  #monotonic = 0

  /** @param start epoch milliseconds. Default: 2026-01-01T00:00:00Z */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  /** Lets time pass, in milliseconds. */
  advance(ms: number): void {
    this.#now += ms
    this.#monotonic += ms
  }

  /** Sets the wall clock without letting time pass, as an administrator or a bad NTP server would. */
  step(to: number): void {
    this.#now = to
  }
}
