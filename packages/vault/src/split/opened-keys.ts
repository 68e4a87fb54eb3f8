import {
  type Answered,
  candidatesOf,
  certainCandidates,
  contradicted,
  type OpenCandidate,
} from './answered.ts'

/**
 * What the holders said the keys of some records are.
 *
 * Two answers share one part of three. A lie in that one shows at once; a lie in another shows only when the
 * record does not open, since its commitment does not hold: ask the third holder then, and who lied is known.
 */
export class OpenedKeys {
  readonly #count: number
  readonly #askThird: () => Promise<readonly Answered[]>
  #answers: readonly Answered[]
  #hasAsked = false
  #candidates: readonly (readonly OpenCandidate[])[]

  /** @param askThird answers of the holders that were not asked yet; never rejects */
  constructor(
    count: number,
    answers: readonly Answered[],
    askThird: () => Promise<readonly Answered[]> = async () => [],
  ) {
    this.#count = count
    this.#answers = answers
    this.#askThird = askThird
    this.#candidates = answers.length === 0 ? [] : this.#derive()
  }

  /**
   * Candidates per record, the likely one first; more than one only where holders contradict each other, and
   * then the commitment in the record says which is right.
   */
  get candidates(): readonly (readonly OpenCandidate[])[] {
    return this.#candidates
  }

  /** Whether two holders contradict each other. */
  get isContradicted(): boolean {
    return contradicted(this.#answers).size > 0
  }

  /** Asks the third holder, once. True when `candidates` may be others now. */
  async askThird(): Promise<boolean> {
    if (this.#hasAsked) return false
    this.#hasAsked = true
    const more = await this.#askThird()
    if (more.length === 0) return false
    this.#answers = [...this.#answers, ...more]
    this.#candidates = this.#derive()
    return true
  }

  #derive(): readonly (readonly OpenCandidate[])[] {
    return this.isContradicted
      ? Array.from({ length: this.#count }, (_, index) => candidatesOf(this.#answers, index))
      : certainCandidates(this.#answers)
  }
}
