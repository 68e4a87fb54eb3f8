import type { Clock } from '@postern/core'

/** What could not be answered, as the status of a holder shows it. */
export interface HolderFault {
  readonly at: string
  readonly problem: string
}

/** Milliseconds in which one warning is enough. */
const WARNED = 60_000

/**
 * Notes what a holder could not do, as where its disk is full. Who asked sees a lost connection and asks
 * another holder, so without this nobody would know why one that runs answers nothing.
 */
export class HolderFaults {
  readonly #id: number
  readonly #clock: Clock
  #last: HolderFault | undefined
  #warned = Number.NEGATIVE_INFINITY

  constructor(id: number, clock: Clock) {
    this.#id = id
    this.#clock = clock
  }

  /** The last of them; undefined where there was none since the start. */
  get last(): HolderFault | undefined {
    return this.#last
  }

  /** Does the work, and notes what it throws or rejects with, which goes on to the caller. */
  watch<Answer>(work: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
    try {
      const made = work()
      return made instanceof Promise ? made.catch((error: unknown) => this.#note(error)) : made
    } catch (error) {
      return this.#note(error)
    }
  }

  #note(error: unknown): never {
    const problem = error instanceof Error ? error.message : String(error)
    this.#last = { at: new Date(this.#clock.now()).toISOString(), problem }
    const now = this.#clock.monotonic()
    if (now - this.#warned >= WARNED) {
      this.#warned = now
      process.emitWarning(`holder ${this.#id} cannot answer: ${problem}`, { code: 'POSTERN_HOLDER' })
    }
    throw error
  }
}
