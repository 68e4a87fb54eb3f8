import type { Health, HealthProbe } from '@postern/core'
import type { Runtime } from '@postern/runtime'

/** How long readiness shows a loss. */
const SHOWN_MS = 3_600_000

/**
 * Events that workers could not hand over because the main thread was too far behind: each loss is an entry
 * of the log, and shows in readiness.
 */
export class EventLosses implements HealthProbe {
  readonly #runtime: Runtime
  #count = 0
  #lastAt = Number.NEGATIVE_INFINITY

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  add(count: number): void {
    const { clock } = this.#runtime.resources
    this.#count += count
    this.#lastAt = clock.monotonic()
    this.#runtime.engine.emit({
      type: 'audit.lost',
      time: clock.now(),
      actor: {},
      data: { count, where: 'workers' },
    })
  }

  /** Events lost since the start. */
  get count(): number {
    return this.#count
  }

  health(): Health {
    const isRecent = this.#runtime.resources.clock.monotonic() - this.#lastAt < SHOWN_MS
    return {
      name: 'events of workers',
      ok: !isRecent,
      required: false,
      ...(this.#count > 0 && { detail: `${this.#count} lost since the start` }),
    }
  }
}
