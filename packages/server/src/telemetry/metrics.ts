import { type Event, type Health, HttpEvent } from '@postern/core'

/** Upper bounds of the duration histogram, seconds. */
export const BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const MAX_SERIES = 2_000

/** Counts made on one thread, as plain data that another can add to its own. */
export interface MetricCounts {
  readonly series: Readonly<Record<string, number>>
  /** Requests per bucket of duration, the last without bound. */
  readonly durations: readonly number[]
  /** Seconds of all of them together. */
  readonly seconds: number
}

/** A value that a part keeps itself and that is read when the page is asked for. */
export interface Reading {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/**
 * Counts events for the Prometheus page. Labels are rule, route pattern, decision, status class and scenario,
 * all bounded by the configuration; never an address, a path or a user. Series beyond 2,000 are counted as
 * one.
 */
export class Metrics {
  readonly #series = new Map<string, number>()
  #durations: number[] = BUCKETS.concat(0).fill(0)
  #seconds = 0

  /** Takes an event of the engine; called for every request, so it reads only what costs nothing. */
  count(event: Event): void {
    if (event instanceof HttpEvent) this.#countExchange(event)
    else if (event.type === 'finding')
      this.#add(`postern_findings_total{scenario="${label(event.data?.['scenario'])}"}`, 1)
    else if (event.type === 'audit.lost')
      this.#add('postern_events_lost_total', Number(event.data?.['count'] ?? 0))
  }

  #countExchange(event: HttpEvent): void {
    const { exchange, outcome } = event
    const route = label(exchange.route?.pattern)
    const status =
      outcome === undefined || outcome.status === 0 ? 'none' : `${Math.floor(outcome.status / 100)}xx`
    this.#add(`postern_requests_total{route="${route}",decision="${event.decision}",status="${status}"}`, 1)
    const rule = event.reasons?.[0]?.rule
    if (rule !== undefined) {
      const mode = exchange.decision.effect === 'allow' ? 'observe' : 'enforce'
      this.#add(`postern_refusals_total{rule="${label(rule)}",route="${route}",mode="${mode}"}`, 1)
    }
    if (outcome === undefined) return
    const seconds = outcome.duration / 1_000
    const found = BUCKETS.findIndex(bound => seconds <= bound)
    const bucket = found < 0 ? BUCKETS.length : found
    this.#durations[bucket] = (this.#durations[bucket] ?? 0) + 1
    this.#seconds += seconds
  }

  #add(key: string, by: number): void {
    const known = this.#series.get(key)
    const kept = known === undefined && this.#series.size >= MAX_SERIES ? 'postern_series_dropped_total' : key
    this.#series.set(kept, (this.#series.get(kept) ?? 0) + by)
  }

  /** Everything counted since the last call, to be added elsewhere. */
  drain(): MetricCounts {
    const counts = {
      series: Object.fromEntries(this.#series),
      durations: this.#durations,
      seconds: this.#seconds,
    }
    this.#series.clear()
    this.#durations = BUCKETS.concat(0).fill(0)
    this.#seconds = 0
    return counts
  }

  /** Everything counted since the start, or the last `drain`. */
  counts(): MetricCounts {
    return {
      series: Object.fromEntries(this.#series),
      durations: [...this.#durations],
      seconds: this.#seconds,
    }
  }

  /** Adds counts made on another thread. */
  merge(counts: MetricCounts): void {
    for (const [key, by] of Object.entries(counts.series)) this.#add(key, by)
    this.#durations = this.#durations.map((count, bucket) => count + (counts.durations[bucket] ?? 0))
    this.#seconds += counts.seconds
  }

  /** The page in the Prometheus text format 0.0.4. @param readings those of one name stand together */
  page(health: readonly Health[], readings: readonly Reading[] = []): string {
    const lines: string[] = []
    let family = ''
    for (const [key, value] of [...this.#series].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const name = key.split('{', 1)[0] ?? key
      if (name !== family) lines.push(`# TYPE ${name} counter`)
      family = name
      lines.push(`${key} ${value}`)
    }
    lines.push(...this.#histogram())
    lines.push('# TYPE postern_part_ok gauge')
    for (const part of health) lines.push(`postern_part_ok{part="${label(part.name)}"} ${part.ok ? 1 : 0}`)
    lines.push(...readingLines(readings))
    lines.push(
      '# TYPE process_resident_memory_bytes gauge',
      `process_resident_memory_bytes ${process.memoryUsage.rss()}`,
    )
    return `${lines.join('\n')}\n`
  }

  #histogram(): readonly string[] {
    const name = 'postern_request_duration_seconds'
    let sum = 0
    const buckets = this.#durations.map((count, bucket) => {
      sum += count
      return `${name}_bucket{le="${BUCKETS[bucket] ?? '+Inf'}"} ${sum}`
    })
    return [`# TYPE ${name} histogram`, ...buckets, `${name}_sum ${this.#seconds}`, `${name}_count ${sum}`]
  }
}

function readingLines(readings: readonly Reading[]): readonly string[] {
  const lines: string[] = []
  let family = ''
  for (const { name, type, labels = {}, value } of readings) {
    if (name !== family) lines.push(`# TYPE ${name} ${type}`)
    family = name
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${label(text)}"`)
    lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`)
  }
  return lines
}

function label(value: unknown): string {
  const text = String(value ?? '')
  if (/^[\w /:*.-]*$/.test(text)) return text.slice(0, 120)
  return text.slice(0, 120).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
