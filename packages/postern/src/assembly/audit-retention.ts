import { Worker } from 'node:worker_threads'
import type { Retained } from '@postern/audit'
import type { Clock, Event, Health, HealthProbe } from '@postern/core'

const EVERY_MS = 3_600_000

export interface AuditRetentionOptions {
  /** Of the embedded log. */
  readonly directory: string
  /** Milliseconds that entries are kept. */
  readonly keep: number
  readonly clock: Clock
  /** Told of what was removed. */
  readonly emit: (event: Event) => void
}

/**
 * Removes old entries at the start and each hour, in a thread of its own, for reading them takes time that requests need. Every proof
 * stays. What goes wrong shows in readiness, and is tried again.
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
    const { directory, keep, clock, emit } = this.#options
    try {
      const { bundles, minimumIndex } = await pruneInThread({ directory, before: clock.now() - keep })
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

/** What the thread is to do. */
export interface PruneTask {
  readonly directory: string
  /** Epoch milliseconds. */
  readonly before: number
}

function pruneInThread(task: PruneTask): Promise<Retained> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./audit-prune-thread.${extension}`, import.meta.url), {
    workerData: task,
  })
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', code => reject(new Error(`ended with code ${code}`)))
  })
}
