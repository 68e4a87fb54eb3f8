import type { Event } from '@postern/core'
import { type Needs, needsOfAll, needsOfAny, needsOfNot } from './need.ts'
import type { RuleIssues } from './rule-issues.ts'

export type Predicate = (event: Event) => boolean

/** A named part of a detection, with what it costs to ask. */
export interface Selection {
  readonly cost: number
  readonly test: Predicate
  /** What an event must have for it to hold. */
  readonly needs: Needs
  /** Whether it holds wherever what it needs is there. */
  readonly isWhole?: boolean
  /** All fields of the event that it looks at. */
  readonly reads: readonly string[]
}

/** For what cannot be read: an issue says why. */
export const NEVER: Selection = { cost: 0, test: () => false, needs: [], reads: [] }

/**
 * Compiles Sigma's `condition`: names, `and`, `or`, `not`, parentheses, `1 of x*`, `all of x*`, `1 of them`,
 * `all of them`. Pipes (the aggregations that correlations replaced) are refused.
 */
export function compileCondition(
  text: string,
  selections: ReadonlyMap<string, Selection>,
  place: string,
  issues: RuleIssues,
): Selection {
  const tokens = text.match(/\(|\)|[^\s()]+/g) ?? []
  if (text.includes('|')) {
    issues.add(place, 'aggregations after "|" are not understood', 'write a correlation rule')
    return NEVER
  }
  const reader = new ConditionReader(tokens, selections, place, issues)
  const compiled = reader.or()
  if (!reader.isDone) issues.add(place, `"${reader.rest}" is left over`)
  return compiled
}

class ConditionReader {
  readonly #tokens: readonly string[]
  readonly #selections: ReadonlyMap<string, Selection>
  readonly #place: string
  readonly #issues: RuleIssues
  #at = 0
  #depth = 0

  constructor(
    tokens: readonly string[],
    selections: ReadonlyMap<string, Selection>,
    place: string,
    issues: RuleIssues,
  ) {
    this.#tokens = tokens
    this.#selections = selections
    this.#place = place
    this.#issues = issues
  }

  get isDone(): boolean {
    return this.#at >= this.#tokens.length
  }

  get rest(): string {
    return this.#tokens.slice(this.#at).join(' ').slice(0, 60)
  }

  or(): Selection {
    const parts = [this.#and()]
    while (this.#takeWord('or')) parts.push(this.#and())
    return join(parts, 'some')
  }

  #and(): Selection {
    const parts = [this.#not()]
    while (this.#takeWord('and')) parts.push(this.#not())
    return join(parts, 'every')
  }

  #not(): Selection {
    if (!this.#takeWord('not')) return this.#primary()
    const inner = this.#not()
    return {
      cost: inner.cost,
      test: event => !inner.test(event),
      needs: needsOfNot(inner.needs, inner.isWhole === true),
      reads: inner.reads,
    }
  }

  #primary(): Selection {
    const token = this.#tokens[this.#at++]
    if (token === undefined) return this.#refuse('the condition ends too early')
    if (token === '(') {
      if (++this.#depth > 50) return this.#refuse('is nested too deeply')
      const inner = this.or()
      if (this.#tokens[this.#at++] !== ')') return this.#refuse('a ")" is missing')
      this.#depth--
      return inner
    }
    if (this.#tokens[this.#at]?.toLowerCase() === 'of') return this.#quantified(token)
    return this.#selections.get(token) ?? this.#refuse(`"${token}" is not defined in the detection`)
  }

  #quantified(quantity: string): Selection {
    this.#at++
    const pattern = this.#tokens[this.#at++] ?? ''
    const isAll = quantity.toLowerCase() === 'all'
    if (!isAll && quantity !== '1' && quantity.toLowerCase() !== 'any')
      return this.#refuse(`"${quantity} of" is not understood; only 1, any and all are`)
    const names = [...this.#selections.keys()].filter(name => matchesName(name, pattern))
    if (names.length === 0) return this.#refuse(`no part of the detection is named "${pattern}"`)
    return join(
      names.map(name => this.#selections.get(name) ?? NEVER),
      isAll ? 'every' : 'some',
    )
  }

  #takeWord(word: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== word) return false
    this.#at++
    return true
  }

  #refuse(problem: string): Selection {
    this.#issues.add(this.#place, problem)
    this.#at = this.#tokens.length
    return NEVER
  }
}

/** `them` is everything whose name does not begin with `_`. */
function matchesName(name: string, pattern: string): boolean {
  if (pattern === 'them') return !name.startsWith('_')
  const parts = pattern.split('*')
  if (parts.length === 1) return name === pattern
  let at = 0
  for (const [index, part] of parts.entries()) {
    const found = index === 0 ? (name.startsWith(part) ? 0 : -1) : name.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return pattern.endsWith('*') || name.endsWith(parts.at(-1) ?? '')
}

/** Cheap parts first: most events are told apart by a status or a method. */
export function join(parts: readonly Selection[], how: 'every' | 'some'): Selection {
  const [only] = parts
  if (only !== undefined && parts.length === 1) return only
  const ordered = [...parts].sort((a, b) => a.cost - b.cost)
  const needs = (how === 'every' ? needsOfAll : needsOfAny)(parts.map(part => part.needs))
  const cost = parts.reduce((sum, part) => sum + part.cost, 0)
  const reads = [...new Set(parts.flatMap(part => part.reads))]
  const [first, second] = ordered
  if (first !== undefined && second !== undefined && ordered.length === 2) {
    return how === 'every'
      ? { cost, needs, reads, test: event => first.test(event) && second.test(event) }
      : { cost, needs, reads, test: event => first.test(event) || second.test(event) }
  }
  const tests = ordered.map(part => part.test)
  return how === 'every'
    ? { cost, needs, reads, test: event => tests.every(test => test(event)) }
    : { cost, needs, reads, test: event => tests.some(test => test(event)) }
}
