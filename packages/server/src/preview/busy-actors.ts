/** What is kept of one actor: a span, and what was counted in the one before it and in it. */
const SPAN = 0
const BEFORE = 1
const NOW = 2
const WIDTH = 3
const FIRST_ACTORS = 512

/**
 * Finds actors who may have sent more than a number of requests (or bytes) in some span of time: never misses
 * one, and takes some for it that sent up to half of that. Requests may come slightly out of order.
 */
export class BusyActors {
  readonly #span: number
  readonly #most: number
  /** By the number of the actor; an actor that is busy already is marked by a span of infinity. */
  #counts = new Float64Array(FIRST_ACTORS * WIDTH)

  /** @param span milliseconds */
  constructor(span: number, most: number) {
    this.#span = span
    this.#most = most
  }

  /**
   * Counts a request.
   * @param actor number of its actor
   * @returns whether the actor may have sent more by now, said once
   */
  add(actor: number, time: number, amount = 1): boolean {
    const at = actor * WIDTH
    if (at >= this.#counts.length) this.#grow(at)
    const counts = this.#counts
    const last = counts[at + SPAN] as number
    if (last === Number.POSITIVE_INFINITY) return false
    const span = Math.floor(time / this.#span)
    // What comes late is counted with what is there: that can only be more.
    if (span > last) {
      counts[at + BEFORE] = span === last + 1 ? (counts[at + NOW] as number) : 0
      counts[at + NOW] = 0
      counts[at + SPAN] = span
    }
    const now = (counts[at + NOW] as number) + amount
    counts[at + NOW] = now
    if ((counts[at + BEFORE] as number) + now <= this.#most && this.#most >= 1) return false
    counts[at + SPAN] = Number.POSITIVE_INFINITY
    return true
  }

  #grow(at: number): void {
    const larger = new Float64Array(Math.max(2 * this.#counts.length, at + WIDTH))
    larger.set(this.#counts)
    this.#counts = larger
  }
}
