/**
 * Chooses which plain allowed requests are kept: every one as long as they are few, else one of so many
 * that about
 * `perSecond` remain, spread evenly. The stride of a second comes from the second before it, so that no
 * request
 * waits for a count; a sudden burst is held by a bound of twice the rate.
 */
export class TrafficSampler {
  readonly #perSecond: number
  #second = Number.NaN
  #seen = 0
  #kept = 0
  #stride = 1
  /** Requests since the last one that was kept. */
  #skipped = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /**
   * Whether to keep a request.
   * @param time epoch milliseconds
   * @returns how many requests it stands for; 0 to leave it out
   */
  weigh(time: number): number {
    const second = Math.floor(time / 1_000)
    if (second !== this.#second) {
      this.#stride = Math.max(1, Math.ceil(this.#seen / this.#perSecond))
      this.#second = second
      this.#seen = 0
      this.#kept = 0
    }
    this.#seen++
    this.#skipped++
    if (this.#skipped < this.#stride || this.#kept >= 2 * this.#perSecond) return 0
    this.#kept++
    const weight = this.#skipped
    this.#skipped = 0
    return weight
  }
}
