import type { CompiledTelemetry } from '@postern/config'
import { boundedText, type Clock, type Event, type Health, type HealthProbe } from '@postern/core'
import { BUCKETS, type MetricCounts, type Reading } from './metrics.ts'
import { type OtlpSource, otlpOrigin } from './otlp-json.ts'
import { otlpMetrics } from './otlp-metric.ts'
import { type OtlpSpan, spanOf } from './otlp-span.ts'

export interface OtlpExporterOptions {
  readonly settings: CompiledTelemetry
  readonly source: Omit<OtlpSource, 'service'>
  readonly clock: Clock
  readonly fetch: typeof fetch
  /** Everything counted since the start. */
  readonly counts: () => MetricCounts
  /** What parts count themselves. */
  readonly readings: () => readonly Reading[]
}

const SPANS_MS = 5_000
const METRICS_MS = 60_000
const DEADLINE_MS = 10_000
/** Spans that may wait; further ones are lost, and counted. */
const MAX_WAITING = 8_192
/** Spans of one request. */
const MAX_BATCH = 512
/** Batches of one turn, so that a collector that answers slowly holds up nothing. */
const BATCHES_AT_ONCE = 16
/** Of an answer so much is read. */
const MAX_ANSWER = 65_536
/** What a collector answers when the same should be sent again later (OTLP specification, failures). */
const LATER: ReadonlySet<number> = new Set([429, 502, 503, 504])

/**
 * Sends spans and metrics to a collector by OTLP over HTTP as JSON, beside the requests: nothing waits
 * for it,
 * and what finds no room is lost and counted. What a collector answers is never shown: it may quote a key.
 */
export class OtlpExporter implements HealthProbe {
  readonly #options: OtlpExporterOptions
  readonly #start: number
  readonly #timers: readonly NodeJS.Timeout[]
  #waiting: OtlpSpan[] = []
  #lost = 0
  #problem: string | undefined
  #sending: Promise<void> | undefined

  constructor(options: OtlpExporterOptions) {
    this.#options = options
    this.#start = options.clock.now()
    this.#timers = [
      setInterval(() => void this.flush(), SPANS_MS).unref(),
      setInterval(() => void this.sendMetrics(), METRICS_MS).unref(),
    ]
  }

  /** Takes an event of the engine; never throws, never waits. */
  take(event: Event): void {
    const span = spanOf(event, this.#options.settings.sample)
    if (span === undefined) return
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(span)
    else this.#lost++
  }

  /** Spans that were not sent, since the start. */
  get lost(): number {
    return this.#lost
  }

  /** Sends the spans that wait. Never rejects. */
  flush(): Promise<void> {
    this.#sending ??= this.#sendSpans().finally(() => {
      this.#sending = undefined
    })
    return this.#sending
  }

  async #sendSpans(): Promise<void> {
    const { resource, scope } = this.#origin()
    for (let i = 0; i < BATCHES_AT_ONCE && this.#waiting.length > 0; i++) {
      const spans = this.#waiting.slice(0, MAX_BATCH)
      const sent = await this.#post('traces', {
        resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }],
      })
      if (sent === 'later') return
      this.#waiting = this.#waiting.slice(spans.length)
      this.#lost += sent === 'refused' ? spans.length : Math.min(sent, spans.length)
    }
  }

  /** Sends everything that was counted. Never rejects. */
  async sendMetrics(): Promise<void> {
    const { counts, readings, clock } = this.#options
    const { resource, scope } = this.#origin()
    const lost: Reading = { name: 'postern_spans_lost_total', type: 'counter', value: this.#lost }
    const times = { start: this.#start, now: clock.now(), bounds: BUCKETS }
    const metrics = otlpMetrics(counts(), [...readings(), lost], times)
    await this.#post('metrics', { resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] })
  }

  #origin(): ReturnType<typeof otlpOrigin> {
    const { settings, source } = this.#options
    return otlpOrigin({ ...source, service: settings.service })
  }

  /** @returns how many spans the collector took but did not keep, or that it took none */
  async #post(signal: 'traces' | 'metrics', body: object): Promise<number | 'later' | 'refused'> {
    const { settings, fetch: send } = this.#options
    try {
      const answer = await send(`${settings.otlp.replace(/\/+$/, '')}/v1/${signal}`, {
        method: 'POST',
        headers: { ...settings.headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(DEADLINE_MS),
      })
      if (!answer.ok) {
        await answer.body?.cancel().catch(() => undefined)
        this.#problem = `the collector answers ${answer.status} to ${signal}`
        return LATER.has(answer.status) ? 'later' : 'refused'
      }
      const rejected = await rejectedSpans(answer)
      this.#problem = rejected > 0 ? `the collector rejected ${rejected} spans` : undefined
      return rejected
    } catch {
      this.#problem = 'the collector cannot be reached'
      return 'later'
    }
  }

  health(): Health {
    const lost = this.#lost > 0 ? `${this.#lost} spans lost since the start` : undefined
    const detail = this.#problem ?? lost
    return {
      name: 'telemetry',
      ok: this.#problem === undefined,
      required: false,
      ...(detail !== undefined && { detail }),
    }
  }

  /** Sends what waits, once, and ends. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    await this.flush()
    await this.sendMetrics()
  }
}

/**
 * `partialSuccess.rejectedSpans` of an answer, which is a number of 64 bits, so a text; 0 where it says
 * nothing.
 */
async function rejectedSpans(answer: Response): Promise<number> {
  try {
    const text = await boundedText(answer, MAX_ANSWER)
    const said = JSON.parse(text) as { readonly partialSuccess?: { readonly rejectedSpans?: unknown } }
    const rejected = Number(said.partialSuccess?.rejectedSpans ?? 0)
    return Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0
  } catch {
    return 0
  }
}
