import type { PlaceCount } from './traffic-store.ts'

interface Sum {
  readonly hour: number
  readonly country: string
  requests: number
  refused: number
}

/** Countries and hours of one flush: there are 249 countries, and a flush touches two hours at most. */
const MAX_SUMS = 1_000

/** Counts requests by hour and country, in memory, until it is drained. */
export class PlaceCounter {
  #sums = new Map<string, Sum>()
  /** The last one: most requests fall where the one before fell. */
  #last: Sum | undefined

  /** @param time epoch milliseconds @param country ISO 3166-1 alpha-2; empty where it is not known */
  add(time: number, country: string, refused: 0 | 1): void {
    const hour = Math.floor(time / 3_600_000)
    const last = this.#last
    const sum =
      last !== undefined && last.hour === hour && last.country === country ? last : this.#sumOf(hour, country)
    this.#last = sum
    sum.requests++
    sum.refused += refused
  }

  #sumOf(hour: number, country: string): Sum {
    const known = this.#sums.size < MAX_SUMS ? country : ''
    const key = `${hour} ${known}`
    const sum = this.#sums.get(key) ?? { hour, country: known, requests: 0, refused: 0 }
    this.#sums.set(key, sum)
    return sum
  }

  /** Adds what was drained and could not be kept. */
  restore(places: readonly PlaceCount[]): void {
    for (const { hour, country, requests, refused } of places) {
      const sum = this.#sumOf(hour, country)
      sum.requests += requests
      sum.refused += refused
    }
  }

  /** Everything counted since the last call. */
  drain(): readonly PlaceCount[] {
    const places = [...this.#sums.values()]
    this.#sums = new Map()
    this.#last = undefined
    return places
  }
}
