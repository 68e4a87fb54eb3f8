import type { Verdict } from './traffic-event.ts'
import type { TrafficCount } from './traffic-store.ts'

interface Sum {
  readonly minute: number
  readonly verdict: Verdict
  readonly route: string
  readonly rule: string
  requests: number
  layer: number
  total: number
}

/** What one request adds. */
export interface Counted {
  readonly verdict: Verdict
  readonly route: string
  readonly rule: string
  /** Milliseconds in the guards. */
  readonly layer: number
  /** Milliseconds in all. */
  readonly total: number
}

/** Series of one flush; further ones are counted under route and rule `other`. */
const MAX_SERIES = 1_000

/** Counts every request by minute, verdict, route and rule, in memory, until it is drained. */
export class TrafficCounter {
  #sums = new Map<string, Sum>()
  /** Of plainly allowed requests of the last minute, by route: nearly every request finds its own here. */
  #allowed = new Map<string, Sum>()
  #minute = Number.NaN

  /** @param time epoch milliseconds */
  add(time: number, counted: Counted): void {
    const minute = Math.floor(time / 60_000)
    const sum =
      counted.verdict === 'allow' && counted.rule === ''
        ? this.#allowedOf(minute, counted)
        : this.#sumOf(minute, counted)
    sum.requests++
    sum.layer += counted.layer
    sum.total += counted.total
  }

  #allowedOf(minute: number, counted: Counted): Sum {
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#allowed = new Map()
    }
    const known = this.#allowed.get(counted.route)
    if (known !== undefined) return known
    const sum = this.#sumOf(minute, counted)
    // Where there is no room for a route, it is looked for again each time.
    if (sum.route === counted.route) this.#allowed.set(counted.route, sum)
    return sum
  }

  /** Adds what was drained and could not be kept. */
  restore(counts: readonly TrafficCount[]): void {
    for (const count of counts) {
      const sum = this.#sumOf(count.minute, count)
      sum.requests += count.requests
      sum.layer += count.layer
      sum.total += count.total
    }
  }

  #sumOf(minute: number, series: Pick<Counted, 'verdict' | 'route' | 'rule'>): Sum {
    const { verdict } = series
    let { route, rule } = series
    let key = `${minute}\n${verdict}\n${route}\n${rule}`
    let sum = this.#sums.get(key)
    if (sum === undefined) {
      if (this.#sums.size >= MAX_SERIES) {
        route = 'other'
        rule = verdict === 'allow' ? '' : 'other'
        key = `${minute}\n${verdict}\n${route}\n${rule}`
        sum = this.#sums.get(key)
      }
      if (sum === undefined) {
        sum = { minute, verdict, route, rule, requests: 0, layer: 0, total: 0 }
        this.#sums.set(key, sum)
      }
    }
    return sum
  }

  /** Everything counted since the last call. */
  drain(): readonly TrafficCount[] {
    const counts = [...this.#sums.values()]
    this.#sums = new Map()
    this.#allowed = new Map()
    return counts
  }
}
