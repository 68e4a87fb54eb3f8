import { StoreError } from '../error/errors.ts'
import { systemTimers, type Timers } from './timers.ts'

const RETRY_MS = 1_000

/** Notified by something that is opened late. */
export interface OpenedLaterOwner<T> {
  /** It is away at the start. Called once, with why. */
  away(error: StoreError): void
  /** It is there after all. */
  back(opened: T): void
  /** It can never be used (it was tampered with, a setting is wrong): nothing tries again. */
  failed(error: unknown): void
}

/**
 * Something whose store may be away when the process starts: opened now if that works, else tried again each
 * second until it does.
 */
export class OpenedLater<T> {
  readonly #open: () => Promise<T>
  readonly #owner: OpenedLaterOwner<T>
  readonly #timers: Timers
  #current: T | undefined = undefined
  #error: unknown = undefined
  #cancel: () => void = () => undefined
  #attempt: Promise<void> = Promise.resolve()
  #isClosed = false

  private constructor(open: () => Promise<T>, owner: OpenedLaterOwner<T>, timers: Timers) {
    this.#open = open
    this.#owner = owner
    this.#timers = timers
  }

  /**
   * Tries once before it resolves.
   * @throws whatever `open` rejected with, unless that is a `StoreError` that may pass by itself
   */
  static async start<T>(
    open: () => Promise<T>,
    owner: OpenedLaterOwner<T>,
    timers: Timers = systemTimers,
  ): Promise<OpenedLater<T>> {
    const later = new OpenedLater(open, owner, timers)
    try {
      later.#current = await open()
    } catch (error) {
      if (!(error instanceof StoreError) || !error.retryable) throw error
      later.#error = error
      owner.away(error)
      later.#tryAgain()
    }
    return later
  }

  /** What was opened; undefined while its store is away. */
  get current(): T | undefined {
    return this.#current
  }

  /** Why it is not there, in words for the operator. */
  get problem(): string {
    return this.#error instanceof Error ? this.#error.message : 'not open'
  }

  /** What was opened. @throws whatever the last attempt failed with */
  get(): T {
    if (this.#current === undefined) throw this.#error
    return this.#current
  }

  #tryAgain(): void {
    this.#cancel = this.#timers.after(RETRY_MS, () => {
      this.#attempt = this.#openAgain()
    })
  }

  async #openAgain(): Promise<void> {
    try {
      this.#current = await this.#open()
    } catch (error) {
      this.#error = error
      if (!(error instanceof StoreError) || !error.retryable) this.#owner.failed(error)
      else if (!this.#isClosed) this.#tryAgain()
      return
    }
    if (!this.#isClosed) this.#owner.back(this.#current)
  }

  /** Tries no more. Resolves, with what was opened, once no attempt is under way. */
  async stop(): Promise<T | undefined> {
    this.#isClosed = true
    this.#cancel()
    await this.#attempt
    return this.#current
  }
}
