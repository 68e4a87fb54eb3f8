import { closeSync, fdatasync, openSync } from 'node:fs'
import { StoreError } from '@postern/core'

/** Makes durable what was written to a file. Rejects when the disk does not say that it is. */
export type SyncFile = () => Promise<void>

/**
 * `fdatasync` of a file, off the thread that answers. A descriptor of its own serves as well as the one that
 * wrote: what is synced is the file.
 */
export function syncFileAt(path: string): SyncFile {
  return () =>
    new Promise((resolve, reject) => {
      const file = openSync(path, 'r+')
      fdatasync(file, error => {
        closeSync(file)
        if (error === null) resolve()
        else reject(error)
      })
    })
}

/**
 * Follows what a holder wrote to its journal onto the disk: one sync after the other for as long as there is
 * something that none of them covers. Units are records opened.
 */
export class JournalSync {
  readonly #sync: SyncFile
  #waiting = 0
  #running = 0
  #isRunning = false
  /** A sync begins once the answers of this turn have left. */
  #isDue = false
  /** Who waits for the next sync to begin and end. */
  #waiters: PromiseWithResolvers<void>[] = []
  #failure: StoreError | undefined

  constructor(sync: SyncFile) {
    this.#sync = sync
  }

  /** Units that a power failure might take now. */
  get unsynced(): number {
    return this.#running + this.#waiting
  }

  /**
   * So many units were written to the file. Their sync begins after this turn of the event loop: handing it
   * to another thread took a quarter of the time until an answer left, and nobody waits for it.
   * @throws StoreError when a sync failed: pages may be lost, so nothing written later can be trusted either
   */
  written(units: number): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#waiting += units
    if (this.#isRunning || this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      void this.#run()
    })
  }

  /** Resolves when everything written so far is on the disk. @throws StoreError as `written` */
  synced(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const waiter = Promise.withResolvers<void>()
    this.#waiters.push(waiter)
    void this.#run()
    return waiter.promise
  }

  /** Never rejects: who waits sees the failure, and so does the next one who writes. */
  async #run(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    let due: PromiseWithResolvers<void>[] = []
    try {
      while (this.#waiting > 0 || this.#waiters.length > 0) {
        due = this.#waiters
        this.#waiters = []
        this.#running = this.#waiting
        this.#waiting = 0
        await this.#sync()
        this.#running = 0
        for (const waiter of due) waiter.resolve()
      }
    } catch (cause) {
      this.#failure = new StoreError('could not sync; restart it once the disk is sound', {
        store: 'holder journal',
        retryable: false,
        cause,
      })
      for (const waiter of [...due, ...this.#waiters.splice(0)]) waiter.reject(this.#failure)
    } finally {
      this.#isRunning = false
    }
  }
}
