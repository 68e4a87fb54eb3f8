import { CharacterCodes } from '../value/character-codes.ts'
import { HASH_SEED, hashStep } from '../value/words.ts'
import { KEY, type SqlDialect } from './sql-dialect.ts'

/**
 * Kinds of token. Quotes are tokens of their own: whether text lies inside or outside a string is what
 * injection is about.
 */
export const TOKEN = {
  end: 0,
  number: 1,
  word: 2,
  apostrophe: 3,
  quote: 4,
  backtick: 5,
  variable: 6,
  operator: 7,
  compare: 8,
  open: 9,
  close: 10,
  comma: 11,
  semicolon: 12,
  /** `--`, `#` or an unclosed comment: the rest of the statement is gone. */
  comment: 13,
  dot: 14,
  /** `||` or `&&`. */
  logic: 15,
  other: 16,
} as const

/** As many as a window has characters, so that no text ends before its tokens do. */
export const MAX_TOKENS = 8_192

/** The kind of a sign that is a token by itself, by its code. */
const SIGNS = new Uint8Array(128).fill(TOKEN.other)
for (const [kind, signs] of [
  [TOKEN.apostrophe, "'"],
  [TOKEN.quote, '"'],
  [TOKEN.backtick, '`'],
  [TOKEN.open, '([{'],
  [TOKEN.close, ')]}'],
  [TOKEN.comma, ','],
  [TOKEN.semicolon, ';'],
  [TOKEN.dot, '.'],
  [TOKEN.operator, '+-*/%^~!|&'],
  [TOKEN.compare, '<=>'],
] as const)
  for (const sign of signs) SIGNS[sign.charCodeAt(0)] = kind

/**
 * Cuts lower-case text into SQL tokens. `/*!50000 x*\/` is `x` where the dialect has it so, closed comments
 * are white space, `1from` is two tokens. One object reads one text after the other into the same buffers.
 */
export class SqlTokens {
  readonly kinds: Uint8Array = new Uint8Array(MAX_TOKENS + 1)
  /** Of words, what they mean (`KEY`). */
  readonly keys: Uint8Array = new Uint8Array(MAX_TOKENS + 1)
  readonly starts: Int32Array = new Int32Array(MAX_TOKENS + 1)
  readonly ends: Int32Array = new Int32Array(MAX_TOKENS + 1)
  /** How many tokens there are; the one behind the last is `TOKEN.end`. */
  count = 0
  /** Whether something stands on the line behind that of a comment. */
  hasLinesBehind = false
  /** Whether no other line is behind that of the last comment. */
  #isLastLine = false
  readonly #dialect: SqlDialect
  readonly #copied = new CharacterCodes()

  constructor(dialect: SqlDialect) {
    this.#dialect = dialect
  }

  /**
   * Reads the tokens of a text, 8,192 at most, which is what a window can hold. Linear.
   * @param lineComments whether a comment that ends with its line is a token, behind which what a query had
   * is gone, or white space, behind which it goes on
   */
  // biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over every character; a function for each token costs more than the token.
  read(lower: string, lineComments: 'token' | 'space' = 'token'): void {
    const codes = this.#copied.copy(lower, 0, lower.length)
    const { hasHashComments, hasVersionedComments } = this.#dialect
    this.count = 0
    let at = 0
    let conditional = 0
    let isUnclosed = false
    this.hasLinesBehind = false
    this.#isLastLine = false
    while (at < lower.length && this.count < MAX_TOKENS) {
      const code = codes[at] as number
      const next = codes[at + 1] as number
      if (code <= 32 || code === 160) at++
      else if (isDigit(code)) at = this.#readNumber(codes, at)
      else if (code === 46 && isDigit(next) && this.#lastKind() !== TOKEN.word)
        at = this.#readNumber(codes, at)
      else if (isWordCode(code)) at = this.#readWord(codes, at)
      else if (code === 64) at = this.#readVariable(codes, at)
      else if (code === 47 && next === 42) {
        if (hasVersionedComments && (codes[at + 2] as number) === 33) {
          conditional++
          at += 3
          while (isDigit(codes[at] as number)) at++
          continue
        }
        // Looked for once: a text full of open comments would otherwise be read to its end for each.
        const close: number = isUnclosed ? -1 : lower.indexOf('*/', at + 2)
        isUnclosed = close < 0
        at = isUnclosed ? this.#push(TOKEN.comment, at, at + 2) : close + 2
      } else if (code === 42 && next === 47 && (conditional > 0 || (codes[at + 2] as number) !== 42)) {
        if (conditional > 0) conditional--
        at += 2
      } else if ((code === 45 && next === 45) || (code === 35 && hasHashComments))
        at = this.#readLineComment(lower, at, code === 35 ? at + 1 : at + 2, lineComments)
      else if (code === 60 && isTagAt(lower, at, next)) at = this.#push(TOKEN.other, at, at + 1)
      else at = this.#readSign(codes, at, code, next)
    }
    const { count } = this
    this.kinds[count] = TOKEN.end
    this.keys[count] = KEY.none
    this.starts[count] = lower.length
    this.ends[count] = lower.length
  }

  /** @returns where the text goes on */
  #readLineComment(lower: string, start: number, end: number, lineComments: 'token' | 'space'): number {
    // Looked for once: a text full of comments would otherwise be read to its end for each.
    if (!this.#isLastLine && (lineComments === 'space' || !this.hasLinesBehind)) {
      const line = lower.indexOf('\n', end)
      this.#isLastLine = line < 0 || line === lower.length - 1
      if (line >= 0 && lineComments === 'space') return line + 1
      this.hasLinesBehind = !this.#isLastLine
    }
    return this.#push(TOKEN.comment, start, end)
  }

  /** Writes a token. @returns where it ends */
  #push(kind: number, start: number, end: number, key: number = KEY.none): number {
    const at = this.count++
    this.kinds[at] = kind
    this.keys[at] = key
    this.starts[at] = start
    this.ends[at] = end
    return end
  }

  #lastKind(): number {
    return this.count === 0 ? TOKEN.end : (this.kinds[this.count - 1] as number)
  }

  #readNumber(codes: Uint16Array, start: number): number {
    let at = start
    if ((codes[at] as number) === 48 && (codes[at + 1] as number) === 120) {
      at += 2
      while (isHex(codes[at] as number)) at++
    } else {
      while (isDigitOrDot(codes[at] as number)) at++
      if ((codes[at] as number) === 101) {
        let exponent = at + 1
        const sign = codes[exponent] as number
        if (sign === 43 || sign === 45) exponent++
        const from = exponent
        while (isDigitOrDot(codes[exponent] as number)) exponent++
        if (exponent > from) at = exponent
        // MySQL passes over what only begins like a number: `1.e(` is `(`.
        else if (at - start > 1 && (codes[at - 1] as number) === 46 && !isWordCode(codes[at + 1] as number))
          return at + 1
      }
    }
    return this.#push(TOKEN.number, start, at)
  }

  #readWord(codes: Uint16Array, start: number): number {
    let at = start
    let hash = HASH_SEED
    let code = codes[at] as number
    do {
      hash = hashStep(hash, code)
      code = codes[++at] as number
    } while (isWordCode(code) || code === 36)
    return this.#push(TOKEN.word, start, at, this.#dialect.keyOf(hash))
  }

  #readVariable(codes: Uint16Array, start: number): number {
    let at = start + 1
    if ((codes[at] as number) === 64) at++
    while (isWordCode(codes[at] as number) || (codes[at] as number) === 46) at++
    return this.#push(TOKEN.variable, start, at)
  }

  #readSign(codes: Uint16Array, at: number, code: number, next: number): number {
    const kind = code < 128 ? (SIGNS[code] as number) : TOKEN.other
    if (kind === TOKEN.compare || (code === 33 && isCompareSign(next))) {
      let end = at + 1
      while (isCompareSign(codes[end] as number) && end - at < 3) end++
      return this.#push(TOKEN.compare, at, end)
    }
    if (next === code) {
      if (code === 124 || code === 38) return this.#push(TOKEN.logic, at, at + 2)
      // PostgreSQL's cast is part of the term.
      if (code === 58) return this.#push(TOKEN.operator, at, at + 2)
    }
    return this.#push(kind, at, at + 1)
  }
}

/**
 * The end of an element, or the start of one whose name no column has: in a page `"red" or "blue"</p>`
 * compares nothing.
 */
const TAG = /<(?:\/[a-z]|(?:br|div|em|h[1-6]|hr|li|ol|pre|span|strong|su[bp]|t[dhr]|ul|wbr)\s?\/?>)/y

function isTagAt(lower: string, at: number, next: number): boolean {
  if (next !== 47 && !(next >= 97 && next <= 122)) return false
  TAG.lastIndex = at
  return TAG.test(lower)
}

function isWordCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95 || code > 127
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

function isDigitOrDot(code: number): boolean {
  return isDigit(code) || code === 46
}

function isHex(code: number): boolean {
  return isDigit(code) || (code >= 97 && code <= 102)
}

function isCompareSign(code: number): boolean {
  return code >= 60 && code <= 62
}
