import type { Reading } from '../value/reading.ts'
import type { Family } from './family.ts'
import type { RequiredSigns } from './required-signs.ts'
import { PartSearch, type Parts } from './searched-parts.ts'

/** Where in a reading a rule hit: half-open. */
export interface Span {
  readonly start: number
  readonly end: number
  /** Overrides the rule's id: a lexer tells several shapes apart. */
  readonly id?: string
  /** Overrides the rule's score: a lexer may be surer of one shape than of another. */
  readonly score?: number
  /** Overrides the rule's `bare`. */
  readonly bare?: boolean
}

/** One pattern of attack. */
export interface Rule {
  /** Family first: `xss/script-element`. */
  readonly id: string
  readonly family: Family
  /** 1 (odd) to 10 (certain). Five refuses at level 1. */
  readonly score: number
  /**
   * People quote it: the rule loses points in a long document at a body parameter about which nothing is
   * known (`value-setting.ts`), and
   * nowhere else. Nothing that the text says of itself (a fence, a sentence, code around it) takes points
   * away.
   */
  readonly quotable: boolean
  /** Runs when the reading has one of these `CHAR`s (0: whatever it has) ... */
  readonly chars: number
  /**
   * ... and one of these `WORD`s (0: whatever it has). At least one of both masks is not 0, but for rules
   * about file names and rules from elsewhere.
   */
  readonly words: number
  /**
   * The whole value is the attack and breaks out of nothing: a path, a call, a query, a class name. Values
   * of a JSON body, where anything is data, lose
   * a point for it (`weigh.ts`). Default false.
   */
  readonly bare?: boolean
  /** Only in these places; `body` includes `form`. Default: everywhere. */
  readonly places?: readonly Reading['place'][]
  /** Only hits a reading that starts where its value starts. Default false. */
  readonly atStart?: boolean
  /**
   * Hits wherever it stands, so that lines and quoted parts need not be read by themselves. Default false.
   */
  readonly isAnywhere?: boolean
  /**
   * Expressions one of which matches every text that the rule hits, in lower case: a text that lacks what
   * they all require is not shown to the rule. Default: every text is.
   */
  readonly needs?: readonly RegExp[]
  /** The kinds of characters that such a text holds, where `needs` does not say it. */
  readonly signs?: readonly RequiredSigns[]
  /** Whether it would hit the same text in a place at which it looks. Default: nobody knows. */
  wouldHit?(reading: Reading): boolean
  /**
   * The first place where the rule hits. Linear in the length of the reading.
   * @param parts of a long reading, where what the rule requires begins, if that is known
   */
  find(reading: Reading, parts?: Readonly<Parts>): Span | undefined
  /** Values it must find. Not exhaustive: the mechanics are in `find`, these pin them. */
  readonly attacks: readonly string[]
  /** Values it must leave alone, nearest neighbours first. */
  readonly benign: readonly string[]
}

export interface PatternOptions {
  readonly score: number
  /** Default false. */
  readonly quotable?: boolean
  /** Default false. */
  readonly bare?: boolean
  readonly chars?: number
  readonly words?: number
  /** Only in these places; `body` includes `form`. Default: everywhere. */
  readonly places?: readonly Reading['place'][]
  /** Not where the parameter's name says that the value is of such a kind. */
  readonly unlessNamed?: RegExp
  /** Match the sender's case instead of lower case. Default false. */
  readonly exactCase?: boolean
  /** The pattern only makes sense at the start of a value. Default false. */
  readonly atStart?: boolean
  readonly attacks: readonly string[]
  readonly benign?: readonly string[]
}

/**
 * A rule from one expression, matched against the reading in lower case. The expression must be
 * linear-time: every quantifier is
 * bounded, none is nested in another unbounded one (`test/expressions.test.ts` checks each).
 */
export function pattern(id: string, expression: RegExp, options: PatternOptions): PatternRule {
  const family = id.slice(0, id.indexOf('/')) as Family
  const places = options.places
  const exact = options.exactCase === true
  const atStart = options.atStart === true
  const unless = options.unlessNamed
  const search = new PartSearch(expression)
  return {
    id,
    family,
    expression,
    score: options.score,
    quotable: options.quotable ?? false,
    bare: options.bare ?? false,
    chars: options.chars ?? 0,
    words: options.words ?? 0,
    attacks: options.attacks,
    benign: options.benign ?? [],
    ...(places !== undefined && { places }),
    needs: [expression],
    atStart,
    isAnywhere: !ANCHOR.test(expression.source),
    wouldHit: reading =>
      (!atStart || reading.fromStart) && search.first(exact ? reading.text : reading.lower) !== null,
    find(reading: Reading, parts?: Readonly<Parts>): Span | undefined {
      if (places !== undefined && !places.includes(reading.standsIn)) {
        if (reading.standsIn !== 'form' || !places.includes('body')) return undefined
      }
      if (atStart && !reading.fromStart) return undefined
      const found = search.first(exact ? reading.text : reading.lower, parts)
      // Asked for the name last: in most texts nothing is found, whatever they stand under.
      if (found === null || unless?.test(reading.name) === true) return undefined
      return { start: found.index, end: found.index + found[0].length }
    },
  }
}

/**
 * Start and end of a text, in an expression; a class that excludes characters counts as one, which costs a
 * look and nothing else.
 */
const ANCHOR = /\^|(?<!\\)\$/

/** A rule that is one expression; the expression is kept for the linearity test. */
export interface PatternRule extends Rule {
  readonly expression: RegExp
}
