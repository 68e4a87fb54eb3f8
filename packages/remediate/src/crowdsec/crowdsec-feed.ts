import {
  boundedText,
  type Clock,
  ConfigError,
  type Duration,
  type Health,
  type HealthProbe,
  parseDuration,
  StoreError,
  systemClock,
} from '@postern/core'
import type { RemediationStore } from '../remediation-store.ts'
import { fromDecision } from './crowdsec-decision.ts'

/** The CrowdSec that is read, its key, and how often. */
export interface CrowdsecFeedOptions {
  /** Of a CrowdSec local API: `http://127.0.0.1:8080`. */
  readonly url: string
  /** A bouncer's key, from `cscli bouncers add postern`. Never logged or shown. */
  readonly key: string
  readonly store: RemediationStore
  /** How often changes are requested. Default: 10 seconds. */
  readonly every?: Duration
  readonly clock?: Clock
  /** The network, passed in. */
  readonly fetch?: typeof globalThis.fetch
  readonly onError?: (error: unknown) => void
}

const MAX_BYTES = 64 * 1_048_576
const TIMEOUT_MS = 15_000
const LONGEST_PAUSE_MS = 60_000

/**
 * Reads CrowdSec's decisions into our store, as its bouncers do. Each instance reads for itself. Decisions
 * expire by themselves when the API is unavailable, so an outage does not prolong any of them.
 */
export class CrowdsecFeed implements HealthProbe {
  readonly #options: CrowdsecFeedOptions
  readonly #address: URL
  readonly #every: number
  readonly #clock: Clock
  readonly #stop = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #started = false
  #failures = 0
  #taken = 0
  /** What went wrong last. */
  #problem = ''

  /** @throws ConfigError for an invalid URL, or a key that no header can carry */
  constructor(options: CrowdsecFeedOptions) {
    if (!URL.canParse(options.url) || !/^https?:$/.test(new URL(options.url).protocol))
      throw new ConfigError({
        place: 'crowdsec.url',
        problem: 'is not an http or https URL',
        hint: 'e.g. http://127.0.0.1:8080',
      })
    if (!/^[\x21-\x7e]{1,256}$/.test(options.key))
      throw new ConfigError({
        place: 'crowdsec.key',
        problem: 'is not a key',
        hint: 'make one with `cscli bouncers add postern`',
      })
    this.#options = options
    this.#address = new URL(options.url.replace(/\/?$/, '/'))
    this.#every = Math.max(1_000, parseDuration(options.every ?? '10s', 'crowdsec.every'))
    this.#clock = options.clock ?? systemClock
  }

  /** Reads once, then repeatedly until `close`. */
  async start(): Promise<void> {
    await this.#round()
  }

  /**
   * Reads once: everything the first time, then changes.
   * @throws StoreError when the API does not answer as it should
   */
  async read(): Promise<void> {
    const text = await this.#get(
      `v1/decisions/stream?startup=${this.#started ? 'false' : 'true'}&scopes=ip,range`,
    )
    const { added, removed } = this.#parse(text)
    const now = this.#clock.now()
    const gone = removed.map(one => fromDecision(one, now)?.id).filter(id => id !== undefined)
    const fresh = added.map(one => fromDecision(one, now)).filter(one => one !== undefined)
    this.#options.store.disown(gone)
    this.#taken += this.#options.store.adopt(fresh)
    this.#started = true
  }

  health(): Health {
    return {
      name: 'crowdsec feed',
      ok: this.#started && this.#failures === 0,
      required: false,
      detail: this.#detail(),
    }
  }

  #detail(): string {
    const taken = `${this.#taken} decisions taken`
    if (this.#failures > 0) return `${taken}, ${this.#failures} failures in a row: ${this.#problem}`
    return this.#started ? taken : 'not read yet'
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#stop.abort()
  }

  async #round(): Promise<void> {
    try {
      await this.read()
      this.#failures = 0
    } catch (error) {
      if (this.#stop.signal.aborted) return
      this.#failures++
      this.#problem = error instanceof Error ? error.message.slice(0, 500) : 'failed'
      this.#options.onError?.(error)
    }
    if (this.#stop.signal.aborted) return
    const pause = Math.min(LONGEST_PAUSE_MS, this.#every * 2 ** Math.min(this.#failures, 6))
    this.#timer = setTimeout(() => void this.#round(), pause).unref()
  }

  async #get(path: string): Promise<string> {
    const fetch = this.#options.fetch ?? globalThis.fetch
    let response: Response
    try {
      response = await fetch(new URL(path, this.#address), {
        headers: { 'X-Api-Key': this.#options.key, 'User-Agent': 'postern-bouncer/v0.1.0' },
        redirect: 'error',
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
    } catch (cause) {
      throw this.#failure('does not answer', true, cause)
    }
    if (response.status === 403) throw this.#failure('refuses the key', false)
    if (response.status !== 200) throw this.#failure(`answers ${response.status}`, true)
    return this.#text(response)
  }

  async #text(response: Response): Promise<string> {
    try {
      return await boundedText(response, MAX_BYTES)
    } catch (cause) {
      if (cause instanceof RangeError) throw this.#failure('sent an answer of more than 64 MiB', false)
      throw this.#failure('ended its answer early, or sent no UTF-8', true, cause)
    }
  }

  #parse(text: string): { added: readonly unknown[]; removed: readonly unknown[] } {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw this.#failure('sent an answer that is not JSON', false, cause)
    }
    if (typeof value !== 'object' || value === null)
      throw this.#failure('sent an answer without decisions', false)
    const { new: added, deleted: removed } = value as Readonly<Record<string, unknown>>
    return { added: Array.isArray(added) ? added : [], removed: Array.isArray(removed) ? removed : [] }
  }

  #failure(problem: string, retryable: boolean, cause?: unknown): StoreError {
    return new StoreError(problem, {
      store: `crowdsec ${this.#address.host}`,
      retryable,
      ...(cause !== undefined && { cause }),
    })
  }
}
