import type { ExpressionShape } from './expression-shape.ts'

/**
 * Which parts of a text an expression need be searched in: bit `n` stands for the characters from `n << shift`
 * on. A text that a match must hold begins in one of the parts whose bits are set.
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
 * Searches for an expression around texts that it cannot match without, which finds what a search of the
 * whole text finds: in a page, most of what a rule requires stands in a few places.
 */
export class PartSearch {
  readonly #expression: RegExp
  /** Characters between a required text and the farthest that the expression looks at; Infinity: unknown. */
  readonly #reach: number
  readonly #seesEnd: boolean

  /** @param expression with the flag `g` */
  constructor(expression: RegExp, { reach, seesEnd }: Pick<ExpressionShape, 'reach' | 'seesEnd'>) {
    this.#expression = expression
    this.#reach = reach
    this.#seesEnd = seesEnd
  }

  /** The first match in a text. */
  first(text: string, { bits, shift }: Readonly<Parts>): RegExpExecArray | null {
    const expression = this.#expression
    const reach = this.#reach
    let left = bits
    while (left !== 0) {
      const from = (lowest(left) << shift) - reach
      let to = ((lowest(left) + 1) << shift) + reach
      left &= left - 1
      for (; left !== 0 && (lowest(left) << shift) - reach <= to; left &= left - 1)
        to = ((lowest(left) + 1) << shift) + reach
      const isRest = this.#seesEnd || to >= text.length
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
