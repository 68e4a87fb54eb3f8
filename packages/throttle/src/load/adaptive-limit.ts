/** Bounds of an adaptive limit. */
export interface AdaptiveOptions {
  /** Requests at a time before anything is known. Default: 64. */
  readonly initial?: number
  /** Default: 8. */
  readonly min?: number
  /** Default: 4,096. */
  readonly max?: number
  /**
   * How many times its unloaded value the latency may be before the limit shrinks. Default: 2.
   */
  readonly tolerance?: number
}

/** Samples that make one step, and the share of a step's result that is taken over. */
const STEP_SAMPLES = 50
const SMOOTHING = 0.2
/** Steps after which the unloaded latency is measured again, with half the limit. */
const PROBE_EVERY = 500

/**
 * How many requests this process can handle at a time, found from their latency: while it stays near the
 * lowest seen, which is what an unloaded process takes, the limit grows by the square root of itself; else it
 * shrinks by the factor by which latency is beyond the tolerance (at most by half a step). This is the
 * gradient limit of Netflix's concurrency-limits, after TCP Vegas. The lowest latency is forgotten now and
 * then and found again with half the limit, as TCP BBR does, or it would never follow a change of the code.
 */
export class AdaptiveLimit {
  readonly #min: number
  readonly #max: number
  readonly #tolerance: number
  #limit: number
  #unloaded: number = Number.POSITIVE_INFINITY
  #steps = 0
  #sum = 0
  #samples = 0
  #peak = 0

  constructor(options: AdaptiveOptions = {}) {
    this.#min = options.min ?? 8
    this.#max = options.max ?? 4_096
    this.#tolerance = options.tolerance ?? 2
    this.#limit = Math.min(this.#max, Math.max(this.#min, options.initial ?? 64))
  }

  /** Requests at a time, not rounded. */
  get value(): number {
    return this.#limit
  }

  /**
   * Learns from a request that ended.
   * @param latency milliseconds
   * @param inFlight how many were being handled when it ended, itself included
   */
  learn(latency: number, inFlight: number): void {
    this.#sum += latency
    this.#samples++
    if (inFlight > this.#peak) this.#peak = inFlight
    if (this.#samples < STEP_SAMPLES) return
    this.#step(this.#sum / this.#samples, this.#peak)
    this.#sum = 0
    this.#samples = 0
    this.#peak = 0
  }

  /** A request that timed out or found the backend overloaded: shrinks at once. */
  backOff(): void {
    this.#limit = Math.max(this.#min, this.#limit * 0.9)
  }

  #step(latency: number, peak: number): void {
    this.#unloaded = Math.min(this.#unloaded, latency)
    this.#steps++
    if (this.#steps % PROBE_EVERY === 0) {
      this.#unloaded = Number.POSITIVE_INFINITY
      this.#limit = Math.max(this.#min, this.#limit / 2)
      return
    }
    // A process that is not busy shows nothing about how busy it may be.
    if (peak < this.#limit / 2) return
    const gradient = Math.min(1, Math.max(0.5, (this.#tolerance * this.#unloaded) / Math.max(latency, 1e-6)))
    const target = this.#limit * gradient + Math.sqrt(this.#limit)
    const smoothed = this.#limit * (1 - SMOOTHING) + target * SMOOTHING
    this.#limit = Math.min(this.#max, Math.max(this.#min, smoothed))
  }
}
