/** What one actor did in two spans that follow each other. */
interface Counted {
  span: number
  before: number
  now: number
}

/**
 * Finds actors who may have sent more than a number of requests (or bytes) in some span of time: never misses
 * one, and takes some for it that sent up to half of that. Requests may come slightly out of order.
 */
export class BusyActors {
  readonly #span: number
  readonly #most: number
  readonly #counts = new Map<number, Counted>()

  /** @param span milliseconds */
  constructor(span: number, most: number) {
    this.#span = span
    this.#most = most
  }

  /** Counts a request. @returns whether its actor may have sent more by now */
  add(token: number, time: number, amount = 1): boolean {
    if (this.#most < 1) return true
    const span = Math.floor(time / this.#span)
    const counted = this.#counts.get(token)
    if (counted === undefined) {
      this.#counts.set(token, { span, before: 0, now: amount })
      return amount > this.#most
    }
    // What comes late is counted with what is there: that can only be more.
    if (span > counted.span) {
      counted.before = span === counted.span + 1 ? counted.now : 0
      counted.now = 0
      counted.span = span
    }
    counted.now += amount
    return counted.before + counted.now > this.#most
  }
}
