import type { Reading } from './reading.ts'
import type { Rule, Span } from './rule.ts'

/** One hit, before its setting is weighed. */
export interface Hit {
  readonly rule: Rule
  readonly span: Span
}

/**
 * Rules compiled for use: which characters and words open any of them, so that a text with none of those is cleared without looking at a
 * single rule. Immutable.
 */
export class RuleSet {
  readonly rules: readonly Rule[]
  /** Characters that open a rule by themselves. */
  readonly #chars: number
  /** Words that open a rule, perhaps together with a character. */
  readonly #words: number
  /** Whether rules from elsewhere are among them, of which nothing is known that would clear a text. */
  readonly #foreign: boolean

  constructor(rules: readonly Rule[]) {
    this.rules = rules
    let chars = 0
    let words = 0
    for (const rule of rules) {
      if (rule.words === 0) chars |= rule.chars
      else words |= rule.words
    }
    this.#chars = chars
    this.#foreign = rules.some(rule => rule.family === 'loaded')
    this.#words = words
  }

  /** Whether no rule could hit a text with these features. A file name is short and telling: it is always looked at. */
  isClear(chars: number, words: number): boolean {
    return !this.#foreign && (chars & this.#chars) === 0 && (words & this.#words) === 0
  }

  /** Runs every rule whose gate the reading opens. */
  run(reading: Reading, found: (hit: Hit) => void): void {
    const { chars, words } = reading
    if (reading.place !== 'file-name' && this.isClear(chars, words)) return
    for (const rule of this.rules) {
      if (rule.chars !== 0 && (chars & rule.chars) === 0) continue
      if (rule.words !== 0 && (words & rule.words) === 0) continue
      const span = rule.find(reading)
      if (span !== undefined) found({ rule, span })
    }
  }
}
