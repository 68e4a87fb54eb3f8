/** Bounds of the delay, milliseconds. Below, noise of the machine would ask a third holder for nothing. */
const SHORTEST = 2
const LONGEST = 200

/**
 * How long to wait for two holders before a third is asked too: the smoothed time of their answers and
 * four times its mean deviation, as TCP decides that a segment is lost (RFC 6298 section 2). So it is a few
 * milliseconds on one machine and follows the distance between machines; every needless third request
 * costs a unit of budget there.
 */
export class HedgeDelay {
  #smoothed: number
  #deviation: number

  /** @param initial milliseconds, until answers were seen */
  constructor(initial: number) {
    this.#smoothed = initial / 3
    this.#deviation = initial / 6
  }

  /** The delay now, milliseconds. */
  get current(): number {
    return Math.min(LONGEST, Math.max(SHORTEST, this.#smoothed + 4 * this.#deviation))
  }

  /** Two holders have answered after so many milliseconds. */
  observe(elapsed: number): void {
    const time = Math.min(elapsed, LONGEST)
    this.#deviation += (Math.abs(time - this.#smoothed) - this.#deviation) / 4
    this.#smoothed += (time - this.#smoothed) / 8
  }
}
