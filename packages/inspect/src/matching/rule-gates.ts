import type { Rule } from '../rule/rule.ts'
import { rowsByBit, sizeByBit } from './rows-by-bit.ts'

/** For each of the four bytes of a mask and each of its values, the rules that it opens. */
type GateTable = Int32Array

/** Pairs of masks that are remembered: the values of a body are mostly of a few kinds. */
const SLOTS = 64

/** Which rules are opened by the characters and words of a text, as rows of bits. */
export class RuleGates {
  readonly #width: number
  readonly #chars: GateTable
  readonly #words: GateTable
  /** What was asked for last, in a table of fixed size. It holds masks and no text. */
  readonly #knownChars: Int32Array = new Int32Array(SLOTS)
  readonly #knownWords: Int32Array = new Int32Array(SLOTS)
  readonly #known: (Int32Array | undefined)[] = new Array<Int32Array | undefined>(SLOTS).fill(undefined)

  constructor(rules: readonly Rule[]) {
    this.#width = Math.ceil(rules.length / 32)
    this.#chars = gateTable(rules.map(rule => rule.chars))
    this.#words = gateTable(rules.map(rule => rule.words))
  }

  /** @returns a row that may be read until the next call */
  openedBy(chars: number, words: number): Int32Array {
    const mixed = Math.imul(chars ^ (words << 7) ^ (words >>> 9), 0x2c1b3c6d)
    const slot = (mixed >>> 16) & (SLOTS - 1)
    const known = this.#known[slot]
    if (known !== undefined && this.#knownChars[slot] === chars && this.#knownWords[slot] === words)
      return known
    const rows = known ?? new Int32Array(this.#width)
    for (let row = 0; row < this.#width; row++)
      rows[row] =
        openedBy(this.#chars, chars, row, this.#width) & openedBy(this.#words, words, row, this.#width)
    this.#known[slot] = rows
    this.#knownChars[slot] = chars
    this.#knownWords[slot] = words
    return rows
  }
}

/** @param gates of each rule; 0 opens the rule whatever the mask */
function gateTable(gates: readonly number[]): GateTable {
  const width = Math.ceil(gates.length / 32)
  const table = new Int32Array(sizeByBit(width))
  rowsByBit(gates, table)
  // What one byte opens is open: a rule that is always open is so by the first.
  gates.forEach((gate, rule) => {
    if (gate !== 0) return
    for (let at = rule >> 5; at < 256 * width; at += width)
      table[at] = (table[at] as number) | (1 << (rule & 31))
  })
  return table
}

function openedBy(table: GateTable, mask: number, row: number, width: number): number {
  return (
    (table[(mask & 255) * width + row] as number) |
    (table[(256 + ((mask >>> 8) & 255)) * width + row] as number) |
    (table[(512 + ((mask >>> 16) & 255)) * width + row] as number) |
    (table[(768 + (mask >>> 24)) * width + row] as number)
  )
}
