import { setImmediate } from 'node:timers/promises'

/** Work between two turns of the event loop, milliseconds. */
const SLICE_MS = 50

/** Lets signals and timers in between pieces of a long search, and ends it where that is wanted. */
export class Turns {
  readonly #signal: AbortSignal | undefined
  #since = performance.now()

  constructor(signal?: AbortSignal) {
    this.#signal = signal
  }

  /**
   * Call it between pieces of work.
   * @throws the reason of the signal, once that has fired
   */
  async next(): Promise<void> {
    if (performance.now() - this.#since < SLICE_MS) return
    await setImmediate()
    this.#since = performance.now()
    this.#signal?.throwIfAborted()
  }
}
