import { encodeContext, type RecordContext } from '../record/record-context.ts'
import type { SealKey } from './seal-key.ts'

/** Keys kept at most. */
const MAX_RESERVED = 10_000

/** Seal keys fetched ahead for records still to be written. Each is given out once, for its own place. */
export class ReservedKeys {
  readonly #keys = new Map<string, SealKey>()

  /** Keeps keys; the oldest are dropped when there are too many. */
  keep(contexts: readonly RecordContext[], keys: readonly SealKey[]): void {
    for (const [index, context] of contexts.entries()) this.#keys.set(nameOf(context), keys[index] as SealKey)
    for (const name of this.#keys.keys()) {
      if (this.#keys.size <= MAX_RESERVED) break
      this.#keys.delete(name)
    }
  }

  /** A key, which is gone with this. */
  take(context: RecordContext): SealKey | undefined {
    if (this.#keys.size === 0) return undefined
    const name = nameOf(context)
    const key = this.#keys.get(name)
    this.#keys.delete(name)
    return key
  }
}

function nameOf(context: RecordContext): string {
  return encodeContext(context).toString('latin1')
}
