import type { OneOf, Requirement } from './required-text.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const PAIRS = 1 << 14
const TRIPLES = 1 << 15

/** A required text, and the rules that it lets through, as a set of bits. */
interface RequiredText {
  readonly text: string
  /** Characters of it up to the last of those that are looked up. */
  readonly reach: number
  readonly rows: Int32Array
  /** Where it is not looked for again: the number of the last text in which it stood. */
  foundIn: number
}

/**
 * Tells of a text which rules could match it at all, in one pass over it: three characters of each required
 * text lead to it through a table, and where it stands the rules that require it are let through. So a text
 * is searched only by the few expressions whose words stand in it, and the others cost nothing. Sometimes
 * lets a rule through without need, never keeps one back that would match.
 */
export class TextFilter {
  /** By pairs and triples of characters, the number of a list of required texts; 0: none. */
  readonly #pairs = new Uint16Array(PAIRS)
  readonly #triples = new Uint16Array(TRIPLES)
  readonly #lists: RequiredText[][] = [[]]
  /** The rules that require nothing. */
  readonly #free: Int32Array
  readonly #rows: Int32Array
  #generation = 0

  /** @param requirements of each rule, as `requiredText` reads them from its expression */
  constructor(requirements: readonly (readonly Requirement[] | undefined)[]) {
    const width = Math.ceil(requirements.length / 32)
    this.#rows = new Int32Array(width)
    this.#free = new Int32Array(width)
    const texts = new Map<string, Int32Array>()
    requirements.forEach((alternatives, index) => {
      const bit = 1 << (index & 31)
      const row = index >> 5
      if (alternatives === undefined) this.#free[row] = (this.#free[row] as number) | bit
      for (const text of alternatives?.flatMap(mostTelling) ?? []) {
        const rows = texts.get(text) ?? new Int32Array(width)
        rows[row] = (rows[row] as number) | bit
        texts.set(text, rows)
      }
    })
    for (const [text, rows] of texts) this.#add(text, rows)
  }

  /**
   * Passes over a text in lower case.
   * @returns the rules that may match it, as a set of bits; valid until the next call
   */
  read(lower: string): Int32Array {
    const pairs = this.#pairs
    const triples = this.#triples
    this.#generation++
    this.#rows.set(this.#free)
    let first = 0
    let second = 0
    for (let at = 0; at < lower.length; at++) {
      const code = charCodeAt.call(lower, at)
      const pair = pairs[pairAt(second, code)] as number
      if (pair !== 0) this.#meet(pair, lower, at + 1)
      const triple = triples[tripleAt(first, second, code)] as number
      if (triple !== 0) this.#meet(triple, lower, at + 1)
      first = second
      second = code
    }
    return this.#rows
  }

  /** Looks whether one of a list of texts stands where three characters of it were seen. */
  #meet(list: number, lower: string, end: number): void {
    for (const required of this.#lists[list] as RequiredText[]) {
      if (required.foundIn === this.#generation || !lower.startsWith(required.text, end - required.reach))
        continue
      required.foundIn = this.#generation
      const rows = this.#rows
      for (let row = 0; row < rows.length; row++)
        rows[row] = (rows[row] as number) | (required.rows[row] as number)
    }
  }

  #add(text: string, rows: Int32Array): void {
    const code = (at: number): number => charCodeAt.call(text, at)
    const isPair = text.length === 2
    const start = isPair ? 0 : rarestTriple(text)
    const table = isPair ? this.#pairs : this.#triples
    const place = isPair ? pairAt(code(0), code(1)) : tripleAt(code(start), code(start + 1), code(start + 2))
    if (table[place] === 0) table[place] = this.#lists.push([]) - 1
    const required = { text, reach: isPair ? 2 : start + 3, rows, foundIn: 0 }
    this.#lists[table[place] as number]?.push(required)
  }
}

function pairAt(first: number, second: number): number {
  return ((first << 7) ^ second) & (PAIRS - 1)
}

function tripleAt(first: number, second: number, third: number): number {
  return ((first << 10) ^ (second << 5) ^ third) & (TRIPLES - 1)
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
