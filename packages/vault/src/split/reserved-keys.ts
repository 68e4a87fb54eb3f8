import { encodeContext, type RecordContext } from '../record/record-context.ts'
import type { SealKey } from './seal-key.ts'

/** Keys kept at most. */
const MAX_RESERVED = 10_000

/** How long a key is kept, milliseconds. */
const MAX_AGE_MS = 86_400_000

/** Seal keys fetched ahead for records still to be written. Each is given out once, for its own place. */
export class ReservedKeys {
  readonly #keys = new Map<string, { readonly key: SealKey; readonly since: number }>()

  /** Keeps keys; the oldest are dropped when there are too many. */
  keep(contexts: readonly RecordContext[], keys: readonly SealKey[], now: number): void {
    for (const [index, context] of contexts.entries())
      this.#keys.set(nameOf(context), { key: keys[index] as SealKey, since: now })
    for (const name of this.#keys.keys()) {
      if (this.#keys.size <= MAX_RESERVED) break
      this.#keys.delete(name)
    }
  }

  /**
   * A key, which is gone with this. None of an epoch that is over: its records may have moved on, and once
   * the epoch is removed nobody would open this one.
   * @param epoch that seals now, as far as it is known
   * @param now milliseconds, of the clock that `keep` was given
   */
  take(context: RecordContext, epoch: number, now: number): SealKey | undefined {
    if (this.#keys.size === 0) return undefined
    const name = nameOf(context)
    const kept = this.#keys.get(name)
    this.#keys.delete(name)
    return kept !== undefined && kept.key.epoch >= epoch && now < kept.since + MAX_AGE_MS
      ? kept.key
      : undefined
  }
}

function nameOf(context: RecordContext): string {
  return encodeContext(context).toString('latin1')
}
