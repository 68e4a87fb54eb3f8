import type { Remediation } from '@postern/core'
import type { RemediationTable } from './remediation-table.ts'

<<<<<<< HEAD
const MAX_PENDING = 10_000
/** As many as are kept in force. */
const MAX_OVERFLOW = 100_000
=======
/** As many as are held in memory: a store that lost everything gets all of them again. */
const MAX_PENDING = 100_000
>>>>>>> main
const RETRY_MS = 1_000

/**
 * Writes remediations after the requests that caused them: in order, with retries, bounded. Those that do not
 * fit are still in force in this process.
 */
export class RemediationWriter {
  readonly #table: RemediationTable
  readonly #onError: (error: unknown) => void
  readonly #pending = new Map<string, Remediation>()
  /** Ids of those that found no room. */
  readonly #overflow = new Set<string>()
  #running: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #failing = false

  constructor(table: RemediationTable, onError: (error: unknown) => void) {
    this.#table = table
    this.#onError = onError
  }

  get pending(): number {
    return this.#pending.size
  }

  /** Whether the last write failed. */
  get failing(): boolean {
    return this.#failing
  }

  isPending(id: string): boolean {
    return this.#pending.has(id) || this.#overflow.has(id)
  }

  put(remediation: Remediation): void {
    const { id } = remediation
    if (this.#pending.size >= MAX_PENDING && !this.#pending.has(id)) {
      if (this.#overflow.size < MAX_OVERFLOW) this.#overflow.add(id)
      return
    }
    this.#overflow.delete(id)
    this.#pending.set(id, remediation)
    if (this.#retry === undefined) this.#start()
  }

  /** Takes those again for which there was no room, as far as there is now. */
  retry(find: (id: string) => Remediation | undefined): void {
    for (const id of this.#overflow) {
      if (this.#pending.size >= MAX_PENDING) return
      this.#overflow.delete(id)
      const remediation = find(id)
      if (remediation !== undefined) this.put(remediation)
    }
  }

  cancel(id: string): void {
    this.#pending.delete(id)
    this.#overflow.delete(id)
  }

  report(error: unknown): void {
    this.#onError(error)
  }

  /** One pass over the pending writes; resolves when it ended, successfully or not. */
  async drain(): Promise<void> {
    this.#start()
    await this.#running
  }

  close(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
  }

  #start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      // One that arrived since the last check.
      if (this.#pending.size > 0 && this.#retry === undefined) this.#start()
    })
  }

  async #run(): Promise<void> {
    for (;;) {
      const next = this.#pending.values().next().value
      if (next === undefined) break
      try {
        await this.#table.put(next)
        this.#failing = false
      } catch (error) {
        this.#failing = true
        this.#onError(error)
        this.#retryLater()
        return
      }
      if (this.#pending.get(next.id) === next) this.#pending.delete(next.id)
    }
  }

  #retryLater(): void {
    if (this.#retry !== undefined) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#start()
    }, RETRY_MS).unref()
  }
}
