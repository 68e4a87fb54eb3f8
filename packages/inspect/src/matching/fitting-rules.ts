import { ANYWHERE } from '../rule/required-list.ts'
import { signOf } from '../rule/required-signs.ts'
import type { RequiredOfText } from '../rule/required-text.ts'

/** A rule that can hit a part of a text so long can hit a part of every longer one. */
export const MEASURED = 64
/** Longer texts are not measured as a whole. */
const LONGEST = 256
/** Codes of ASCII, and one for all others. */
const CODES = 129

/** Which rules can hit a text of some length, or one that begins like another: as rows of bits. */
export class FittingRules {
  /** Of each rule, how long a text must be at least, and may be at most. */
  readonly #least: Uint16Array
  readonly #most: Uint16Array
  /** By the length of a text, the rules that can hit it or a part of it. */
  readonly #inParts: readonly Int32Array[]
  /** By the length of a text, the rules that can hit it as it stands. Made when they are asked for. */
  readonly #whole: (Int32Array | undefined)[] = new Array<Int32Array | undefined>(LONGEST + 1)
  /** By the code of its first character, the rules that can hit a text as it stands. */
  readonly #beginning: readonly Int32Array[]

  constructor(required: readonly RequiredOfText[]) {
    this.#least = Uint16Array.from(required, ({ least }) => Math.min(least, ANYWHERE))
    this.#most = Uint16Array.from(required, ({ most = ANYWHERE }) => most)
    this.#inParts = Array.from({ length: MEASURED + 1 }, (_, length) =>
      rowsOf(required.length, rule => (required[rule] as RequiredOfText).least <= length),
    )
    this.#beginning = Array.from({ length: CODES }, (_, code) => {
      const { chars, holds } = signOf(code)
      return rowsOf(required.length, rule => {
        const first = required[rule]?.first
        return first === undefined || (first.chars & chars) !== 0 || (first.holds & holds) !== 0
      })
    })
  }

  /** @param length of a text, in characters */
  inParts(length: number): Int32Array {
    return this.#inParts[Math.min(length, MEASURED)] as Int32Array
  }

  /** @param length of a text, in characters; at most 256 */
  whole(length: number): Int32Array {
    this.#whole[length] ??= rowsOf(
      this.#least.length,
      rule => (this.#least[rule] as number) <= length && length <= (this.#most[rule] as number),
    )
    return this.#whole[length]
  }

  /** @param code of the first character of a text */
  beginning(code: number): Int32Array {
    return this.#beginning[Math.min(code, CODES - 1)] as Int32Array
  }
}

function rowsOf(rules: number, test: (rule: number) => boolean): Int32Array {
  const rows = new Int32Array(Math.ceil(rules / 32))
  for (let rule = 0; rule < rules; rule++)
    if (test(rule)) rows[rule >> 5] = (rows[rule >> 5] as number) | (1 << (rule & 31))
  return rows
}
