import { type Requirement, WORD_END, withoutEnds } from '../rule/required-list.ts'
import { type Parts, shiftOf } from '../rule/searched-parts.ts'
import { CharacterCodes } from '../value/character-codes.ts'
import { requiredTexts } from './required-texts.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const copied = new CharacterCodes()
const PLACES = 1 << 16
/** Numbers of an entry. */
const ENTRY = 3
/** Numbers of one of the rows that a text lets through. */
const LET = 4
const NOT_LOCATED = -1
/** So many characters are passed over at a time. */
const STRETCH = 256

/**
 * Tells of a text which rules could match it at all, in one pass over it: three characters of each required
 * text (or two, where it has no more) lead to it through a table, and where it stands the rules that require
 * it are let through. So a text is searched only by the few expressions whose words stand in it, and the
 * others cost nothing. Sometimes lets a rule through without need, never keeps one back that would match.
 *
 * All that is known of the texts stands in a few arrays of numbers: an object for each of two thousand is
 * seldom close to the processor when it is asked for.
 */
export class TextFilter {
  /** Which places lead to any text: small enough to stay close to the processor. */
  readonly #bits: Uint8Array = new Uint8Array(PLACES >> 3)
  /** By place, the number of the last of the entries that it leads to, and one more; 0: none. */
  readonly #first: Uint16Array | Int32Array
  /** Of each entry the number of its text, where the next of its place begins, and what `apartAt` says. */
  readonly #entries: Int32Array
  /** Of each text, where its characters begin in `#codes`, and of one more where the last ends. */
  readonly #starts: Int32Array
  readonly #codes: Uint16Array
  /** Of each text, how many of its characters stand up to the last of those that are looked up. */
  readonly #reach: Uint16Array
  /** Of each text, whether a word begins with it (1) and ends with it (2). */
  readonly #ends: Uint8Array
  /** Of each text, the number of the last reading in which it stood: there it is not looked for again. */
  readonly #foundIn: Int32Array
  /** Of each text, where the first of `#lets` begins. */
  readonly #firstLet: Int32Array
  /**
   * The rules that a text lets through: a row, what is set in it, how far from the start of what is read the
   * text may begin, and where the next begins; -1: none.
   */
  readonly #lets: Int32Array
  /** Of each text that stood in the last reading, where: as bits of `Parts`, if they were asked for. */
  readonly #parts: Int32Array
  /** Of each rule, where its texts begin in `#texts`, and of one more where the last ends. */
  readonly #firstText: Int32Array
  readonly #texts: Int32Array
  #shift = NOT_LOCATED
  #isWhole = false
  /** Of the stretch at hand, each place that leads to a text, and how many characters stand up to it. */
  readonly #met: Int32Array = new Int32Array(2 * STRETCH)
  /** The rules that require nothing. */
  readonly free: Int32Array
  readonly #rows: Int32Array
  #reading = 0

  /** @param requirements of each rule, as `requiredText` reads them from its expression */
  constructor(requirements: readonly (readonly Requirement[] | undefined)[]) {
    const width = Math.ceil(requirements.length / 32)
    this.#rows = new Int32Array(width)
    this.free = new Int32Array(width)
    const numbers = new Map<string, number>()
    const { texts, bounds, firstText } = requiredTexts(requirements, numbers)
    const keys = [...numbers.keys()]
    const all = keys.map(withoutEnds)
    this.#ends = Uint8Array.from(keys, endsOf)
    const starts = rarestTriples(all)
    let count = 0
    for (const text of all) count += text.length > 2 ? 1 : FOLDS
    this.#entries = new Int32Array(ENTRY * count)
    this.#first = count < PLACES ? new Uint16Array(PLACES) : new Int32Array(PLACES)
    this.#starts = new Int32Array(all.length + 1)
    const joined = all.join('')
    this.#codes = copied.copy(joined, 0, joined.length).slice(0, joined.length)
    this.#reach = new Uint16Array(all.length)
    this.#foundIn = new Int32Array(all.length)
    this.#parts = new Int32Array(all.length)
    this.#texts = Int32Array.from(texts)
    this.#firstText = firstText
    this.#lets = new Int32Array(LET * texts.length)
    this.#firstLet = new Int32Array(all.length).fill(-1)
    let free = 0
    requirements.forEach((requirement, rule) => {
      const row = rule >> 5
      const bit = 1 << (rule & 31)
      if (requirement === undefined) this.free[row] = (this.free[row] as number) | bit
      for (let at = firstText[rule] as number; at < (firstText[rule + 1] as number); at++)
        free = this.#allow(texts[at] as number, row, bit, bounds[at] as number, free)
    })
    let entry = 0
    all.forEach((text, index) => {
      this.#starts[index + 1] = (this.#starts[index] as number) + text.length
      this.#reach[index] = text.length > 2 ? (starts[index] as number) + 3 : 2
      const apart = apartAt(text, starts[index] as number)
      if (text.length > 2) entry = this.#lead(placeAt(text, starts[index] as number), index, apart, entry)
      else entry = this.#leadShort(text, index, apart, entry)
    })
  }

  /**
   * Passes over a text; whether its ASCII letters are small or capital does not matter.
   * @param isLocated whether `locate` is going to be asked
   * @param isWhole whether no part of it is going to be searched by itself
   * @returns the rules that may match it, as a set of bits; valid until the next call
   */
  read(text: string, isLocated = false, isWhole = false): Int32Array {
    const { length } = text
    this.#isWhole = isWhole
    this.#shift = isLocated ? shiftOf(length) : NOT_LOCATED
    const codes = copied.copy(text, 0, length)
    const bits = this.#bits
    const met = this.#met
    const rows = this.#rows
    this.#reading = (this.#reading + 1) | 0
    // A call of native code takes longer than a few numbers.
    for (let row = 0; row < rows.length; row++) rows[row] = this.free[row] as number
    let first = 0
    let second = 0
    // Two loops: with what is done at each place that leads to a text, this one would take twice as long.
    for (let from = 0; from < length; from += STRETCH) {
      const end = from + STRETCH < length ? from + STRETCH : length
      let count = 0
      for (let at = from; at < end; at++) {
        const third = foldOf(codes[at] as number)
        const place = placeOf(first, second, third)
        first = second
        second = third
        if (((bits[place >> 3] as number) & (1 << (place & 7))) === 0) continue
        met[count] = place
        met[count + 1] = at + 1
        count += 2
      }
      for (let i = 0; i < count; i += 2)
        this.#meetAll(codes, met[i] as number, met[i + 1] as number, length, isLocated)
    }
    return rows
  }

  /** @param behind see `#standsAt` */
  #meetAll(codes: Uint16Array, place: number, behind: number, length: number, isLocated: boolean): void {
    const entries = this.#entries
    const foundIn = this.#foundIn
    for (let link = this.#first[place] as number; link !== 0; ) {
      const entry = (link - 1) * ENTRY
      link = entries[entry + 1] as number
      // Most are told apart by one more character.
      const apart = entries[entry + 2] as number
      const beside = behind + (apart >> 16)
      if (beside < 0 || ((codes[beside] as number) | 32) !== (apart & 0xffff)) continue
      const text = entries[entry] as number
      if (!isLocated && foundIn[text] === this.#reading) continue
      if (this.#standsAt(text, codes, behind, length)) this.#meet(text, behind)
    }
  }

  /**
   * Where in the last text what a rule requires begins.
   * @returns false if nobody knows: it requires nothing, or that was not to be found out
   */
  locate(rule: number, parts: Parts): boolean {
    if (this.#shift === NOT_LOCATED) return false
    const end = this.#firstText[rule + 1] as number
    let at = this.#firstText[rule] as number
    if (at === end) return false
    let bits = 0
    for (; at < end; at++) {
      const text = this.#texts[at] as number
      if (this.#foundIn[text] === this.#reading) bits |= this.#parts[text] as number
    }
    parts.bits = bits
    parts.shift = this.#shift
    return true
  }

  /** @param behind see `#standsAt` */
  #meet(text: number, behind: number): void {
    const from = behind - (this.#reach[text] as number)
    if (this.#foundIn[text] !== this.#reading) {
      this.#let(text, this.#isWhole ? from : 0)
      this.#parts[text] = 0
    }
    if (this.#shift === NOT_LOCATED) return
    this.#parts[text] = (this.#parts[text] as number) | (1 << (from >> this.#shift))
  }

  /** @param from where it begins for the first time */
  #let(text: number, from: number): void {
    const rows = this.#rows
    const lets = this.#lets
    this.#foundIn[text] = this.#reading
    for (let at = this.#firstLet[text] as number; at >= 0; at = lets[at + 3] as number) {
      if (from > (lets[at + 2] as number)) continue
      const row = lets[at] as number
      rows[row] = (rows[row] as number) | (lets[at + 1] as number)
    }
  }

  /**
   * Whatever stands before a text of two characters leads to it; if a word begins with it, no letter does.
   * @returns where the next of `#entries` begins
   */
  #leadShort(text: string, index: number, apart: number, free: number): number {
    const second = foldOf(charCodeAt.call(text, 0))
    const third = foldOf(charCodeAt.call(text, 1))
    const isWordStart = ((this.#ends[index] as number) & BEGINS) !== 0
    let entry = free
    for (let first = 0; first < FOLDS; first++)
      if (!isWordStart || !isFoldOfLetter(first))
        entry = this.#lead(placeOf(first, second, third), index, apart, entry)
    return entry
  }

  /** Has a place lead to a text. @returns where the next of `#entries` begins */
  #lead(place: number, index: number, apart: number, entry: number): number {
    const entries = this.#entries
    this.#bits[place >> 3] = (this.#bits[place >> 3] as number) | (1 << (place & 7))
    entries[entry] = index
    entries[entry + 1] = this.#first[place] as number
    entries[entry + 2] = apart
    this.#first[place] = entry / ENTRY + 1
    return entry + ENTRY
  }

  /** Has a text let rules of one row through. @returns where the next of `#lets` may begin */
  #allow(text: number, row: number, bits: number, within: number, free: number): number {
    const lets = this.#lets
    const first = this.#firstLet[text] as number
    // The rules come in their order, so that those of the row at hand were written last.
    for (let at = first; at >= 0 && lets[at] === row; at = lets[at + 3] as number) {
      if (lets[at + 2] !== within) continue
      lets[at + 1] = (lets[at + 1] as number) | bits
      return free
    }
    lets[free] = row
    lets[free + 1] = bits
    lets[free + 2] = within
    lets[free + 3] = first
    this.#firstLet[text] = free
    return free + LET
  }

  /** @param behind the last of the characters that led to the text */
  #standsAt(text: number, codes: Uint16Array, behind: number, length: number): boolean {
    const from = behind - (this.#reach[text] as number)
    const start = this.#starts[text] as number
    const end = this.#starts[text + 1] as number
    if (from < 0 || from + end - start > length) return false
    const required = this.#codes
    for (let at = start, code = from; at < end; at++, code++)
      if (lowered(codes[code] as number) !== required[at]) return false
    const ends = this.#ends[text] as number
    if ((ends & BEGINS) !== 0 && from > 0 && isWordCode(codes[from - 1] as number)) return false
    // Behind the last character stands zero.
    return (ends & ENDS) === 0 || !isWordCode(codes[from + end - start] as number)
  }
}

/** As bits of what is known of a text. */
const BEGINS = 1
const ENDS = 2

function endsOf(text: string): number {
  return (text.startsWith(WORD_END) ? BEGINS : 0) | (text.endsWith(WORD_END) ? ENDS : 0)
}

/** Of what `\w` matches. */
function isWordCode(code: number): boolean {
  if (code < 48 || code > 122) return false
  return code <= 57 || code >= 97 || code === 95 || (code >= 65 && code <= 90)
}

/** The small letter of a capital one of ASCII; every other code as it is. */
function lowered(code: number): number {
  return code >= 65 && code <= 90 ? code | 32 : code
}

/** Six bits of a character, in which digits, signs and what is not ASCII are not letters. */
function foldOf(code: number): number {
  // All bits where a code is of ASCII.
  const ascii = (code - 128) >> 31
  return ((code & 31) | ((code & 64) >> 1)) & ascii
}

/** What six bits can be. */
const FOLDS = 64

/** Whether six bits are those of letters alone. */
function isFoldOfLetter(fold: number): boolean {
  return fold > 32 && fold < 59
}

/** A place in the table for three characters. */
function placeOf(first: number, second: number, third: number): number {
  return (first << 10) ^ (second << 5) ^ third
}

/** How frequent each character is in English, by its code: the space most. */
const FREQUENCY = new Uint8Array(128)
for (const [rank, letter] of [...' etaoinsrhldcumfpgwybvkxjqz'].entries())
  FREQUENCY[charCodeAt.call(letter, 0)] = 27 - rank
/** How much each text that is led to by the same place counts, beside how frequent the characters are. */
const SHARED = 8

/**
 * Where in each text three characters begin that are rare together, and by which few other texts are looked
 * up: otherwise every address would lead to each of the seventy texts with `://` in them.
 */
function rarestTriples(texts: readonly string[]): readonly number[] {
  const shared = new Uint8Array(PLACES)
  const starts = new Array<number>(texts.length).fill(0)
  // The shorter a text, the fewer it can choose from.
  const order = texts.map((_, index) => index).sort((a, b) => lengthOf(texts, a) - lengthOf(texts, b))
  for (const index of order) {
    const text = texts[index] as string
    let least = Number.POSITIVE_INFINITY
    let found = 0
    for (let start = 0; start + 3 <= text.length; start++) {
      const place = placeAt(text, start)
      const frequency = frequencyAt(text, start) + frequencyAt(text, start + 1) + frequencyAt(text, start + 2)
      const weight = frequency + SHARED * (shared[place] as number)
      if (weight >= least) continue
      least = weight
      found = place
      starts[index] = start
    }
    if (text.length > 2) shared[found] = Math.min(255, (shared[found] as number) + 1)
  }
  return starts
}

function lengthOf(texts: readonly string[], index: number): number {
  return (texts[index] as string).length
}

function frequencyAt(text: string, at: number): number {
  return FREQUENCY[charCodeAt.call(text, at)] ?? 0
}

/**
 * A character of a text behind or before the three from `start` on, and how far behind their end it stands,
 * times 65,536; of a text that has no other, the last of them.
 */
function apartAt(text: string, start: number): number {
  const distance = text.length > start + 3 ? 0 : text.length > 3 ? -4 : -1
  const code = charCodeAt.call(text, Math.min(start + 3, text.length) + distance)
  return (distance << 16) | code | 32
}

/** The place that the three characters from `start` on lead to. */
function placeAt(text: string, start: number): number {
  return placeOf(
    foldOf(charCodeAt.call(text, start)),
    foldOf(charCodeAt.call(text, start + 1)),
    foldOf(charCodeAt.call(text, start + 2)),
  )
}
