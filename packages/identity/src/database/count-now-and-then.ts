/** Rows of a kind between two counts: an instance exceeds a bound by so many at most. */
const EVERY = 100

/**
 * Says when to count rows of a kind that are bounded. A statement over all of them with each would cost more
 * than the row, so it is due once in a hundred.
 */
export class CountNowAndThen {
  readonly #since = new Map<string, number>()

  /** Takes one more row. @param kind one of a few @returns whether it is time to count those of its kind */
  take(kind: string): boolean {
    const since = (this.#since.get(kind) ?? 0) + 1
    this.#since.set(kind, since % EVERY)
    return since === EVERY
  }
}
