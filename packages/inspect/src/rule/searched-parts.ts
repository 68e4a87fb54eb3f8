import { type ExpressionShape, shapeOf } from './expression-shape.ts'

/**
 * Which parts of a text an expression need be searched in: bit `n` stands for the characters from
 * `n << shift` on. A text that a match must hold begins in one of the parts whose bits are set.
 */
export interface Parts {
  bits: number
  shift: number
}

/** How far the bits of `Parts` are apart in a text of this length. */
export function shiftOf(length: number): number {
  return Math.max(0, 27 - Math.clz32(length - 1))
}

/**
 * Searches for an expression, if it can, only around the texts that it cannot match without, which finds what
 * a search of the whole text finds: in a page, most of what a rule requires stands in a few places.
 */
export class PartSearch {
  readonly #source: RegExp
  /** Made for the first search, of whatever kind: an expression is compiled when it is first used. */
  #expression: RegExp | undefined
  #shape: ExpressionShape | undefined

  /** @param expression without flags */
  constructor(expression: RegExp) {
    this.#source = expression
  }

  /** The first match in a text. @param parts where what it requires begins; default: nobody knows */
  first(text: string, parts?: Readonly<Parts>): RegExpExecArray | null {
    this.#expression ??= new RegExp(this.#source, 'g')
    if (parts !== undefined) return this.#around(this.#expression, text, parts)
    this.#expression.lastIndex = 0
    return this.#expression.exec(text)
  }

  #around(expression: RegExp, text: string, { bits, shift }: Readonly<Parts>): RegExpExecArray | null {
    this.#shape ??= shapeOf(expression.source)
    const { reach, seesEnd } = this.#shape
    let left = bits
    while (left !== 0) {
      const from = (lowest(left) << shift) - reach
      let to = ((lowest(left) + 1) << shift) + reach
      left &= left - 1
      for (; left !== 0 && (lowest(left) << shift) - reach <= to; left &= left - 1)
        to = ((lowest(left) + 1) << shift) + reach
      const isRest = seesEnd || to >= text.length
      expression.lastIndex = Math.max(0, from)
      const found = expression.exec(isRest ? text : text.slice(0, to + 1))
      if (found !== null || isRest) return found
    }
    return null
  }
}

/** The number of the lowest bit that is set. */
function lowest(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}
