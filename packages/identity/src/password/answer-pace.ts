/** Kinds of work that are remembered: how hashes are made, with their work factors. */
const KINDS = 32
/** Last pieces of work of each kind that count. */
const REMEMBERED = 16
/** What an answer takes longer than the slowest work that is remembered: most work ends within it. */
const MARGIN = 1.1
/** Longest that an answer is held back for, in milliseconds. */
const MOST = 5_000

/**
 * How long an answer is held back, so that its time does not tell what the work was: hashes that were
 * imported take another time to verify than our own, and than the one that stands in for an account that is
 * not there. As long as there is one kind of work, nothing is held back.
 */
export class AnswerPace {
  readonly #times = new Map<string, number[]>()

  /**
   * Notes what a piece of work took, in milliseconds.
   * @returns how long to hold its answer back
   */
  after(kind: string, took: number): number {
    const times = this.#times.get(kind) ?? []
    times.push(took)
    if (times.length > REMEMBERED) times.shift()
    // Put last: the kind that was not seen for longest is forgotten first.
    this.#times.delete(kind)
    this.#times.set(kind, times)
    if (this.#times.size > KINDS) {
      const [oldest = ''] = this.#times.keys()
      this.#times.delete(oldest)
    }
    if (this.#times.size === 1) return 0
    const slowest = Math.max(...[...this.#times.values()].map(each => Math.max(...each)))
    return Math.max(0, Math.min(MOST, slowest * MARGIN) - took)
  }
}
