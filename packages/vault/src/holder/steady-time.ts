import type { Clock } from '@postern/core'

/**
 * Wall time as it was when the process started, carried on by a clock that nobody can set. A window of
 * budgets that follows the wall clock ends when somebody sets it an hour ahead, which whoever forges time
 * answers on the network can do.
 */
export class SteadyTime {
  readonly #clock: Clock
  readonly #wall: number
  readonly #started: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#wall = clock.now()
    this.#started = clock.monotonic()
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.#wall + this.#clock.monotonic() - this.#started
  }
}
