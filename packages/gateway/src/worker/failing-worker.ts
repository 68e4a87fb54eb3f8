/**
 * Errors after which a worker ends at once: what threw once may be an accident, what goes on throwing answers
 * nobody.
 */
const MAX_ERRORS = 16
/** How long it goes on while its place is taken. */
const REPLACEMENT_MS = 15_000
/** How long requests under way then have. */
const GRACE_MS = 10_000

export interface FailingWorkerOptions {
  /** Tells the main thread, which starts another worker and then stops this one. */
  readonly report: (problem: string) => void
  /** Finishes what is under way. */
  readonly stop: (grace: number, linger: number) => Promise<void>
  /** Ends the thread. */
  readonly exit: () => void
}

/**
 * What a worker does about an error that nobody caught. To end on the spot would cut off every request under
 * way and every connection that waits in its queue, for the mistake of one. It goes on taking requests until
 * another listens in its place, finishes them, and ends; both within a time, and not at all when it goes on
 * failing. Guards are not part of this: what they throw is caught, and refuses or allows as their failure
 * policy says.
 */
export class FailingWorker {
  readonly #options: FailingWorkerOptions
  #errors = 0

  constructor(options: FailingWorkerOptions) {
    this.#options = options
  }

  /** @param error what nobody caught */
  failed(error: unknown): void {
    const { report, stop, exit } = this.#options
    this.#errors++
    if (this.#errors === 1) {
      report(error instanceof Error ? error.message : 'a value that is not an error was thrown')
      setTimeout(() => void stop(GRACE_MS, 0).finally(exit), REPLACEMENT_MS).unref()
    } else if (this.#errors >= MAX_ERRORS) exit()
  }
}
