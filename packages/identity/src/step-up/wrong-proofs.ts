import type { Session } from '../session/session.ts'
import type { Sessions } from '../session/sessions.ts'

/** Wrong proofs in a row after which a session ends. */
const MOST = 5
const REMEMBERED = 10_000

/**
 * Whoever has a stolen session may guess at the password where a fresh proof is asked for: that page has none
 * of the lanes of a sign-in. A session that fails five times in a row ends: its owner signs in again, a thief
 * cannot. In the memory of one process.
 */
export class WrongProofs {
  readonly #sessions: Pick<Sessions, 'revoke'>
  readonly #counts = new Map<string, number>()

  constructor(sessions: Pick<Sessions, 'revoke'>) {
    this.#sessions = sessions
  }

  /** Counts a proof before it is checked, so that many at once count too. @returns whether it may be */
  async mayTry({ id, accountId }: Session): Promise<boolean> {
    const count = (this.#counts.get(id) ?? 0) + 1
    this.#counts.delete(id)
    this.#counts.set(id, count)
    const oldest = this.#counts.size > REMEMBERED ? this.#counts.keys().next().value : undefined
    if (oldest !== undefined) this.#counts.delete(oldest)
    if (count <= MOST) return true
    await this.#sessions.revoke(accountId, id)
    return false
  }

  right({ id }: Session): void {
    this.#counts.delete(id)
  }
}
