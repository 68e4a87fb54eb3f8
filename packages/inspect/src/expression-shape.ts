/** What makes an expression slow on a backtracking engine, found in its shape. */
export interface ExpressionShape {
  /** A quantifier without an upper bound stands somewhere. */
  readonly unbounded: boolean
  /** The deepest nesting of quantifiers that may repeat more than once. */
  readonly nesting: number
  /** The largest product of upper bounds along one nesting; Infinity when one has none. */
  readonly repetitions: number
  /**
   * An unbounded quantifier repeats something that holds another unbounded one: exponential time is
   * possible.
   */
  readonly nestedUnbounded: boolean
}

interface Shape {
  nesting: number
  repetitions: number
  unbounded: boolean
  nestedUnbounded: boolean
}

/**
 * Reads the shape of an expression's source. Linear; knows groups, classes, escapes and quantifiers, and no
 * more is needed.
 */
export function shapeOf(source: string): ExpressionShape {
  const reader = new ShapeReader(source)
  return reader.sequence()
}

class ShapeReader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  /** Up to the closing bracket or the end; alternatives count as one sequence. */
  sequence(): Shape {
    const total: Shape = { nesting: 0, repetitions: 1, unbounded: false, nestedUnbounded: false }
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      if (this.#source[this.#at] === '|') {
        this.#at++
        continue
      }
      const part = this.#quantified(this.#atom())
      total.nesting = Math.max(total.nesting, part.nesting)
      total.repetitions = Math.max(total.repetitions, part.repetitions)
      total.unbounded ||= part.unbounded
      total.nestedUnbounded ||= part.nestedUnbounded
    }
    return total
  }

  #atom(): Shape {
    const plain: Shape = { nesting: 0, repetitions: 1, unbounded: false, nestedUnbounded: false }
    const character = this.#source[this.#at]
    if (character === '\\') this.#at += 2
    else if (character === '[') this.#skipClass()
    else if (character === '(') {
      this.#at++
      const prefix = /^\?(?:[:=!]|<[=!]|<\w{1,40}>|[a-z-]{1,8}[:)])/i.exec(
        this.#source.slice(this.#at, this.#at + 48),
      )
      if (prefix !== null) this.#at += prefix[0].length
      const inner = prefix?.[0].endsWith(')') === true ? plain : this.sequence()
      if (prefix?.[0].endsWith(')') !== true) this.#at++
      return inner
    } else this.#at++
    return plain
  }

  #skipClass(): void {
    this.#at++
    if (this.#source[this.#at] === '^') this.#at++
    if (this.#source[this.#at] === ']') this.#at++
    while (this.#at < this.#source.length && this.#source[this.#at] !== ']') {
      this.#at += this.#source[this.#at] === '\\' ? 2 : 1
    }
    this.#at++
  }

  #quantified(atom: Shape): Shape {
    const most = this.#quantifier()
    if (most <= 1) return atom
    const unbounded = most === Number.POSITIVE_INFINITY
    return {
      nesting: atom.nesting + 1,
      repetitions: atom.repetitions * most,
      unbounded: atom.unbounded || unbounded,
      nestedUnbounded: atom.nestedUnbounded || (unbounded && atom.unbounded),
    }
  }

  /** The upper bound of the quantifier that stands here; 1 when there is none. */
  #quantifier(): number {
    const found = /^(?:[*+]|\?|\{(\d{1,6})(?:,(\d{0,6}))?\})[?+]?/.exec(
      this.#source.slice(this.#at, this.#at + 20),
    )
    if (found === null) return 1
    this.#at += found[0].length
    if (found[0].startsWith('?')) return 1
    if (found[1] === undefined) return Number.POSITIVE_INFINITY
    if (found[2] === undefined) return Number(found[1])
    return found[2] === '' ? Number.POSITIVE_INFINITY : Number(found[2])
  }
}
