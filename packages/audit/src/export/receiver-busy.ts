import { formatDuration, StoreError } from '@postern/core'

/** However long a receiver asks for, it is asked again after this: milliseconds. */
const LONGEST = 3_600_000

/** A receiver that says when to ask again: `Retry-After` of RFC 9110 section 10.2.3. */
export class ReceiverBusy extends StoreError {
  /** Milliseconds. */
  readonly pause: number

  /** @param pause milliseconds, at most an hour of which counts */
  constructor(store: string, status: number, pause: number) {
    const bounded = Math.min(LONGEST, pause)
    const shown = formatDuration(Math.max(1_000, Math.round(bounded / 1_000) * 1_000))
    super(`answered ${status} and asks for a pause of ${shown}`, { store, retryable: true })
    this.pause = bounded
  }
}

/**
 * The pause that a `Retry-After` asks for, in milliseconds; undefined when it asks for none.
 * @param now epoch milliseconds
 */
export function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  const text = value.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
