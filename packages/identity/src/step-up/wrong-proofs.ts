import { type Clock, systemClock } from '@postern/core'
import { QueueFull } from '../password/work-queue.ts'
import { memoryRecords } from '../records/memory-records.ts'
import type { RecordCodec, RecordStore } from '../records/record-store.ts'
import type { Session } from '../session/session.ts'
import type { Sessions } from '../session/sessions.ts'

/** Wrong proofs in a row after which a session ends. */
const MOST = 5
const REMEMBERED = 10_000
const KEPT_MS = 30 * 86_400_000
/** A proof whose check has not ended for so long, for its process died, was wrong. */
const LONGEST_CHECK_MS = 30_000

/** The proofs of one session since its last right one. */
export interface Proofs {
  readonly wrong: number
  /** When those began to be checked that nobody knows the result of; epoch milliseconds. */
  readonly begun: readonly number[]
}

const NONE: Proofs = { wrong: 0, begun: [] }

/** How the proofs of a session are kept in stores: the number of wrong ones, then the times. */
export const WRONG_PROOFS: RecordCodec<Proofs> = {
  read: text => {
    const [wrong = 0, ...begun] = (text ?? '0').split(' ').map(Number)
    // An earlier version that read what this one wrote leaves NaN: no number of guesses is more than that.
    return Number.isFinite(wrong)
      ? { wrong, begun: begun.filter(Number.isFinite) }
      : { wrong: MOST, begun: [] }
  },
  write: ({ wrong, begun }) => [wrong, ...begun].join(' '),
  lifetime: () => KEPT_MS,
}

/**
 * What came of a proof: how it was given, or that it was wrong; `later`: as many are being checked as may be;
 * `ended`: the session is over.
 */
export type Tried<Proof> = { readonly proof: Proof | undefined } | 'later' | 'ended'

/**
 * Whoever has a stolen session may guess at the password where a fresh proof is asked for: that page has none
 * of the lanes of a sign-in. A session that fails five times in a row ends: its owner signs in again, a thief
 * cannot.
 */
export class WrongProofs {
  readonly #sessions: Pick<Sessions, 'revoke'>
  readonly #counts: RecordStore<Proofs>
  readonly #clock: Clock

  /** @param counts shared by all processes, or each of them gives a thief five tries; default: in memory */
  constructor(
    sessions: Pick<Sessions, 'revoke'>,
    counts: RecordStore<Proofs> = memoryRecords(WRONG_PROOFS, REMEMBERED),
    clock: Clock = systemClock,
  ) {
    this.#sessions = sessions
    this.#counts = counts
    this.#clock = clock
  }

  /**
   * Checks a proof, if it may be tried. It has its place among the five before it is checked, so that many at
   * once have no more; only what was found to be wrong ends a session.
   */
  async try<Proof>(
    { id, accountId }: Session,
    check: () => Promise<Proof | undefined>,
  ): Promise<Tried<Proof>> {
    const now = Math.floor(this.#clock.now())
    const place = await this.#counts.update(id, kept => {
      const begun = kept.begun.filter(at => Math.abs(now - at) <= LONGEST_CHECK_MS)
      const wrong = kept.wrong + kept.begun.length - begun.length
      if (wrong >= MOST) return { result: 'ended' }
      if (wrong + begun.length >= MOST) return { result: 'later' }
      return { record: { wrong, begun: [...begun, now] }, result: 'taken' }
    })
    if (place === 'ended') await this.#sessions.revoke(accountId, id)
    if (place === 'ended' || place === 'later') return place
    let found: Found = 'wrong'
    try {
      const proof = await check()
      if (proof !== undefined) found = 'right'
      return { proof }
    } catch (error) {
      // Whoever floods the sign-in would end the sessions of those who prove meanwhile who they are.
      if (error instanceof QueueFull) found = 'nothing'
      throw error
    } finally {
      await this.#counts.update(id, kept => ({ record: after(kept, now, found), result: 0 }))
    }
  }
}

/** What a check found; nothing where it was not begun, as too many others waited. */
type Found = 'right' | 'wrong' | 'nothing'

/** The proofs of a session once the check that began at a time has ended. */
function after({ wrong, begun }: Proofs, at: number, found: Found): Proofs {
  const place = begun.indexOf(at)
  const others = place < 0 ? begun : begun.toSpliced(place, 1)
  if (found === 'right') return { ...NONE, begun: others }
  // One that lasted for too long is among the wrong ones already.
  return { wrong: wrong + (found === 'wrong' && place >= 0 ? 1 : 0), begun: others }
}
