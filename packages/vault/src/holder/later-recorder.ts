import type { Event, EventRecorder, Receipt } from '@postern/core'

/** How long an event may wait, milliseconds, and how many may. */
const WITHIN_MS = 10
const MOST = 64
/** Events of answers: frequent, and what they tell is in the journal of the holder already. */
const FREQUENT: ReadonlySet<string> = new Set(['vault.opened', 'vault.searched'])

/**
 * Records the events of answers a few milliseconds later, together: serializing them and waking the threads
 * that write them took as long as an answer, from the same two processors. Every other event (a refusal, a
 * freeze) is recorded at once, and with it, before it, what waits. Bounded in time and number; a killed
 * process loses what waits, while its journal has counted what it tells.
 */
export class LaterRecorder implements EventRecorder {
  readonly #recorder: EventRecorder
  #events: Event[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(recorder: EventRecorder) {
    this.#recorder = recorder
  }

  record(event: Event): void {
    this.#events.push(event)
    if (!FREQUENT.has(event.type) || this.#events.length >= MOST) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), WITHIN_MS)
  }

  commit(event: Event): Promise<Receipt> {
    this.flush()
    return this.#recorder.commit(event)
  }

  /** Records what waits. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const events = this.#events
    this.#events = []
    for (const event of events) this.#recorder.record(event)
  }
}
