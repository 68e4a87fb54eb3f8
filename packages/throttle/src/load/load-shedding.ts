import { type Exchange, narrowestPattern, type Outcome, type Refusal } from '@postern/core'
import { AdaptiveLimit, type AdaptiveOptions } from './adaptive-limit.ts'

/**
 * Who goes first when the process has more to do than it can: `sheddable`, then `default`, `critical` last.
 */
export type LoadClass = 'critical' | 'default' | 'sheddable'

/** How many requests a process handles at a time, and which go first. */
export interface LoadSheddingOptions {
  /** Requests at a time that the whole process handles: a number, or found from latency. */
  readonly limit: number | AdaptiveOptions
  /**
   * Default: `default` for every request. Health checks and payments are critical, exports and
   * previews sheddable.
   */
  readonly classOf?: (exchange: Exchange) => LoadClass
  /** The share of the limit a class may fill: all of it, nine tenths, six tenths by default. */
  readonly shares?: Readonly<Partial<Record<LoadClass, number>>>
}

/**
 * Keeps the number of requests being handled below what the process can bear, shedding the least important
 * first.
 */
export class LoadShedding {
  readonly #fixed: number
  readonly #adaptive: AdaptiveLimit | undefined
  readonly #classOf: ((exchange: Exchange) => LoadClass) | undefined
  readonly #shares: Readonly<Record<LoadClass, number>>
  #inFlight = 0
  #shed = 0

  constructor(options: LoadSheddingOptions) {
    this.#fixed = typeof options.limit === 'number' ? options.limit : 0
    this.#adaptive = typeof options.limit === 'number' ? undefined : new AdaptiveLimit(options.limit)
    this.#classOf = options.classOf
    this.#shares = { critical: 1, default: 0.9, sheddable: 0.6, ...options.shares }
  }

  /** Requests being handled, the present limit, and how many were shed since the start. */
  figures(): { readonly inFlight: number; readonly limit: number; readonly shed: number } {
    return { inFlight: this.#inFlight, limit: this.#limit(), shed: this.#shed }
  }

  /** Counts a request in, or says that there is no room for one of its class. One request always has room. */
  enter(exchange: Exchange): 'entered' | 'shed' {
    const share = this.#shares[this.#classOf?.(exchange) ?? 'default'] ?? 0
    if (this.#inFlight >= Math.max(1, Math.floor(this.#limit() * share))) {
      this.#shed++
      return 'shed'
    }
    this.#inFlight++
    return 'entered'
  }

  /** Whether a request that was shed would have had room as a critical one. */
  get hasRoomForCritical(): boolean {
    return this.#inFlight < Math.max(1, Math.floor(this.#limit() * this.#shares.critical))
  }

  /** Counts a request out that was refused later on. */
  leave(): void {
    this.#inFlight--
  }

  /** Counts a request out that was handled, and learns from how it went. */
  settle(outcome: Outcome): void {
    if (this.#adaptive !== undefined && !outcome.aborted) {
      if (outcome.status === 503 || outcome.status === 504) this.#adaptive.backOff()
      else this.#adaptive.learn(outcome.duration, this.#inFlight)
    }
    this.#inFlight--
  }

  #limit(): number {
    return this.#adaptive?.value ?? this.#fixed
  }
}

/** The answer to a request that was shed. */
export function overloadRefusal(exchange: Exchange, shedding: LoadShedding): Refusal {
  return {
    effect: 'deny',
    guard: 'throttle',
    status: 503,
    retryAfter: 1,
    reasons: [
      {
        rule: 'limit/overload',
        message: 'This service has more to do than it can right now. Please try again in a moment.',
        evidence: { location: 'limit.overload' },
        ...(shedding.hasRoomForCritical && {
          exception: { changes: [{ at: ['shed', 'critical'], add: [narrowestPattern(exchange)] }] },
        }),
      },
    ],
  }
}
