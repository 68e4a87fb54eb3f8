import type { Remediation } from '@postern/core'
import type { RemediationTable } from './remediation-table.ts'

/** As many as are held in memory: a store that lost everything gets all of them again. */
const MAX_PENDING = 100_000
const RETRY_MS = 1_000

/**
 * Writes remediations after the requests that caused them: in order, with retries, bounded. Those that do not
 * fit are still in force in this process.
 */
export class RemediationWriter {
  readonly #table: RemediationTable
  readonly #onError: (error: unknown) => void
  readonly #pending = new Map<string, Remediation>()
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
    return this.#pending.has(id)
  }

  put(remediation: Remediation): void {
    if (this.#pending.size >= MAX_PENDING && !this.#pending.has(remediation.id)) return
    this.#pending.set(remediation.id, remediation)
    if (this.#retry === undefined) this.#start()
  }

  cancel(id: string): void {
    this.#pending.delete(id)
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
