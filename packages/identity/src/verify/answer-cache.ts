import { createHash } from 'node:crypto'
import type { Clock } from '@postern/core'

interface Kept<Value> {
  readonly value: Value
  readonly until: number
}

/**
 * Answers of a look-up, for a short time and a bounded number; by SHA-256 of the whole
 * credential, so that it is not kept itself. Those who ask for the same at once share one
 * look-up. A look-up that fails is not remembered.
 */
export class AnswerCache<Value> {
  readonly #ttl: number
  readonly #max: number
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept<Value>>()
  readonly #pending = new Map<string, Promise<Value>>()

  /** @param ttl milliseconds; 0 remembers nothing */
  constructor(ttl: number, max: number, clock: Clock) {
    this.#ttl = ttl
    this.#max = max
    this.#clock = clock
  }

  get(credential: string, look: () => Promise<Value>): Value | Promise<Value> {
    const key = createHash('sha256').update(credential).digest('base64url')
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.until > this.#clock.monotonic()) return kept.value
    const pending = this.#pending.get(key)
    if (pending !== undefined) return pending
    const asked = look()
      .then(value => {
        this.#keep(key, value)
        return value
      })
      .finally(() => this.#pending.delete(key))
    this.#pending.set(key, asked)
    return asked
  }

  #keep(key: string, value: Value): void {
    if (this.#ttl === 0) return
    this.#kept.delete(key)
    if (this.#kept.size >= this.#max) {
      const oldest = this.#kept.keys().next().value
      if (oldest !== undefined) this.#kept.delete(oldest)
    }
    this.#kept.set(key, { value, until: this.#clock.monotonic() + this.#ttl })
  }
}
