import type { Retained } from '@postern/audit'
import type { Clock, Event, Health, HealthProbe } from '@postern/core'

const EVERY_MS = 3_600_000

export interface AuditRetentionOptions {
  /** Removes entries from before a time, in epoch milliseconds. */
  readonly removeBefore: (time: number) => Promise<Retained>
  /** Milliseconds that entries are kept. */
  readonly keep: number
  readonly clock: Clock
  /** Told of what was removed. */
  readonly emit: (event: Event) => void
}

/**
 * Removes old entries at the start and each hour. Every proof stays. What goes wrong shows in readiness, and is tried again. Several
 * instances may do so at once: what one removed, another leaves.
 */
export class AuditRetention implements HealthProbe {
  readonly #options: AuditRetentionOptions
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined
  #trouble: string | undefined

  constructor(options: AuditRetentionOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.prune(), EVERY_MS).unref()
    void this.prune()
  }

  /** Removes what is too old by now. Never rejects. */
  prune(): Promise<void> {
    this.#running ??= this.#prune().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #prune(): Promise<void> {
    const { removeBefore, keep, clock, emit } = this.#options
    try {
      const { bundles, minimumIndex } = await removeBefore(clock.now() - keep)
      this.#trouble = undefined
      if (bundles > 0)
        emit({ type: 'audit.pruned', time: clock.now(), actor: {}, data: { bundles, minimumIndex } })
    } catch (error) {
      this.#trouble = error instanceof Error ? error.message : 'failed'
    }
  }

  health(): Health {
    return {
      name: 'audit retention',
      ok: this.#trouble === undefined,
      required: false,
      ...(this.#trouble !== undefined && { detail: this.#trouble }),
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }
}
