/**
 * Work on many things, done one after the other at the end of a turn of the event loop. Under load a turn
 * brings a dozen requests and answers: done between the reading and writing of each, the code and tables of
 * guards and detectors are out of the processor's caches every time. Where only one request is under way,
 * it waits for nothing.
 */
export class TurnWork<T> {
  #waiting: T[] = []
  readonly #run: () => void

  /** @param work does it; must not throw */
  constructor(work: (item: T) => void) {
    this.#run = () => {
      const list = this.#waiting
      this.#waiting = []
      for (let i = 0; i < list.length; i++) work(list[i] as T)
    }
  }

  /** Has it done before the next input is read. */
  add(item: T): void {
    if (this.#waiting.length === 0) setImmediate(this.#run)
    this.#waiting.push(item)
  }
}
