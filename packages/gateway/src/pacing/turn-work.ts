/** So many are taken through all steps before the next: the first of a crowd need not wait for the last. */
const GROUP = 32
/** So many are done in one turn; the rest of a crowd waits while what else came is read. */
const MOST = 64

/** Something to be done for a client. */
interface ClientsWork {
  /** Its address, or IPv6 /56. */
  readonly client: string
}

/**
 * Work on many things, done step by step at the end of a turn of the event loop: the first step of all, then
 * the second of all. Under load a turn brings a dozen requests and answers: done between the reading and
 * writing of each, the code and tables of guards and detectors are out of the processor's caches every time.
 * Where only one request is under way, it waits for nothing.
 *
 * Of a crowd, thousands of requests that come in one turn, each turn does a part: one of each client first,
 * so that a client with few requests does not wait for those of one with many.
 */
export class TurnWork<T extends ClientsWork> {
  #waiting: T[] = []
  readonly #run: () => void

  /** @param steps done with all items, one step after the other; must not throw */
  constructor(...steps: readonly ((item: T) => void)[]) {
    this.#run = () => {
      const list = this.#take()
      for (let start = 0; start < list.length; start += GROUP) {
        const end = Math.min(start + GROUP, list.length)
        for (const step of steps) for (let i = start; i < end; i++) step(list[i] as T)
      }
    }
  }

  /** Has it done before the next input is read, or with a crowd as soon as its client's turn comes. */
  add(item: T): void {
    if (this.#waiting.length === 0) setImmediate(this.#run)
    this.#waiting.push(item)
  }

  /** What this turn does. */
  #take(): readonly T[] {
    const list = this.#waiting
    this.#waiting = []
    if (list.length <= MOST) return list
    const clients = new Set<string>()
    const now: T[] = []
    const others: T[] = []
    for (const item of list) {
      if (now.length === MOST || clients.has(item.client)) others.push(item)
      else {
        clients.add(item.client)
        now.push(item)
      }
    }
    const room = MOST - now.length
    for (let i = 0; i < room; i++) now.push(others[i] as T)
    this.#waiting = others.slice(room)
    setImmediate(this.#run)
    return now
  }
}
