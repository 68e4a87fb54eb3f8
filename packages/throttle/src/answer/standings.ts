import type { LimitName, Question } from '../limit/question.ts'

/** Texts that are kept, a power of two. */
const PLACES = 1_024
/** Numbers of a text that is kept: two a limit. */
const MOST_NUMBERS = 8
/** So many questions about other limits in a row, and theirs are kept from then on. */
const PATIENCE = 1_024

/**
 * Texts of the `RateLimit` header: what is left of each limit, and when all of it is there again. Most
 * clients have used little of their limits, and stand where others stood a moment ago: a text that is there
 * already is neither put together from a dozen pieces nor flattened for the wire. Of fixed size; only the
 * texts of one list of limits are kept.
 */
export class Standings {
  readonly #texts: string[] = new Array<string>(PLACES).fill('')
  readonly #numbers: Float64Array = new Float64Array(PLACES * MOST_NUMBERS)
  #limits: readonly LimitName[] = []
  #strangers = PATIENCE

  /** The text for an answered question. */
  of(question: Question): string {
    const { count } = question
    if (count * 2 > MOST_NUMBERS || !this.#isAbout(question)) return written(question)
    let hash = 0
    for (let i = 0; i < count; i++)
      hash = Math.imul(Math.imul(hash, 31) + left(question, i), 31) + seconds(question, i)
    const place = (hash ^ (hash >>> 10)) & (PLACES - 1)
    if (!this.#isThere(question, place)) this.#texts[place] = written(question)
    return this.#texts[place] as string
  }

  /** Whether the text of a place is the one for a question; notes its numbers there if not. */
  #isThere(question: Question, place: number): boolean {
    const numbers = this.#numbers
    let at = place * MOST_NUMBERS
    let isThere = this.#texts[place] !== ''
    for (let i = 0; i < question.count; i++, at += 2) {
      const units = left(question, i)
      const until = seconds(question, i)
      if (numbers[at] === units && numbers[at + 1] === until) continue
      isThere = false
      numbers[at] = units
      numbers[at + 1] = until
    }
    return isThere
  }

  /** Whether the texts that are kept are about these limits. */
  #isAbout({ count, limits }: Question): boolean {
    let isSame = this.#limits.length === count
    for (let i = 0; i < count && isSame; i++) isSame = this.#limits[i] === limits[i]
    if (isSame) {
      this.#strangers = 0
      return true
    }
    if (++this.#strangers <= PATIENCE) return false
    this.#limits = limits.slice(0, count)
    this.#texts.fill('')
    this.#strangers = 0
    return true
  }
}

function left({ remaining, rules }: Question, i: number): number {
  return Math.min(remaining[i] as number, rules[i]?.limit ?? 0)
}

/** For a concurrency limit: its places come back when requests end, and nobody knows when that is. */
const UNKNOWN = -1

function seconds({ resetAfter, rules }: Question, i: number): number {
  return rules[i]?.kind === 'concurrency' ? UNKNOWN : Math.ceil((resetAfter[i] as number) / 1_000)
}

function written(question: Question): string {
  let text = ''
  for (let i = 0; i < question.count; i++) {
    const until = seconds(question, i)
    text += `${i > 0 ? ', ' : ''}"${question.limits[i]?.name}";r=${left(question, i)}`
    if (until !== UNKNOWN) text += `;t=${until}`
  }
  return text
}
