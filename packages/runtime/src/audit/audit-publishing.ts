import { resolve } from 'node:path'
import { type Anchor, fileAnchor, httpAnchor, type WitnessClientOptions } from '@postern/audit'
import type { CompiledAnchor } from '@postern/config'
import { type Clock, type Health, type HealthProbe, systemClock } from '@postern/core'

const WITNESSES = 'witnesses'
const AGAIN_MS = 3_600_000
const MAX_TOLD = 100

/**
 * Anchors and witnesses of the log, watched: one that fails holds up nobody, is reported to the operator, and
 * shows in readiness until it answers again.
 */
export class AuditPublishing implements HealthProbe {
  readonly #onError: (error: unknown) => void
  readonly #clock: Clock
  readonly #troubles = new Map<string, string>()
  /** Names of the anchors. */
  readonly #anchors = new Set<string>()
  /** Problems by kind, with the time of their last report. */
  readonly #told = new Map<string, number>()

  constructor(onError: (error: unknown) => void = () => {}, clock: Clock = systemClock) {
    this.#onError = onError
    this.#clock = clock
  }

  /** @param folder that a file's path starts from */
  anchor(config: CompiledAnchor, folder: string): Anchor {
    const anchor = 'file' in config ? fileAnchor(resolve(folder, config.file)) : httpAnchor(config)
    this.#anchors.add(anchor.name)
    const noting = async <T>(work: Promise<T>): Promise<T> => {
      try {
        return await work
      } catch (error) {
        this.#troubles.set(anchor.name, problemOf(error))
        throw error
      }
    }
    return {
      name: anchor.name,
      latest: () => noting(anchor.latest()),
      push: async checkpoint => {
        await noting(anchor.push(checkpoint))
        this.#troubles.delete(anchor.name)
      },
    }
  }

  witness(options: WitnessClientOptions): WitnessClientOptions {
    return {
      ...options,
      fetch: async (input, init) => {
        const response = await fetch(input, init)
        // `failed` reports what is wrong with its answer after this, by `failed`.
        if (response.ok) this.#troubles.delete(WITNESSES)
        return response
      },
    }
  }

  /** Receives everything that anchors and witnesses answered wrongly, or not at all. */
  failed(error: unknown): void {
    const problem = problemOf(error)
    if (![...this.#troubles.values()].includes(problem)) this.#troubles.set(this.#whoSaid(problem), problem)
    if (this.#isNews(problem)) this.#onError(error)
  }

  /** Of an anchor that contradicts the log it stays until that takes a checkpoint again. */
  #whoSaid(problem: string): string {
    return [...this.#anchors].find(name => problem.includes(`anchor "${name}"`)) ?? WITNESSES
  }

  /**
   * Telling is itself an entry, so that there is a new checkpoint to fail with: the same problem is reported
   * once an hour.
   */
  #isNews(problem: string): boolean {
    const kind = problem.replaceAll(/\d+/g, '#')
    const now = this.#clock.monotonic()
    const last = this.#told.get(kind)
    if (last !== undefined && now - last < AGAIN_MS) return false
    if (this.#told.size >= MAX_TOLD) this.#told.clear()
    this.#told.set(kind, now)
    return true
  }

  health(): Health {
    const troubles = [...this.#troubles.values()]
    return {
      name: 'audit anchors and witnesses',
      ok: troubles.length === 0,
      required: false,
      ...(troubles.length > 0 && { detail: troubles.join('; ') }),
    }
  }
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 500) : 'cannot be reached'
}
