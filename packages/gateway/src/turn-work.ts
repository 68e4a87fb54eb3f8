/** So many are taken through all steps before the next: the first of a crowd need not wait for the last. */
const GROUP = 32

/**
 * Work on many things, done step by step at the end of a turn of the event loop: the first step of all, then
 * the second of all. Under load a turn brings a dozen requests and answers: done between the reading and
 * writing of each, the code and tables of guards and detectors are out of the processor's caches every time.
 * Where only one request is under way, it waits for nothing.
 */
export class TurnWork<T> {
  #waiting: T[] = []
  readonly #run: () => void

  /** @param steps done with all items, one step after the other; must not throw */
  constructor(...steps: readonly ((item: T) => void)[]) {
    this.#run = () => {
      const list = this.#waiting
      this.#waiting = []
      for (let start = 0; start < list.length; start += GROUP) {
        const end = Math.min(start + GROUP, list.length)
        for (const step of steps) for (let i = start; i < end; i++) step(list[i] as T)
      }
    }
  }

  /** Has it done before the next input is read. */
  add(item: T): void {
    if (this.#waiting.length === 0) setImmediate(this.#run)
    this.#waiting.push(item)
  }
}
