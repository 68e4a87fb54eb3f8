import { ExpressionReader, type RequiredOfText } from '../rule/required-text.ts'
import type { Rule } from '../rule/rule.ts'
import type { Parts } from '../rule/searched-parts.ts'
import { bitsOf } from '../value/bits.ts'
import type { Features } from '../value/features.ts'
import { RuleGates } from './rule-gates.ts'
import { SignFilter, tellingSets } from './sign-filter.ts'
import { mostTelling, TextFilter } from './text-filter.ts'

const NOTHING: RequiredOfText = { requires: undefined, least: 0, signs: undefined }
/** From this length on, less one, every rule fits. */
const MEASURED = 65
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
/** What stands before the rules of a scan that is remembered: its masks, the length, how many rules. */
const KEYS = 5
/** Scans whose rules are remembered. */
const SLOTS = 512

/**
 * The rules that could hit a text, found in steps, each of which costs more and is taken where it is likely
 * to leave fewer: by the kinds of characters and words in it, its length, the characters that each rule
 * needs, and the texts that each requires. What is found holds for every part of the text too.
 */
export class RuleCandidates {
  /** The rules that the last text left, as rows of bits. */
  readonly rows: Int32Array
  readonly #gates: RuleGates
  readonly #signs: SignFilter
  readonly #filter: TextFilter
  /** By the length of a short text, the rules that can hit one so short. */
  readonly #fitting: readonly Int32Array[]
  /** What the rows are about: asked for twice in a row where a value is looked at. */
  #text: string | undefined
  #chars = 0
  #words = 0
  #within: Int32Array | undefined
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
    this.#fitting = Array.from({ length: MEASURED }, (_, length) => fitting(required, length))
    this.#known = new Int32Array(SLOTS * (KEYS + this.rows.length))
  }

  /**
   * Finds the rules that could hit a text.
   * @param plain the text, in lower case where it is not of ASCII alone
   * @param features what a scan of the text saw
   * @param within the rules that are asked for
   * @returns whether there are any
   */
  open(text: string, plain: string, features: Readonly<Features>, within: Int32Array): boolean {
    const { chars, words, holds } = features
    if (this.#text === text && this.#chars === chars && this.#words === words && this.#within === within) {
      // What is kept would hold on to the request that it was cut from.
      this.#text = undefined
      return this.#isAny
    }
    this.#text = text.length < LONG ? text : undefined
    this.#chars = chars
    this.#words = words
    this.#within = within
    this.#isFiltered = false
    let left =
      text.length < LONG
        ? this.#metBy(Math.min(text.length, MEASURED - 1), chars, words, holds, within)
        : this.#gated(MEASURED - 1, chars, words, within)
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
    const filtered = this.#isFiltered ? undefined : this.#filter.read(plain, plain.length >= LONG)
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

  /** The rules for a short text with these features. @returns how many there are */
  #metBy(length: number, chars: number, words: number, holds: number, within: Int32Array): number {
    const { rows } = this
    const known = this.#known
    const mixed = Math.imul(
      chars ^ Math.imul(words, 0x9e3779b1) ^ Math.imul(holds ^ length, 0x85ebca6b),
      0x2c1b3c6d,
    )
    const slot = (mixed >>> 16) & (SLOTS - 1)
    const at = slot * (KEYS + rows.length)
    if (
      known[at] === chars &&
      known[at + 1] === words &&
      known[at + 2] === holds &&
      known[at + 3] === length &&
      this.#knownWithin[slot] === within
    ) {
      for (let row = 0; row < rows.length; row++) rows[row] = known[at + KEYS + row] as number
      return known[at + 4] as number
    }
    let left = this.#gated(length, chars, words, within)
    if (left > 0) left = this.#keepMet(chars, holds)
    known[at] = chars
    known[at + 1] = words
    known[at + 2] = holds
    known[at + 3] = length
    known[at + 4] = left
    this.#knownWithin[slot] = within
    for (let row = 0; row < rows.length; row++) known[at + KEYS + row] = rows[row] as number
    return left
  }

  /** @param length no more than is measured */
  #gated(length: number, chars: number, words: number, within: Int32Array): number {
    const { rows } = this
    const opened = this.#gates.openedBy(chars, words)
    const fit = this.#fitting[length] as Int32Array
    let left = 0
    for (let row = 0; row < rows.length; row++) {
      const open = (opened[row] as number) & (within[row] as number) & (fit[row] as number)
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
    requires: required.requires?.map(alternative => [mostTelling(alternative)]),
    least: required.least,
    signs: (own ?? required.signs)?.map(each => ({ all: each.all, some: tellingSets(each) })),
  }
}

function fitting(required: readonly RequiredOfText[], length: number): Int32Array {
  const set = new Int32Array(Math.ceil(required.length / 32))
  required.forEach(({ least }, index) => {
    if (least <= length) set[index >> 5] = (set[index >> 5] as number) | (1 << (index & 31))
  })
  return set
}
