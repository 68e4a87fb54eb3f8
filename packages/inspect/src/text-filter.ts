import { CharacterCodes } from './character-codes.ts'
import type { OneOf, Requirement } from './required-text.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const copied = new CharacterCodes()
const PLACES = 1 << 15

/** A required text, and the rules that it lets through, as a set of bits. */
interface RequiredText {
  readonly codes: Uint16Array
  /** Characters of it up to the last of those that are looked up. */
  readonly reach: number
  readonly rows: Int32Array
  /** Where it is not looked for again: the number of the last text in which it stood. */
  foundIn: number
}

/**
 * Tells of a text which rules could match it at all, in one pass over it: three characters of each required
 * text (or two, where it has no more) lead to it through a table, and where it stands the rules that require
 * it are let through. So a text is searched only by the few expressions whose words stand in it, and the
 * others cost nothing. Sometimes lets a rule through without need, never keeps one back that would match.
 */
export class TextFilter {
  /** By three characters, the first of the texts that are led to by them, and of each the next; -1: none. */
  readonly #first: Int16Array = new Int16Array(PLACES).fill(-1)
  readonly #next: number[] = []
  readonly #required: RequiredText[] = []
  /** Which places lead to any: small enough to stay close to the processor. */
  readonly #bits: Uint8Array = new Uint8Array(PLACES >> 3)
  /** The rules that require nothing. */
  readonly free: Int32Array
  readonly #rows: Int32Array
  #generation = 0

  /** @param requirements of each rule, as `requiredText` reads them from its expression */
  constructor(requirements: readonly (readonly Requirement[] | undefined)[]) {
    const width = Math.ceil(requirements.length / 32)
    this.#rows = new Int32Array(width)
    this.free = new Int32Array(width)
    const texts = new Map<string, Int32Array>()
    requirements.forEach((alternatives, index) => {
      const bit = 1 << (index & 31)
      const row = index >> 5
      if (alternatives === undefined) this.free[row] = (this.free[row] as number) | bit
      for (const text of alternatives?.flatMap(mostTelling) ?? []) {
        const rows = texts.get(text) ?? new Int32Array(width)
        rows[row] = (rows[row] as number) | bit
        texts.set(text, rows)
      }
    })
    for (const [text, rows] of texts) this.#add(text, rows)
  }

  /**
   * Passes over a text; whether its ASCII letters are small or capital does not matter.
   * @returns the rules that may match it, as a set of bits; valid until the next call
   */
  read(text: string): Int32Array {
    const { length } = text
    const codes = copied.copy(text, 0, length)
    const bits = this.#bits
    const rows = this.#rows
    this.#generation++
    // A call of native code takes longer than a few numbers.
    for (let row = 0; row < rows.length; row++) rows[row] = this.free[row] as number
    let first = 0
    let second = 0
    for (let at = 0; at < length; at++) {
      const third = (codes[at] as number) | 32
      const place = placeOf(first, second, third)
      if (((bits[place >> 3] as number) & (1 << (place & 7))) !== 0)
        for (let list = this.#first[place] as number; list >= 0; list = this.#next[list] as number)
          this.#meet(this.#required[list] as RequiredText, codes, at + 1, length)
      first = second
      second = third
    }
    return rows
  }

  /** Looks whether a text stands where three characters of it may have been seen. */
  #meet(required: RequiredText, codes: Uint16Array, end: number, length: number): void {
    if (
      required.foundIn === this.#generation ||
      !standsAt(required.codes, codes, end - required.reach, length)
    )
      return
    required.foundIn = this.#generation
    const rows = this.#rows
    for (let row = 0; row < rows.length; row++)
      rows[row] = (rows[row] as number) | (required.rows[row] as number)
  }

  #add(text: string, rows: Int32Array): void {
    const code = (at: number): number => charCodeAt.call(text, at) | 32
    const codes = Uint16Array.from(text, character => charCodeAt.call(character, 0))
    if (text.length > 2) {
      const start = rarestTriple(text)
      const place = placeOf(code(start), code(start + 1), code(start + 2))
      this.#put(place, { codes, reach: start + 3, rows, foundIn: 0 })
      return
    }
    // Whatever stands before the two: only five bits of it count.
    const required = { codes, reach: 2, rows, foundIn: 0 }
    for (let before = 0; before < 32; before++) this.#put(placeOf(before, code(0), code(1)), required)
  }

  #put(place: number, required: RequiredText): void {
    this.#bits[place >> 3] = (this.#bits[place >> 3] as number) | (1 << (place & 7))
    this.#next.push(this.#first[place] as number)
    this.#first[place] = this.#required.push(required) - 1
  }
}

/** The small letter of a capital one of ASCII; every other code as it is. */
function lowered(code: number): number {
  return code >= 65 && code <= 90 ? code | 32 : code
}

function standsAt(required: Uint16Array, codes: Uint16Array, from: number, length: number): boolean {
  if (from < 0 || from + required.length > length) return false
  for (let i = 0; i < required.length; i++)
    if (lowered(codes[from + i] as number) !== required[i]) return false
  return true
}

/** A place in the table for three characters, of which the first counts by its last five bits. */
function placeOf(first: number, second: number, third: number): number {
  return ((first << 10) ^ (second << 5) ^ third) & (PLACES - 1)
}

/** Of several lists the one whose texts are met least: that of which the shortest text is longest. */
function mostTelling(lists: Requirement): OneOf {
  const weight = (list: OneOf): number => Math.min(...list.map(text => text.length)) * 64 - list.length
  return lists.toSorted((a, b) => weight(b) - weight(a))[0] ?? []
}

/** Letters of English, the most frequent first. */
const FREQUENT = ' etaoinsrhldcumfpgwybvkxjqz'

/** Where in a text three characters begin that are rare together. */
function rarestTriple(text: string): number {
  let rarest = 0
  let least = Number.POSITIVE_INFINITY
  for (let start = 0; start + 3 <= text.length; start++) {
    let weight = 0
    for (const character of text.slice(start, start + 3)) {
      const rank = FREQUENT.indexOf(character)
      weight += rank < 0 ? 0 : FREQUENT.length - rank
    }
    if (weight >= least) continue
    least = weight
    rarest = start
  }
  return rarest
}
