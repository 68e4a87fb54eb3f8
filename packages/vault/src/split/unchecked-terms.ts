import { IntegrityError } from '@postern/core'
import { type Answered, contradicted } from './answered.ts'
import { HOLDERS, type HolderId } from './part.ts'

/** Terms that are remembered until the third holder is back; the oldest are dropped. */
const MOST = 1_000

/** Terms that two holders answered. */
export interface UncheckedRequest {
  /** The request as it was sent. */
  readonly body: object
  readonly count: number
  readonly answers: readonly Answered[]
}

/**
 * Search terms that rest on two holders, because the third was away.
 *
 * Two answers have one part of three in common; each of the others comes from one holder alone, and a term
 * has no commitment to hold it against. So one that lies there makes a search find nothing, and no client can
 * see it at the time. It is found out afterwards: the third holder has both of these parts, and is asked for
 * the same terms once it is back.
 */
export class UncheckedTerms {
  readonly #waiting: UncheckedRequest[] = []
  #count = 0
  #found: IntegrityError | undefined
  #isChecking = false

  /** Remembers what two holders answered. */
  keep(request: UncheckedRequest): void {
    this.#waiting.push(request)
    this.#count += request.count
    while (this.#count > MOST && this.#waiting.length > 1) this.#count -= this.#waiting.shift()?.count ?? 0
  }

  /**
   * Throws once what a check has found. @throws IntegrityError naming the holders that contradict each other
   */
  assertNoneFound(): void {
    const found = this.#found
    this.#found = undefined
    if (found !== undefined) throw found
  }

  /**
   * Checks what waits, one after the other, as long as the holder that is missing answers. Never rejects.
   * @param ask asks one holder for a request; undefined when it is away or refuses
   */
  async check(
    ask: (holder: HolderId, request: UncheckedRequest) => Promise<Answered | undefined>,
  ): Promise<void> {
    if (this.#isChecking) return
    this.#isChecking = true
    try {
      for (let request = this.#waiting[0]; request !== undefined; request = this.#waiting[0]) {
        const { answers } = request
        const missing = HOLDERS.find(id => answers.every(({ holder }) => holder !== id))
        const third = missing === undefined ? undefined : await ask(missing, request)
        if (third === undefined) return
        if (this.#waiting[0] === request) this.#count -= this.#waiting.shift()?.count ?? 0
        const suspects = [...contradicted([...answers, third]).keys()]
        if (suspects.length > 0) this.#found = falseTerms(suspects, third.holder)
      }
    } finally {
      this.#isChecking = false
    }
  }
}

function falseTerms(suspects: readonly HolderId[], third: HolderId): IntegrityError {
  return new IntegrityError(
    `holders ${suspects.join(' and ')} contradict each other about search terms that were made while holder ${third} ` +
      'was away: a search may have found nothing then, and what was written may not be found. Look into their logs',
  )
}
