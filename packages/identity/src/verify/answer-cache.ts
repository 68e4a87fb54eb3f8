import { createHash } from 'node:crypto'
import { type Clock, StoreError } from '@postern/core'

interface Kept<Value> {
  readonly value: Value
  /** Hash of what else it was looked up with. */
  readonly beside: string
  readonly until: number
}

/** Look-ups at once of credentials that nobody was known by before: anybody can make them up. */
const MOST_STRANGERS = 256
/** Answers that a credential is worth nothing, of which the newest are kept. */
const MOST_REFUSED = 1_000

export interface AnswerCacheOptions<Value> {
  /** Milliseconds that an answer counts; 0 asks each time. */
  readonly ttl: number
  /** Most answers that are kept about credentials that are good. */
  readonly max: number
  readonly clock: Clock
  /** Whether an answer says that the credential is good. */
  readonly isGood: (value: Value) => boolean
  /** Most look-ups at once of credentials that are not known. Default: 256. */
  readonly strangers?: number
}

/**
 * Answers of a look-up, for a short time and a bounded number; by SHA-256 of the whole credential, so that it
 * is not kept itself. Those who ask for the same at once share one look-up. A look-up that fails is not
 * remembered. Made-up credentials take room from each other only: they evict nobody who is known, and while
 * too many of them are being looked up, who was known lately still is.
 */
export class AnswerCache<Value> {
  readonly #options: AnswerCacheOptions<Value>
  /** Those whose time is over stay, as long as there is room: who sends one was known before. */
  readonly #good = new Map<string, Kept<Value>>()
  readonly #refused = new Map<string, Kept<Value>>()
  readonly #pending = new Map<string, Promise<Value>>()
  #strangers = 0

  constructor(options: AnswerCacheOptions<Value>) {
    this.#options = options
  }

  /**
   * @param along what the answer may depend on besides the credential. An answer counts for the same only;
   *   one credential has one answer, so that other things each time take no room of others
   * @throws StoreError (rejects) while too many that are unknown are being looked up
   */
  get(credential: string, look: () => Promise<Value>, along = ''): Value | Promise<Value> {
    const key = hashOf(credential)
    const beside = along === '' ? '' : hashOf(along)
    const good = this.#good.get(key)
    const kept = good ?? this.#refused.get(key)
    if (kept?.beside === beside && kept.until > this.#options.clock.monotonic()) return kept.value
    const both = `${key} ${beside}`
    const pending = this.#pending.get(both)
    if (pending !== undefined) return pending
    const asked = good === undefined ? this.#asStranger(look) : look()
    const answered = asked
      .then(value => {
        this.#keep(key, value, beside)
        return value
      })
      .finally(() => this.#pending.delete(both))
    this.#pending.set(both, answered)
    return answered
  }

  async #asStranger(look: () => Promise<Value>): Promise<Value> {
    if (this.#strangers >= (this.#options.strangers ?? MOST_STRANGERS))
      throw new StoreError('is asked about too many unknown credentials at once', {
        store: 'identification',
        retryable: true,
      })
    this.#strangers++
    try {
      return await look()
    } finally {
      this.#strangers--
    }
  }

  #keep(key: string, value: Value, beside: string): void {
    const { ttl, max, clock, isGood } = this.#options
    this.#good.delete(key)
    this.#refused.delete(key)
    const [kept, most] = isGood(value) ? [this.#good, max] : [this.#refused, MOST_REFUSED]
    if (kept.size >= most) {
      const oldest = kept.keys().next().value
      if (oldest !== undefined) kept.delete(oldest)
    }
    kept.set(key, { value, beside, until: clock.monotonic() + ttl })
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
