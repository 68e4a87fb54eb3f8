import { availableParallelism } from 'node:os'

/** Work was refused, because too much is waiting already. */
export class QueueFull extends Error {
  /** Seconds until there may be room, whole, at least 1. */
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super(`too many sign-ins at once; retry in ${retryAfter} s`)
    this.name = 'QueueFull'
    this.retryAfter = retryAfter
  }
}

export interface WorkQueueOptions {
  /**
   * Pieces of work at once. Default: one less than the cores, at least 1, at most 3, so that of the four
   * threads of libuv one is left for files.
   */
  readonly concurrency?: number
  /** Pieces that may wait. Default 128. */
  readonly waiting?: number
  /** What one piece takes, in milliseconds, to tell a refused caller when to come back. Default 30. */
  readonly expected?: number
}

/**
 * A bounded queue for work that keeps a core busy. Without it a burst of logins occupies every thread of
 * libuv's pool, and a file read waits behind all of them.
 */
export class WorkQueue {
  readonly #concurrency: number
  readonly #limit: number
  readonly #expected: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: WorkQueueOptions = {}) {
    this.#concurrency = options.concurrency ?? Math.min(3, Math.max(1, availableParallelism() - 1))
    this.#limit = options.waiting ?? 128
    this.#expected = options.expected ?? 30
  }

  /** Pieces of work that wait or run. */
  get size(): number {
    return this.#running + this.#waiting.length
  }

  /**
   * Runs work in its turn.
   * @throws QueueFull at once, when too much is waiting
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#concurrency) {
      if (this.#waiting.length >= this.#limit) throw new QueueFull(this.#retryAfter())
      // Whoever finishes hands its place over, so `#running` stays as it is.
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    } else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }

  #retryAfter(): number {
    return Math.max(1, Math.ceil((this.size * this.#expected) / this.#concurrency / 1_000))
  }
}
