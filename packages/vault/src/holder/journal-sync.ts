import { closeSync, fdatasync, openSync } from 'node:fs'
import { StoreError, writeProblem } from '@postern/core'

/** A file that is written elsewhere in this process and made durable here. */
export interface SyncedFile {
  /** Makes durable what was written. Rejects when the disk does not say that it is. */
  sync(): Promise<void>
  close(): void
}

/**
 * `fdatasync` of a file, off the thread that answers. A descriptor of its own serves as well as the one that
 * wrote: what is synced is the file. It is opened once, by the first sync.
 */
export function syncedFileAt(path: string): SyncedFile {
  let file: number | undefined
  return {
    sync: () =>
      new Promise((resolve, reject) => {
        file ??= openSync(path, 'r+')
        fdatasync(file, error => (error === null ? resolve() : reject(error)))
      }),
    close: () => {
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}

/** When a sync begins. */
export interface SyncPace {
  /** At the latest so many milliseconds after something was written. */
  readonly within: number
  /** At once when more than so many units wait for one. */
  readonly units: number
}

/**
 * Follows what a holder wrote to its journal onto the disk. Units are records opened.
 *
 * A sync begins a few milliseconds after the answer rather than with it. Waking another thread for it took a
 * processor from the application that reads the answer, and on a busy holder one sync covers two pages.
 */
export class JournalSync {
  readonly #file: SyncedFile
  readonly #pace: SyncPace
  #waiting = 0
  #running = 0
  #isRunning = false
  #isClosed = false
  /** The next sync, when none runs and something waits for it. */
  #timer: NodeJS.Timeout | undefined
  /** The sync that begins once the answers of this turn have left. */
  #turn: NodeJS.Immediate | undefined
  /** Who waits for the next sync to begin and end. */
  #waiters: PromiseWithResolvers<void>[] = []
  #failure: StoreError | undefined

  constructor(file: SyncedFile, pace: SyncPace) {
    this.#file = file
    this.#pace = pace
  }

  /** Units that a power failure might take now. */
  get unsynced(): number {
    return this.#running + this.#waiting
  }

  /**
   * So many units were written to the file. No sync begins in this turn of the event loop, so that the answer
   * leaves first.
   * @throws StoreError when a sync failed: pages may be lost, so nothing written later can be trusted either
   */
  written(units: number): void {
    if (this.#failure !== undefined) throw this.#failure
    this.#waiting += units
    this.#schedule()
  }

  /** Resolves when everything written so far is on the disk. @throws StoreError as `written` */
  synced(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const waiter = Promise.withResolvers<void>()
    this.#waiters.push(waiter)
    void this.#run()
    return waiter.promise
  }

  /** No sync begins after this; closing the database makes what is left durable. */
  close(): void {
    this.#isClosed = true
    this.#unschedule()
    if (!this.#isRunning) this.#file.close()
  }

  #schedule(): void {
    if (this.#isRunning || this.#isClosed || this.#waiting === 0) return
    if (this.#waiting > this.#pace.units) this.#turn ??= setImmediate(() => void this.#run())
    else this.#timer ??= setTimeout(() => void this.#run(), this.#pace.within).unref()
  }

  #unschedule(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#turn)
    this.#timer = undefined
    this.#turn = undefined
  }

  /** Never rejects: who waits sees the failure, and so does the next one who writes. */
  async #run(): Promise<void> {
    if (this.#isRunning) return
    this.#unschedule()
    this.#isRunning = true
    let due: PromiseWithResolvers<void>[] = []
    try {
      do {
        due = this.#waiters
        this.#waiters = []
        this.#running = this.#waiting
        this.#waiting = 0
        await this.#file.sync()
        this.#running = 0
        for (const waiter of due) waiter.resolve()
      } while (this.#waiters.length > 0)
    } catch (cause) {
      this.#failure = new StoreError(
        `could not sync: ${writeProblem(cause)}; restart it once the disk is sound`,
        {
          store: 'holder journal',
          retryable: false,
          cause,
        },
      )
      for (const waiter of [...due, ...this.#waiters.splice(0)]) waiter.reject(this.#failure)
    } finally {
      this.#isRunning = false
      if (this.#isClosed) this.#file.close()
      if (this.#failure === undefined) this.#schedule()
    }
  }
}
