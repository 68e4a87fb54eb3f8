import type { Health, HealthProbe } from '@postern/core'

export interface RepeatedWorkOptions {
  /** As readiness names it. */
  readonly name: string
  /** Milliseconds from one start to the next. */
  readonly every: number
  readonly work: () => Promise<void>
  /** Whether the process is not ready while it fails. Default: it stays ready. */
  readonly required?: boolean
  /** Receives what went wrong, once until something else does or it works again; must not throw. */
  readonly onTrouble?: (problem: string) => void
  /** Called when it works again after trouble, with how long that lasted in milliseconds; must not throw. */
  readonly onRecovery?: (lasted: number) => void
}

/** How long the work may be under way before it counts as trouble, milliseconds. */
const PATIENCE = 300_000

/**
 * Work that is done at the start and again and again, never twice at once. What goes wrong shows in
 * readiness, and is tried again. So does work that does not end; that is waited for, because a second one
 * beside it would do the same things twice.
 */
export class RepeatedWork implements HealthProbe {
  readonly #options: RepeatedWorkOptions
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined
  #trouble: string | undefined
  /** When it began, by the monotonic clock. */
  #troubleSince = 0
  /** Starts that were left out because the last work was still under way. */
  #leftOut = 0

  constructor(options: RepeatedWorkOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#run(), options.every).unref()
    this.#run()
  }

  #run(): void {
    if (this.#running !== undefined) {
      this.#leftOut++
      if (this.#leftOut * this.#options.every >= PATIENCE) this.#failed('under way for more than 5 minutes')
      return
    }
    this.#leftOut = 0
    this.#running = this.#attempt().finally(() => {
      this.#running = undefined
    })
  }

  async #attempt(): Promise<void> {
    try {
      await this.#options.work()
      const isOver = this.#trouble !== undefined
      this.#trouble = undefined
      if (isOver) this.#options.onRecovery?.(performance.now() - this.#troubleSince)
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : 'failed')
    }
  }

  #failed(trouble: string): void {
    this.#troubleSince = this.#trouble === undefined ? performance.now() : this.#troubleSince
    if (trouble !== this.#trouble) this.#options.onTrouble?.(trouble)
    this.#trouble = trouble
  }

  health(): Health {
    return {
      name: this.#options.name,
      ok: this.#trouble === undefined,
      required: this.#options.required ?? false,
      ...(this.#trouble !== undefined && { detail: this.#trouble }),
    }
  }

  /** Waits for the work under way; none is begun any more. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }
}
