import { CleanValues } from './clean-values.ts'
import { OpaqueValues } from './opaque-value.ts'
import type { RuleSet } from './rule-set.ts'

/** What tells, for one set of rules, that a value needs no look. */
export class Clearance {
  /** Values of headers. */
  readonly headers: CleanValues = new CleanValues()
  /** Names of query parameters, under the empty name, and common words under such a name. */
  readonly parameters: CleanValues = new CleanValues()
  readonly opaque: OpaqueValues

  private constructor(rules: RuleSet) {
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
}
