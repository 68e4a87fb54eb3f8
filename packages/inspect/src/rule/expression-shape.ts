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
  /**
   * Characters that a match takes at most, with all that it looks at ahead of it and behind; Infinity when an
   * upper bound is missing or it refers back to what it matched before.
   */
  readonly reach: number
  /** Whether it matters to it where a text ends. */
  readonly seesEnd: boolean
}

interface Shape {
  reach: number
  seesEnd: boolean
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

const ONE_CHARACTER: Readonly<Shape> = Object.freeze({
  reach: 1,
  seesEnd: false,
  nesting: 0,
  repetitions: 1,
  unbounded: false,
  nestedUnbounded: false,
})

class ShapeReader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  /** Up to the closing bracket or the end; but for the reach, alternatives count as one sequence. */
  sequence(): Shape {
    const total: Shape = { ...ONE_CHARACTER, reach: 0 }
    let reach = 0
    while (this.#at < this.#source.length && this.#source[this.#at] !== ')') {
      if (this.#source[this.#at] === '|') {
        this.#at++
        reach = 0
        continue
      }
      const part = this.#quantified(this.#atom())
      reach += part.reach
      total.reach = Math.max(total.reach, reach)
      total.seesEnd ||= part.seesEnd
      total.nesting = Math.max(total.nesting, part.nesting)
      total.repetitions = Math.max(total.repetitions, part.repetitions)
      total.unbounded ||= part.unbounded
      total.nestedUnbounded ||= part.nestedUnbounded
    }
    return total
  }

  #atom(): Shape {
    const plain: Shape = { ...ONE_CHARACTER }
    const character = this.#source[this.#at]
    if (character === '\\') {
      if (/[1-9k]/.test(this.#source[this.#at + 1] ?? '')) plain.reach = Number.POSITIVE_INFINITY
      this.#at += 2
    } else if (character === '[') this.#skipClass()
    else if (character === '(') {
      this.#at++
      const prefix = /^\?(?:[:=!]|<[=!]|<\w{1,40}>|[a-z-]{1,8}[:)])/i.exec(
        this.#source.slice(this.#at, this.#at + 48),
      )
      if (prefix !== null) this.#at += prefix[0].length
      const inner = prefix?.[0].endsWith(')') === true ? plain : this.sequence()
      if (prefix?.[0].endsWith(')') !== true) this.#at++
      return inner
    } else {
      plain.seesEnd = character === '$'
      this.#at++
    }
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
      reach: unbounded ? most : atom.reach * most,
      seesEnd: atom.seesEnd,
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
