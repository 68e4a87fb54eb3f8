import type { Event } from '@postern/core'

const LINES_PER_SECOND = 50

/**
 * The events an operator wants to see as they happen: refusals, findings, measures, configuration changes.
 * What limits say of their refusals is left out, for the refused exchange is shown itself. At most 50 a
 * second of each type: a flood of refusals must not become a flood of lines, nor hide that the log stopped.
 * The rest is counted and said in one line.
 */
export class EventLog {
  readonly #write: (event: Event) => void
  readonly #suppressed: (count: number) => void
  #second = 0
  /** Lines of this second, by type. */
  readonly #written = new Map<string, number>()
  #dropped = 0

  constructor(write: (event: Event) => void, suppressed: (count: number) => void) {
    this.#write = write
    this.#suppressed = suppressed
  }

  /** @param verbosity `all` shows allowed exchanges too */
  take(event: Event, verbosity: 'refusals' | 'all'): void {
    if (event.type === 'limit.refused') return
    const isQuiet = event.type === 'http' && event.decision === 'allow' && event.observed === undefined
    if (isQuiet && verbosity === 'refusals') return
    const second = Math.floor(Date.now() / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#written.clear()
      this.flush()
    }
    const written = this.#written.get(event.type) ?? 0
    if (written >= LINES_PER_SECOND) {
      this.#dropped++
      return
    }
    this.#written.set(event.type, written + 1)
    this.#write(event)
  }

  /** Says how many were left out since it last said so. */
  flush(): void {
    if (this.#dropped > 0) this.#suppressed(this.#dropped)
    this.#dropped = 0
  }
}
