import {
  type Clock,
  type Event,
  type Exchange,
  type GuardTime,
  type Health,
  type HealthProbe,
  HttpEvent,
  type Json,
} from '@postern/core'
import { notedPrincipal } from './noted-principal.ts'
import { PlaceCounter } from './place-counter.ts'
import { TrafficCounter } from './traffic-counter.ts'
import { type TrafficEvent, verdictOf } from './traffic-event.ts'
import { TrafficSampler } from './traffic-sampler.ts'
import type { TrafficStore } from './traffic-store.ts'

/** Where traffic is kept, and how many allowed requests a second. */
export interface TrafficRecorderOptions {
  readonly store: TrafficStore
  readonly clock: Clock
  /** Plain allowed requests kept in a second. */
  readonly samplesPerSecond: number
  /** Country of a client, ISO 3166-1 alpha-2, empty where it is not known. Default: never known. */
  readonly countryOf?: (exchange: Exchange) => string
  /** Called with events as they are kept: the live view. */
  readonly onEvent?: (event: TrafficEvent) => void
}

const FLUSH_MS = 500
const PRUNE_MS = 60_000
/** Events that may wait to be written; beyond, they are lost and counted. */
const MAX_WAITING = 20_000
/** Events written in one transaction. */
const MAX_BATCH = 1_000

/**
 * Takes the events of an engine: counts all of them, keeps every refusal and finding and some of the allowed
 * requests, and writes them in batches between requests, never in one.
 */
export class TrafficRecorder implements HealthProbe {
  readonly #options: TrafficRecorderOptions
  readonly #sampler: TrafficSampler
  readonly #counter = new TrafficCounter()
  readonly #places = new PlaceCounter()
  readonly #timer: NodeJS.Timeout
  #waiting: TrafficEvent[] = []
  #lost = 0
  #problem: string | undefined
  #prunedAt: number
  #writing: Promise<void> | undefined

  constructor(options: TrafficRecorderOptions) {
    this.#options = options
    this.#sampler = new TrafficSampler(options.samplesPerSecond)
    this.#prunedAt = options.clock.monotonic()
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS).unref()
  }

  /** Takes an event; never throws, never waits. */
  take(event: Event): void {
    if (event.type === 'http') this.#takeRequest(event)
    else if (!event.type.startsWith('limit.')) this.#keep(plain(event), 1, undefined)
  }

  #takeRequest(event: Event): void {
    const { outcome } = event
    // Intents are followed by the event of what became of them.
    if (outcome === undefined) return
    const verdict = verdictOf(event)
    const route = event instanceof HttpEvent ? event.exchange.route?.pattern : event.request?.route
    const rule = verdict === 'allow' ? undefined : event.reasons?.[0]?.rule
    this.#counter.add(event.time, {
      verdict,
      route: route ?? '',
      rule: rule ?? '',
      layer: layerOf(event),
      total: outcome.duration,
    })
    this.#places.add(event.time, this.#countryOf(event), verdict === 'allow' ? 0 : 1)
    const weight = verdict === 'allow' ? this.#sampler.weigh(event.time) : 1
    // Of most requests nothing is kept: what follows is made for those that are.
    if (weight > 0) this.#keep(withActing(plain(event), actingOf(event)), weight, guardTimesOf(event))
  }

  #countryOf(event: Event): string {
    if (event instanceof HttpEvent) return this.#options.countryOf?.(event.exchange) ?? ''
    const seen = event.data?.['country']
    return typeof seen === 'string' ? seen : ''
  }

  #keep(event: Event, weight: number, guardTimes: readonly GuardTime[] | undefined): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#lost++
      return
    }
    const kept = { event, weight, guardTimes }
    this.#waiting.push(kept)
    this.#options.onEvent?.(kept)
  }

  /** Writes what waits. Never rejects: what could not be written waits for the next time. */
  flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  async #write(): Promise<void> {
    const { store, clock } = this.#options
    let counts = this.#counter.drain()
    let places = this.#places.drain()
    try {
      while (this.#waiting.length > 0 || counts.length > 0) {
        const batch = this.#waiting.slice(0, MAX_BATCH)
        await store.write(batch, counts, places)
        counts = []
        places = []
        this.#waiting = this.#waiting.slice(batch.length)
        // Between two batches the thread is free for requests.
        await new Promise<void>(resolve => setImmediate(resolve))
      }
      await store.pack()
      if (clock.monotonic() - this.#prunedAt >= PRUNE_MS) {
        this.#prunedAt = clock.monotonic()
        await store.prune(clock.now())
      }
      this.#problem = undefined
    } catch (error) {
      this.#counter.restore(counts)
      this.#places.restore(places)
      this.#problem = error instanceof Error ? error.message : 'cannot be written'
    }
  }

  /**
   * Erases a principal in the store, with what waits to be written: that would be sealed under a new key.
   * @throws StoreError when the store cannot be reached
   */
  async erase(principal: string, tenant: string): Promise<void> {
    await this.flush()
    while (this.#writing !== undefined) await this.#writing
    // What the store did not take: it would come later.
    this.#waiting = this.#waiting.filter(
      ({ event: { actor } }) => actor.principal !== principal || (actor.tenant ?? '') !== tenant,
    )
    await this.#options.store.erase(principal, tenant)
  }

  /** Events that found no room, since the start. */
  get lost(): number {
    return this.#lost
  }

  health(): Health {
    const detail = this.#problem ?? (this.#lost > 0 ? `${this.#lost} events lost since the start` : undefined)
    return {
      name: 'console traffic',
      ok: this.#problem === undefined,
      required: false,
      ...(detail !== undefined && { detail }),
    }
  }

  /** Writes what waits and ends. The store stays open. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.flush()
    await this.flush()
  }
}

/** Without what a worker sends along for scenarios, which is not enumerable and may hold secrets. */
function plain(event: Event): Event {
  return event instanceof HttpEvent ? event.toJSON() : { ...event }
}

/** What a principal may, for previews of policies: sealed with the rest of what is personal. */
function withActing(event: Event, acting: Json | undefined): Event {
  return acting === undefined ? event : { ...event, data: { ...event.data, acting } }
}

/** Of this thread's exchange, or as a worker sent it along. */
function actingOf(event: Event): Json | undefined {
  return event instanceof HttpEvent ? notedPrincipal(event.exchange.principal) : event.data?.['acting']
}

/** Milliseconds in all guards, of this thread's exchange or as a worker sent them along. */
function layerOf(event: Event): number {
  if (event instanceof HttpEvent) return event.exchange.stopwatch?.total ?? 0
  const layer = event.data?.['layer']
  return typeof layer === 'number' ? layer : 0
}

/** Times in the guards, of this thread's exchange or as a worker sent them along. */
function guardTimesOf(event: Event): readonly GuardTime[] | undefined {
  if (event instanceof HttpEvent) return event.exchange.guardTimes
  const times: unknown = event.data?.['guardTimes']
  return Array.isArray(times) ? (times as readonly GuardTime[]) : undefined
}

/** Milliseconds in all guards together. */
export function layerTime(times: readonly GuardTime[] | undefined): number {
  let sum = 0
  if (times !== undefined) for (let i = 0; i < times.length; i++) sum += times[i]?.ms ?? 0
  return sum
}
