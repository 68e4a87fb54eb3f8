import { mostTelling } from '../rule/required-list.ts'
import { ExpressionReader, type RequiredOfText } from '../rule/required-text.ts'
import type { Rule } from '../rule/rule.ts'
import type { Parts } from '../rule/searched-parts.ts'
import { bitsOf } from '../value/bits.ts'
import type { Features } from '../value/features.ts'
import { FittingRules, MEASURED } from './fitting-rules.ts'
import { RuleGates } from './rule-gates.ts'
import { SignFilter, tellingSets } from './sign-filter.ts'
import { TextFilter } from './text-filter.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const NOTHING: RequiredOfText = { requires: undefined, least: 0, signs: undefined }
/**
 * A text of this length or more mostly holds every kind of character: which rules it leaves is not
 * remembered, but where in it what they require stands, and each of them is counted.
 */
export const LONG = 1_024
/**
 * Of shorter texts, so many rules are left without asking for the texts that they require, unless each
 * requires one: then it is likely that none is left, and that nobody need look at the text.
 */
const SHORT = 256
const FEW = 8
/** What stands before the rules of a scan that is remembered: see `#metBy`. */
const KEYS = 6
/** Scans whose rules are remembered. */
const SLOTS = 512
/** Instead of the first character, for a text whose parts may be looked at. */
const IN_PARTS = -1

/**
 * The rules that could hit a text, found in steps, each of which costs more and is taken where it is likely
 * to leave fewer: by the kinds of characters and words in it, its length, the characters that each rule
 * needs, and the texts that each requires. What is found holds for every part of the text too, unless it is
 * asked for the text as a whole.
 */
export class RuleCandidates {
  /** The rules that the last text left, as rows of bits. */
  readonly rows: Int32Array
  readonly #gates: RuleGates
  readonly #signs: SignFilter
  readonly #filter: TextFilter
  readonly #fitting: FittingRules
  /** What the rows are about: asked for twice in a row where a value is looked at. */
  #text: string | undefined
  #chars = 0
  #words = 0
  #within: Int32Array | undefined
  #isWhole = false
  #isFiltered = false
  #isAny = false
  /**
   * What scans of short texts left, in a table of fixed size: the names and values of documents are mostly
   * of the same kinds. It holds masks and no text.
   */
  readonly #known: Int32Array
  readonly #knownWithin: (Int32Array | undefined)[] = new Array<Int32Array | undefined>(SLOTS)

  /** @param known what is known already of the first of the rules */
  constructor(rules: readonly Rule[], known: readonly RequiredOfText[] = []) {
    this.rows = new Int32Array(Math.ceil(rules.length / 32))
    this.#gates = new RuleGates(rules)
    const reader = new ExpressionReader()
    const required = rules.map((rule, index) => known[index] ?? requiredBy(rule, reader))
    this.#signs = new SignFilter(required.map(({ signs }) => signs))
    this.#filter = new TextFilter(required.map(({ requires }) => requires))
    this.#fitting = new FittingRules(required)
    this.#known = new Int32Array(SLOTS * (KEYS + this.rows.length))
  }

  /**
   * Finds the rules that could hit a text.
   * @param plain the text, in lower case where it is not of ASCII alone
   * @param features what a scan of the text saw
   * @param within the rules that are asked for
   * @param isWhole whether the text stands for itself, from the start of a value to its end, and no part of
   * it is going to be looked at. It has 256 characters at most
   * @returns whether there are any
   */
  open(
    text: string,
    plain: string,
    features: Readonly<Features>,
    within: Int32Array,
    isWhole = false,
  ): boolean {
    const { chars, words, holds } = features
    if (
      this.#text === text &&
      this.#chars === chars &&
      this.#words === words &&
      this.#within === within &&
      this.#isWhole === isWhole
    ) {
      // What is kept would hold on to the request that it was cut from.
      this.#text = undefined
      return this.#isAny
    }
    this.#text = text.length < LONG ? text : undefined
    this.#chars = chars
    this.#words = words
    this.#within = within
    this.#isWhole = isWhole
    this.#isFiltered = false
    const first = isWhole && text !== '' ? charCodeAt.call(text, 0) : IN_PARTS
    const measured = isWhole || text.length < MEASURED ? text.length : MEASURED
    let left =
      text.length < LONG
        ? this.#metBy(measured, first, chars, words, holds, within)
        : this.#gated(measured, first, chars, words, within)
    if (left > 0 && (left > FEW || text.length >= SHORT || !this.holdsSome(this.#filter.free)))
      left = this.filter(plain)
    this.#isAny = left > 0
    return this.#isAny
  }

  /** Whether any of these rules is among those that were found. */
  holdsSome(rules: Int32Array): boolean {
    for (let row = 0; row < this.rows.length; row++)
      if (((this.rows[row] as number) & (rules[row] as number)) !== 0) return true
    return false
  }

  /** Takes the last step, if it was not taken. @returns how many rules are left */
  filter(plain: string): number {
    const { rows } = this
    const filtered = this.#isFiltered
      ? undefined
      : this.#filter.read(plain, plain.length >= LONG, this.#isWhole)
    this.#isFiltered = true
    let left = 0
    for (let row = 0; row < rows.length; row++) {
      if (filtered !== undefined) rows[row] = (rows[row] as number) & (filtered[row] as number)
      left += bitsOf(rows[row] as number)
    }
    return left
  }

  /** Where in the last text a rule need be searched, if that is less than all of it. */
  locate(rule: number, parts: Parts): boolean {
    return this.#isFiltered && this.#filter.locate(rule, parts)
  }

  /**
   * The rules for a short text with these features.
   * @param first the code of its first character, if it is asked for as a whole; `IN_PARTS`
   * @returns how many there are
   */
  #metBy(
    length: number,
    first: number,
    chars: number,
    words: number,
    holds: number,
    within: Int32Array,
  ): number {
    const { rows } = this
    const known = this.#known
    const mixed = Math.imul(
      chars ^ Math.imul(words, 0x9e3779b1) ^ Math.imul(holds ^ length ^ (first << 16), 0x85ebca6b),
      0x2c1b3c6d,
    )
    const slot = (mixed >>> 16) & (SLOTS - 1)
    const at = slot * (KEYS + rows.length)
    if (
      known[at] === chars &&
      known[at + 1] === words &&
      known[at + 2] === holds &&
      known[at + 3] === length &&
      known[at + 4] === first &&
      this.#knownWithin[slot] === within
    ) {
      for (let row = 0; row < rows.length; row++) rows[row] = known[at + KEYS + row] as number
      return known[at + 5] as number
    }
    let left = this.#gated(length, first, chars, words, within)
    if (left > 0) left = this.#keepMet(chars, holds)
    known[at] = chars
    known[at + 1] = words
    known[at + 2] = holds
    known[at + 3] = length
    known[at + 4] = first
    known[at + 5] = left
    this.#knownWithin[slot] = within
    for (let row = 0; row < rows.length; row++) known[at + KEYS + row] = rows[row] as number
    return left
  }

  #gated(length: number, first: number, chars: number, words: number, within: Int32Array): number {
    const { rows } = this
    const opened = this.#gates.openedBy(chars, words)
    const isWhole = first !== IN_PARTS
    const fit = isWhole ? this.#fitting.whole(length) : this.#fitting.inParts(length)
    const begun = isWhole ? this.#fitting.beginning(first) : fit
    let left = 0
    for (let row = 0; row < rows.length; row++) {
      const open =
        (opened[row] as number) & (within[row] as number) & (fit[row] as number) & (begun[row] as number)
      rows[row] = open
      left += bitsOf(open)
    }
    return left
  }

  #keepMet(chars: number, holds: number): number {
    const { rows } = this
    this.#signs.keepMet(rows, chars, holds)
    let left = 0
    for (let row = 0; row < rows.length; row++) left += bitsOf(rows[row] as number)
    return left
  }
}

/** What a text must hold for a rule to hit it, as far as the filters ask for it. */
export function requiredBy({ needs, signs: own }: Rule, reader: ExpressionReader): RequiredOfText {
  const required = needs === undefined ? NOTHING : reader.read(needs.map(({ source }) => source).join('|'))
  return {
    ...required,
    requires: required.requires?.map(alternative => {
      const best = mostTelling(alternative)
      return best === undefined ? [] : [best]
    }),
    signs: (own ?? required.signs)?.map(each => ({ all: each.all, some: tellingSets(each) })),
  }
}
