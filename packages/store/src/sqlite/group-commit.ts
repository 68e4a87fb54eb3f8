import { type Duration, type Health, type HealthProbe, parseDuration, StoreError } from '@postern/core'
import type { SqliteDatabase } from './sqlite-database.ts'
import { isSqliteBusy } from './sqlite-error.ts'

/** How many writes may wait, how many one transaction holds, and how long it waits for a lock. */
export interface GroupCommitOptions {
  /** Writes that may wait; one more is refused. Default 10,000. */
  readonly maxWaiting?: number
  /** Writes of one transaction; the rest goes into the next. Default 1,000. */
  readonly maxGroup?: number
  /** How long a write may wait for another process that is writing. Default `5s`. */
  readonly busyLimit?: Duration
}

interface Write {
  readonly work: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  readonly since: number
}

const BUSY_PAUSE_MS = 20

/**
 * Turns the many small writes of a tick into one transaction, and so into one wait for the disk. A write is
 * acknowledged after the commit that holds it; when one fails it is undone alone, and when the commit fails
 * nothing of the group is acknowledged. While another process writes, the group waits without blocking the
 * thread.
 * @example
 * const writer = new GroupCommit(database)
 * await writer.write(() => insert.run(id))   // resolves when it is durable
 */
export class GroupCommit implements HealthProbe {
  readonly #database: SqliteDatabase
  readonly #maxWaiting: number
  readonly #maxGroup: number
  readonly #busyLimit: number
  #waiting: Write[] = []
  #scheduled = false
  #isClosed = false
  #idle: (() => void)[] = []

  constructor(database: SqliteDatabase, options: GroupCommitOptions = {}) {
    this.#database = database
    this.#maxWaiting = options.maxWaiting ?? 10_000
    this.#maxGroup = options.maxGroup ?? 1_000
    this.#busyLimit = parseDuration(options.busyLimit ?? '5s', 'busyLimit')
  }

  /** Writes that are not acknowledged yet. */
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Takes a write over; resolves with its result once it is committed.
   * @param work synchronous, on the database this writer was made for
   * @throws StoreError when too many writes wait, the writer is closed, or the commit failed; else what the
   * work threw
   */
  write<T>(work: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(this.#refusal('the writer is closed', false))
    if (this.#waiting.length >= this.#maxWaiting)
      return Promise.reject(this.#refusal(`${this.#waiting.length} writes wait already; slow down`, true))
    return new Promise<T>((resolve, reject) => {
      const settle = (result: unknown): void => resolve(result as T)
      this.#waiting.push({ work, resolve: settle, reject, since: performance.now() })
      this.#schedule()
    })
  }

  /** Resolves when every write taken so far is acknowledged or refused. */
  flush(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve()
    return new Promise(resolve => this.#idle.push(resolve))
  }

  /** Takes no more writes and waits for those it has. The database stays open. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.flush()
  }

  health(): Health {
    const full = this.#waiting.length >= this.#maxWaiting
    return full
      ? { ...this.#database.health(), ok: false, detail: `${this.#waiting.length} writes wait` }
      : this.#database.health()
  }

  #refusal(message: string, retryable: boolean): StoreError {
    return new StoreError(message, { store: this.#database.name, retryable })
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#commit())
  }

  #commit(): void {
    this.#scheduled = false
    const group = this.#waiting.slice(0, this.#maxGroup)
    const settle: (() => void)[] = []
    const oldest = group[0]?.since ?? 0
    let isStarted = false
    try {
      this.#database.tryTransaction(() => {
        isStarted = true
        for (const write of group) settle.push(this.#run(write))
      })
    } catch (error) {
      // Only a lock that was not given: nothing has run yet, so nothing runs twice.
      if (!isStarted && isSqliteBusy(error) && performance.now() - oldest < this.#busyLimit) {
        this.#scheduled = true
        setTimeout(() => this.#commit(), BUSY_PAUSE_MS)
        return
      }
      settle.length = 0
      for (const write of group) settle.push(() => write.reject(error))
    }
    this.#waiting.splice(0, group.length)
    for (const done of settle) done()
    if (this.#waiting.length > 0) this.#schedule()
    else for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** Runs one write in a savepoint of its own, and returns how to acknowledge it after the commit. */
  #run(write: Write): () => void {
    try {
      const result = this.#database.transaction(write.work)
      return () => write.resolve(result)
    } catch (error) {
      // SQLite undid the whole group (full disk, failing disk): no write of it may be acknowledged.
      if (!this.#database.db.isTransaction) throw error
      return () => write.reject(error)
    }
  }
}
