import { NO_SIGNS, type RequiredSigns, type SignSet, signsOfEither } from '../rule/required-signs.ts'
import { rowsByBit, sizeByBit } from './rows-by-bit.ts'

const VALUES = 256

/**
 * Tells of a short text which rules could match it at all, by the kinds of characters that each of them
 * needs: in a text of a few characters most of what an expression needs is missing. Sometimes lets a rule
 * through without need, never keeps one back that would match.
 *
 * Two tables answer for 32 rules at once: by each byte of what the text holds, the rules all of whose needed
 * kinds stand there, and those of which it has one of the set that says most. Only what they leave, and only
 * where a rule needs more than that, is asked for one by one.
 */
export class SignFilter {
  readonly #width: number
  /** By byte of the masks and its value, the rules that need nothing else of that byte. */
  readonly #all: Int32Array
  /** By byte and value, the rules of whose first set one kind is among these. */
  readonly #some: Int32Array
  /** The rules that need more than the tables say. */
  readonly #more: Int32Array
  /**
   * Needs of these in a row: the masks of what is needed, how many sets one is needed of, and these; of a
   * rule with several alternatives, each of them.
   */
  readonly #needs: Int32Array
  /** Where those of each rule begin; one more, for where the last ends. */
  readonly #starts: Int32Array

  /** @param needs of each rule, one for each of its alternatives */
  constructor(needs: readonly (readonly RequiredSigns[] | undefined)[]) {
    this.#width = Math.ceil(needs.length / 32)
    this.#more = new Int32Array(this.#width)
    this.#starts = new Int32Array(needs.length + 1)
    const all: SignSet[] = []
    const some: SignSet[] = []
    const rows: number[] = []
    /** The rules without such a set: every value of one byte lets them through. */
    const free = new Int32Array(this.#width)
    needs.forEach((alternatives, rule) => {
      const shared = sharedBy(alternatives)
      const sets = tellingSets(shared)
      const [set] = sets
      all.push(shared.all)
      some.push(set ?? NO_SIGNS.all)
      if (set === undefined) free[rule >> 5] = (free[rule >> 5] as number) | (1 << (rule & 31))
      if (alternatives !== undefined && (alternatives.length > 1 || sets.length > 1)) {
        this.#more[rule >> 5] = (this.#more[rule >> 5] as number) | (1 << (rule & 31))
        for (const each of alternatives) compile(each, rows)
      }
      this.#starts[rule + 1] = rows.length
    })
    this.#needs = Int32Array.from(rows)
    this.#all = lackingNothing(signTable(all), this.#width)
    this.#some = signTable(some)
    for (let at = 0; at < VALUES * this.#width; at++)
      this.#some[at] = (this.#some[at] as number) | (free[at % this.#width] as number)
  }

  /**
   * Takes out of rows of rules those that cannot match a text.
   * @param chars of the text, as scanned
   * @param holds of the text, as scanned
   */
  keepMet(rows: Int32Array, chars: number, holds: number): void {
    const width = this.#width
    const all = this.#all
    const some = this.#some
    const c0 = (chars & 255) * width
    const c1 = (256 + ((chars >>> 8) & 255)) * width
    const c2 = (512 + ((chars >>> 16) & 255)) * width
    const c3 = (768 + (chars >>> 24)) * width
    const h0 = (1_024 + (holds & 255)) * width
    const h1 = (1_280 + ((holds >>> 8) & 255)) * width
    const h2 = (1_536 + ((holds >>> 16) & 255)) * width
    const h3 = (1_792 + (holds >>> 24)) * width
    for (let row = 0; row < width; row++) {
      let left = rows[row] as number
      if (left === 0) continue
      left &= (all[c0 + row] as number) & (all[c1 + row] as number)
      left &= (all[c2 + row] as number) & (all[c3 + row] as number)
      left &= (all[h0 + row] as number) & (all[h1 + row] as number)
      left &= (all[h2 + row] as number) & (all[h3 + row] as number)
      if (left !== 0)
        left &=
          (some[c0 + row] as number) |
          (some[c1 + row] as number) |
          (some[c2 + row] as number) |
          (some[c3 + row] as number) |
          (some[h0 + row] as number) |
          (some[h1 + row] as number) |
          (some[h2 + row] as number) |
          (some[h3 + row] as number)
      for (let open = left & (this.#more[row] as number); open !== 0; open &= open - 1) {
        const lowest = open & -open
        if (!this.#isMet((row << 5) + 31 - Math.clz32(lowest), chars, holds)) left ^= lowest
      }
      rows[row] = left
    }
  }

  #isMet(rule: number, chars: number, holds: number): boolean {
    const needs = this.#needs
    const end = this.#starts[rule + 1] as number
    for (let at = this.#starts[rule] as number; at < end; at += 3 + 2 * (needs[at + 2] as number))
      if (isHeld(needs, at, chars, holds)) return true
    return false
  }
}

/** Whether a text holds what is needed at one place of a row. */
function isHeld(needs: Int32Array, at: number, chars: number, holds: number): boolean {
  if (((needs[at] as number) & ~chars) !== 0 || ((needs[at + 1] as number) & ~holds) !== 0) return false
  const end = at + 3 + 2 * (needs[at + 2] as number)
  for (let set = at + 3; set < end; set += 2)
    if (((needs[set] as number) & chars) === 0 && ((needs[set + 1] as number) & holds) === 0) return false
  return true
}

/** What all alternatives of a rule need. */
function sharedBy(needs: readonly RequiredSigns[] | undefined): RequiredSigns {
  return needs === undefined || needs.includes(NO_SIGNS) ? NO_SIGNS : signsOfEither(needs)
}

/** By byte and value, the rules of whose set one kind is among these. */
function signTable(sets: readonly SignSet[]): Int32Array {
  const size = sizeByBit(Math.ceil(sets.length / 32))
  const table = new Int32Array(2 * size)
  rowsByBit(
    sets.map(({ chars }) => chars),
    table.subarray(0, size),
  )
  rowsByBit(
    sets.map(({ holds }) => holds),
    table.subarray(size),
  )
  return table
}

/** By byte and value, the rules that need none of the kinds that are not there. */
function lackingNothing(needed: Int32Array, width: number): Int32Array {
  const table = new Int32Array(needed.length)
  for (let at = 0; at < needed.length; at += width) {
    const absent = ((at / width) ^ (VALUES - 1)) * width
    for (let row = 0; row < width; row++) table[at + row] = ~(needed[absent + row] as number)
  }
  return table
}

function compile(needs: RequiredSigns, rows: number[]): void {
  const { all } = needs
  const sets = tellingSets(needs)
  rows.push(all.chars, all.holds, sets.length)
  for (const { chars, holds } of sets) rows.push(chars, holds)
}

/** The sets that say what neither the kinds that are all needed nor the sets before them say. */
export function tellingSets(needs: RequiredSigns): readonly SignSet[] {
  const { some } = needs
  let telling: SignSet[] | undefined
  for (let at = 0; at < some.length; at++) {
    if (isTelling(needs, at)) telling?.push(some[at] as SignSet)
    else telling ??= some.slice(0, at)
  }
  // Those that the build has read all tell something.
  return telling ?? some
}

function isTelling({ all, some }: RequiredSigns, at: number): boolean {
  const set = some[at] as SignSet
  if ((set.chars & all.chars) !== 0 || (set.holds & all.holds) !== 0) return false
  for (let before = 0; before < at; before++) {
    const { chars, holds } = some[before] as SignSet
    if ((chars & ~set.chars) === 0 && (holds & ~set.holds) === 0) return false
  }
  return true
}
