import { memoryRecords } from '../records/memory-records.ts'
import type { RecordCodec, RecordStore } from '../records/record-store.ts'
import type { Session } from '../session/session.ts'
import type { Sessions } from '../session/sessions.ts'

/** Wrong proofs in a row after which a session ends. */
const MOST = 5
const REMEMBERED = 10_000
const KEPT_MS = 30 * 86_400_000

/** How the number of wrong proofs of a session is kept in stores. */
export const WRONG_PROOFS: RecordCodec<number> = {
  read: text => Number(text ?? 0),
  write: String,
  lifetime: () => KEPT_MS,
}

/**
 * Whoever has a stolen session may guess at the password where a fresh proof is asked for: that page has none
 * of the lanes of a sign-in. A session that fails five times in a row ends: its owner signs in again, a thief
 * cannot.
 */
export class WrongProofs {
  readonly #sessions: Pick<Sessions, 'revoke'>
  readonly #counts: RecordStore<number>

  /** @param counts shared by all processes, or each of them gives a thief five tries; default: in memory */
  constructor(
    sessions: Pick<Sessions, 'revoke'>,
    counts: RecordStore<number> = memoryRecords(WRONG_PROOFS, REMEMBERED),
  ) {
    this.#sessions = sessions
    this.#counts = counts
  }

  /** Counts a proof before it is checked, so that many at once count too. @returns whether it may be */
  async mayTry({ id, accountId }: Session): Promise<boolean> {
    const count = await this.#counts.update(id, kept => ({ record: kept + 1, result: kept + 1 }))
    if (count <= MOST) return true
    await this.#sessions.revoke(accountId, id)
    return false
  }

  async right({ id }: Session): Promise<void> {
    await this.#counts.update(id, () => ({ record: 0, result: undefined }))
  }
}
