import type { Clock } from '@postern/core'
import { memoryRecords } from '../records/memory-records.ts'
import type { RecordCodec, RecordStore, Step } from '../records/record-store.ts'
import { inTurns } from '../records/records-in.ts'
import type { KeyLimit } from './api-key.ts'

/** What is left of the limit of one key. */
export interface KeyUses {
  readonly level: number
  /** Milliseconds, of the wall clock where several processes share it. */
  readonly at: number
  /** Milliseconds after which the bucket is full again. */
  readonly window: number
}

const FULL: KeyUses = { level: Number.POSITIVE_INFINITY, at: 0, window: 0 }

/** How they are kept in stores: three numbers. */
export const KEY_USES: RecordCodec<KeyUses> = {
  read: text => {
    const [level, at, window] = (text ?? '').split(' ').map(Number)
    return level === undefined || at === undefined || window === undefined ? FULL : { level, at, window }
  },
  write: ({ level, at, window }) => `${level} ${at} ${window}`,
  lifetime: ({ window }) => window,
}

/**
 * Keys whose level is remembered in memory; the least recently used is forgotten first, which
 * can only be to its favour.
 */
const CAPACITY = 10_000

/**
 * A token bucket per key, in a store that all processes share; without one in the memory of this process, so
 * that with n processes a key has at most n times its limit.
 */
export class KeyLimits {
  readonly #uses: RecordStore<KeyUses>
  readonly #now: () => number

  constructor(clock: Clock, shared?: RecordStore<KeyUses>) {
    this.#uses = inTurns(shared ?? memoryRecords(KEY_USES, CAPACITY))
    this.#now = shared === undefined ? () => clock.monotonic() : () => clock.now()
  }

  /**
   * Takes one use.
   * @returns 0 when it is allowed, else whole seconds until one is
   * @throws StoreError (rejects) when the store does not answer
   */
  take(id: string, limit: KeyLimit): number | Promise<number> {
    return this.#uses.update(id, kept => taken(kept, limit, this.#now()))
  }
}

/** Time does not go back: an instance whose clock is ahead would otherwise fill the bucket at every turn. */
function taken(kept: KeyUses, { count, window }: KeyLimit, now: number): Step<KeyUses, number> {
  const rate = count / window
  const at = Math.max(kept.at, now)
  const level = Math.min(count, kept.level + (at - kept.at) * rate)
  if (level >= 1) return { record: { level: level - 1, at, window }, result: 0 }
  return { result: Math.max(1, Math.ceil((1 - level) / rate / 1_000)) }
}
