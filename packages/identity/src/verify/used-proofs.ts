import { openedWhenAsked } from '@postern/core'
import type { RecordCodec } from '../records/record-store.ts'
import { type RecordPlaces, recordsIn } from '../records/records-in.ts'

/** Proofs of possession that were used, while they could be used again (RFC 9449 section 11.1). */
export interface UsedProofs {
  /**
   * Whether this is the first use of a proof, and remembers it.
   * @param key thumbprint of the key that signed it
   * @param until last millisecond at which the proof would hold
   * @param now epoch milliseconds
   * @throws StoreError (rejects) where they are kept in a store that does not answer
   */
  isFirst(key: string, id: string, until: number, now: number): boolean | Promise<boolean>
}

/** An instance whose clock is behind takes a proof for so much longer. */
const SKEW = 60_000
const KIND = 'dpop'

/** Milliseconds for which a use is kept; 0 where there was none. */
const USES: RecordCodec<number> = {
  read: text => Number(text ?? 0),
  write: String,
  lifetime: kept => kept,
}

/**
 * Used proofs in a store that several processes share: in memory, each of them takes a stolen proof once.
 * @param places asked when the first proof comes, so that nothing is opened for whoever sends none
 */
export function usedProofs(places: () => RecordPlaces): UsedProofs {
  const records = openedWhenAsked(() => recordsIn(places(), KIND, USES))
  return {
    isFirst: async (key, id, until, now) => {
      const record = until - now + SKEW
      return (await records.get()).update(`${key}.${id}`, kept =>
        kept > 0 ? { result: false } : { record, result: true },
      )
    },
  }
}
