import { CleanValues } from './clean-values.ts'
import { CHAR, scanFeatures, seen } from './features.ts'
import { OpaqueValues } from './opaque-value.ts'
import type { RuleSet } from './rule-set.ts'
import { THRESHOLDS } from './thresholds.ts'

/** What may stand for another text, so that one scan of it says nothing. */
export const ENCODED: number =
  CHAR.percent |
  CHAR.ampersand |
  CHAR.backslash |
  CHAR.base64 |
  CHAR.wide |
  CHAR.control |
  CHAR.plus |
  CHAR.run
/** Cookies that are cleared one by one; a header with more is looked at in full. */
const MAX_COOKIES = 64

/** What tells, for one set of rules, that a value needs no look. */
export class Clearance {
  /** Values of headers in which no rule finds anything, and which could act nowhere. */
  readonly headers: CleanValues = new CleanValues()
  /** Values of headers in which no rule finds anything, and which could act in a statement or a command. */
  readonly actingHeaders: CleanValues = new CleanValues()
  /** Names of query parameters, under the empty name, and common words under such a name. */
  readonly parameters: CleanValues = new CleanValues()
  readonly opaque: OpaqueValues

  readonly rules: RuleSet

  private constructor(rules: RuleSet) {
    this.rules = rules
    this.opaque = new OpaqueValues(rules)
  }

  static #of = new WeakMap<RuleSet, Clearance>()
  static #lastRules: RuleSet | undefined
  static #last: Clearance | undefined

  /** The one of a set of rules. */
  static of(rules: RuleSet): Clearance {
    if (rules === Clearance.#lastRules && Clearance.#last !== undefined) return Clearance.#last
    const known = Clearance.#of.get(rules) ?? new Clearance(rules)
    Clearance.#of.set(rules, known)
    Clearance.#lastRules = rules
    Clearance.#last = known
    return known
  }

  /**
   * Whether a full look at a cookie header would find nothing, pair by pair as it would read them: sessions
   * are random and new with every client, so no header is ever known, and nearly all of them are clear.
   */
  hasClearCookies(header: string): boolean {
    let start = 0
    for (let cookies = 0; cookies < MAX_COOKIES; cookies++) {
      const semicolon = header.indexOf(';', start)
      const end = semicolon < 0 ? header.length : semicolon
      const equals = header.indexOf('=', start)
      const hasValue = equals >= 0 && equals < end
      const name = header.slice(start, hasValue ? equals : end).trim()
      if (name !== '' && !this.parameters.has('', name) && !this.#clears(name)) return false
      if (hasValue && !this.#clears(header.slice(equals + 1, end).trim())) return false
      if (semicolon < 0) return true
      start = semicolon + 1
    }
    return false
  }

  /** Whether one scan clears a value, whatever it stands in but the name of a file. */
  #clears(text: string): boolean {
    if (text.length > THRESHOLDS.window) return false
    scanFeatures(text, 0, text.length)
    const { chars, words } = seen
    return (
      ((chars & ENCODED) === 0 && this.rules.isClear(chars, words)) || this.opaque.has(text, chars, words)
    )
  }
}
