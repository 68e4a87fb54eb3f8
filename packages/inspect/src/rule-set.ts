import type { EffortMeter } from './effort-meter.ts'
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
  /** The gates of each rule, beside each other: most readings open few of them. */
  readonly #charGates: Int32Array
  readonly #wordGates: Int32Array
  /** Whether rules from elsewhere are among them, of which nothing is known that would clear a text. */
  readonly #foreign: boolean

  constructor(rules: readonly Rule[]) {
    this.rules = rules
    this.#charGates = Int32Array.from(rules, rule => rule.chars)
    this.#wordGates = Int32Array.from(rules, rule => rule.words)
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

  /**
   * Runs the rules whose gates the reading opens, from the rule at `from` on, until the meter stops it.
   * @returns the index of the rule to go on with; `Number.MAX_SAFE_INTEGER` when all have run
   */
  run(reading: Reading, found: (hit: Hit) => void, meter?: EffortMeter, from = 0): number {
    const { text } = reading
    const { rules } = this
    if (reading.place !== 'file-name' && this.isClear(reading.chars, reading.words)) {
      return Number.MAX_SAFE_INTEGER
    }
    const { chars, words } = reading
    let ran = 0
    const charGates = this.#charGates
    const wordGates = this.#wordGates
    for (let i = from; i < charGates.length; i++) {
      const charGate = charGates[i] as number
      if (charGate !== 0 && (chars & charGate) === 0) continue
      const wordGate = wordGates[i] as number
      if (wordGate !== 0 && (words & wordGate) === 0) continue
      const rule = rules[i] as Rule
      const span = rule.find(reading)
      if (span !== undefined) found({ rule, span })
      ran++
      // Short readings are counted once they are done: none of them fills a slice.
      if (text.length < METERED || meter === undefined) continue
      if (meter.spend(text.length)) return i + 1
    }
    if (text.length < METERED) meter?.spend(ran * text.length + PER_READING)
    return Number.MAX_SAFE_INTEGER
  }
}

/** What a reading costs besides its rules: it was made and scanned. */
const PER_READING = 100
/** Readings of this length and more are counted rule by rule. */
const METERED = 1_024
