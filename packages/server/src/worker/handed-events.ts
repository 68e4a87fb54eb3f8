import type { FromWorker } from '../plan/worker-plan.ts'

/** Where the answers to one thread go: as good as its name. */
type Thread = (data: never) => void

/**
 * How many events of each worker thread arrived, or were reported as lost, so that what a thread that ended
 * had made and never handed over is known. Counts of 32 bits, which may wrap.
 */
export class HandedEvents {
  readonly #byThread = new WeakMap<Thread, number>()

  arrived(thread: Thread, message: FromWorker): void {
    if (message.kind !== 'events') return
    this.#byThread.set(thread, this.#of(thread) + message.events.length + message.lost)
  }

  /** @param made how many events the thread had in all @returns how many of them are lost */
  ended(thread: Thread, made: number): number {
    return Math.max(0, (made - this.#of(thread)) | 0)
  }

  #of(thread: Thread): number {
    return this.#byThread.get(thread) ?? 0
  }
}
