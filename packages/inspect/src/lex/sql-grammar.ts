import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { KEY, type SqlDialect } from './sql-dialect.ts'
import { MAX_TOKENS, SqlTokens, TOKEN } from './sql-tokens.ts'

const {
  reach: REACH,
  caseTokens: LONGEST_CASE,
  steps: MAX_STEPS,
  depth: MAX_DEPTH,
  nameTokens: MAX_NAME,
} = LEXER_BOUNDS.sql

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

export function isQuote(kind: number): boolean {
  return kind === TOKEN.apostrophe || kind === TOKEN.quote || kind === TOKEN.backtick
}

/**
 * What stands at a token of a text, as far as SQL has it: a term, an expression, a comparison. Each question
 * is asked many times over and answered once. One object reads one text after the other; `begin` forgets the
 * text before.
 */
export class SqlGrammar {
  /** Where each token starts and ends in the text. */
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** The text behind the tokens, for the few questions that kinds do not answer. */
  source = ''
  /** How many tokens there are. */
  count = 0
  readonly #tokens: SqlTokens
  readonly #kinds: Uint8Array
  readonly #keys: Uint8Array
  /** By token, the answer of `term` plus 2; 0 where it was not asked yet. */
  readonly #terms = new Int32Array(MAX_TOKENS + 1)
  /** The same of `expression`. */
  readonly #expressions = new Int32Array(MAX_TOKENS + 1)
  /** For each quote and each opening bracket the token behind what closes it; written by `link`. */
  readonly #behindClosing = new Int32Array(MAX_TOKENS + 1)
  readonly #closers = new Int32Array(MAX_DEPTH)
  #isLinked = false
  #steps = 0
  /** The last run of signs that was read. */
  #signsFrom = 0
  #signsEnd = 0

  constructor(dialect: SqlDialect) {
    this.#tokens = new SqlTokens(dialect)
    this.#kinds = this.#tokens.kinds
    this.#keys = this.#tokens.keys
    this.starts = this.#tokens.starts
    this.ends = this.#tokens.ends
  }

  /** Reads a text in lower case. */
  begin(lower: string): void {
    this.#steps = 0
    this.#read(lower, 'token')
  }

  /** Whether something stands on the line behind that of a comment. */
  get hasLinesBehind(): boolean {
    return this.#tokens.hasLinesBehind
  }

  /** Reads the text again, with comments that end with their line as white space. */
  passOverLineComments(): void {
    this.#read(this.source, 'space')
  }

  #read(lower: string, lineComments: 'token' | 'space'): void {
    this.#tokens.read(lower, lineComments)
    const { count } = this.#tokens
    this.count = count
    this.source = lower
    this.#isLinked = false
    this.#signsFrom = 0
    this.#signsEnd = 0
    // Native code that fills takes longer to be called than the few tokens of most texts.
    for (let at = 0; at < count; at++) {
      this.#terms[at] = 0
      this.#expressions[at] = 0
    }
  }

  /** Whether the text was too intricate to be read to its end. */
  get isExhausted(): boolean {
    return this.#steps > MAX_STEPS
  }

  /** The kind of a token; `TOKEN.end` beyond the last. */
  kindAt(i: number): number {
    return i < this.count ? (this.#kinds[i] as number) : TOKEN.end
  }

  /** What the word at `i` means; `KEY.none` for everything that is not a word. */
  keyAt(i: number): number {
    return i < this.count ? (this.#keys[i] as number) : KEY.none
  }

  /**
   * Whether a word with an opening bracket right behind it is a function of SQL that a query is probed with.
   */
  isProbeCall(i: number): boolean {
    const key = this.keyAt(i)
    if (key === KEY.probe && this.kindAt(i + 1) === TOKEN.dot) return true
    return (key === KEY.probe || key === KEY.literal) && this.kindAt(i + 1) === TOKEN.open
  }

  /** Whether a subquery, perhaps in brackets, starts at `i`. */
  isSubquery(i: number): boolean {
    let at = i
    while (this.kindAt(at) === TOKEN.open) at++
    return this.keyAt(at) === KEY.select && at > i
  }

  /**
   * Whether the value at `i` is a number, a string, a variable, a bracket or a call: something no sentence
   * has after `or`.
   */
  isSolid(i: number): boolean {
    const at = this.#behindSigns(i)
    const kind = this.kindAt(at)
    if (kind === TOKEN.number || kind === TOKEN.variable || kind === TOKEN.open || isQuote(kind)) return true
    return this.keyAt(at) === KEY.literal || (kind === TOKEN.word && this.kindAt(at + 1) === TOKEN.open)
  }

  /** After the value that starts at `i`, or -1. */
  term(i: number): number {
    if (i >= this.count) return -1
    const known = this.#terms[i] as number
    if (known !== 0) return known - 2
    const next = this.#findTerm(i)
    this.#terms[i] = next + 2
    return next
  }

  /** After the arithmetic that starts at `i`: terms joined by operators; or -1. */
  expression(i: number): number {
    if (i >= this.count) return -1
    const known = this.#expressions[i] as number
    if (known !== 0) return known - 2
    const next = this.#findExpression(i)
    this.#expressions[i] = next + 2
    return next
  }

  /** After a comparison that starts at `i` (`1=1`, `x like 'y'`, `a between 1 and 2`), or -1. */
  comparison(i: number): number {
    const left = this.expression(i)
    if (left < 0 || left >= this.count) return -1
    if (this.kindAt(left) === TOKEN.compare)
      return this.kindAt(left + 1) === TOKEN.end ? left + 1 : this.expression(left + 1)
    if (this.#asksForKey(left)) return this.expression(left + 1)
    const test = this.keyAt(left) === KEY.not ? left + 1 : left
    // `'a' or 'b' is considered`: a sentence goes on with a word.
    return this.keyAt(test) === KEY.test && this.isSolid(test + 1) ? this.expression(test + 1) : -1
  }

  /** After a bracket at `i` with a comparison inside (`(1=1)*2`), or -1. */
  bracketedComparison(i: number): number {
    let at = i
    while (this.kindAt(at) === TOKEN.open) at++
    return at > i && this.comparison(at) > 0 ? this.#skipClosed(i) : -1
  }

  /** PostgreSQL's `?`, which asks a document for a key. */
  #asksForKey(at: number): boolean {
    return (
      this.kindAt(at) === TOKEN.other &&
      charCodeAt.call(this.source, this.starts[at] as number) === 63 &&
      isQuote(this.kindAt(at + 1))
    )
  }

  #findTerm(i: number): number {
    const at = this.#behindSigns(i)
    this.#steps++
    let next = this.#bareTerm(at)
    if (next < 0) return -1
    while (this.kindAt(next) === TOKEN.operator && this.#isCast(next)) next += 2
    if (this.keyAt(next) === KEY.collate) next += 2
    return Math.min(next, this.count)
  }

  /** After the value at `at`, without signs before it and casts behind it. */
  #bareTerm(at: number): number {
    switch (this.kindAt(at)) {
      case TOKEN.number:
      case TOKEN.variable:
        return at + 1
      case TOKEN.apostrophe:
      case TOKEN.quote:
      case TOKEN.backtick:
      case TOKEN.open:
        return this.#skipClosed(at)
      case TOKEN.word:
        return this.#wordTerm(at)
      default:
        return -1
    }
  }

  #wordTerm(at: number): number {
    switch (this.keyAt(at)) {
      case KEY.caseWhen:
        return this.#behindCase(at)
      case KEY.statement:
        return this.kindAt(at + 1) === TOKEN.open ? this.#skipClosed(at + 1) : -1
      case KEY.exists:
        return this.#isCallAt(at) ? this.#skipClosed(at + 1) : at + 1
      case KEY.test: {
        const next = this.#behindName(at)
        return this.kindAt(next) === TOKEN.open ? this.#skipClosed(next) : -1
      }
      case KEY.none:
      case KEY.literal:
      case KEY.probe:
      case KEY.common:
      case KEY.object:
      case KEY.values: {
        const next = this.#behindName(at)
        return this.kindAt(next) === TOKEN.open ? this.#skipClosed(next) : next
      }
      default:
        return -1
    }
  }

  /** Behind the `end` of a `case`. */
  #behindCase(at: number): number {
    for (let i = at; i < this.count && i - at < LONGEST_CASE; i++) {
      this.#steps++
      if (this.keyAt(i) === KEY.end) return i + 1
    }
    return this.count
  }

  /** Behind a name and what it is qualified with: `a.b.c`. */
  #behindName(at: number): number {
    let next = at + 1
    while (this.kindAt(next) === TOKEN.dot && next - at < MAX_NAME) next += 2
    return next
  }

  /** Whether a bracket opens right behind the token at `at`. */
  #isCallAt(at: number): boolean {
    return this.kindAt(at + 1) === TOKEN.open && this.starts[at + 1] === this.ends[at]
  }

  #findExpression(i: number): number {
    let at = this.term(i)
    if (at < 0) return -1
    while (this.kindAt(at) === TOKEN.operator) {
      const known = at + 1 < this.count ? (this.#expressions[at + 1] as number) : 0
      const next = known === 0 ? this.term(at + 1) : known - 2
      if (next < 0) break
      at = next
      if (known !== 0) break
    }
    this.#noteExpressions(i, at)
    return at
  }

  /** What begins with a later term of an expression ends where it does: a long one is read once. */
  #noteExpressions(from: number, end: number): void {
    for (let at = from; at < this.count && this.#expressions[at] === 0; ) {
      this.#expressions[at] = end + 2
      const behind = this.term(at)
      if (behind >= end) return
      at = behind + 1
    }
  }

  /** Behind signs and `not` before a value; a run of them is read once. */
  #behindSigns(i: number): number {
    if (i >= this.#signsFrom && i < this.#signsEnd) return this.#signsEnd
    let at = i
    while (this.#isUnary(at)) at++
    this.#signsFrom = i
    this.#signsEnd = at
    return at
  }

  #isUnary(at: number): boolean {
    if (this.keyAt(at) === KEY.not) return true
    return this.kindAt(at) === TOKEN.operator && !this.#isCast(at)
  }

  /** `::` and the name of a type. */
  #isCast(at: number): boolean {
    const start = this.starts[at] as number
    return (
      this.kindAt(at + 1) === TOKEN.word &&
      (this.starts[at + 1] as number) - start === 2 &&
      this.source.startsWith('::', start)
    )
  }

  /**
   * After the bracket or string that opens at `i`; the end of the text when it stays open, for then the
   * query's own quote closes it.
   */
  #skipClosed(i: number): number {
    if (!this.#isLinked) this.#link()
    this.#steps++
    const behind = this.#behindClosing[i] as number
    return behind - i > REACH ? this.count : behind
  }

  /**
   * Finds for all quotes and brackets what closes them, in one pass, so that no question about one reads on
   * from it.
   */
  #link(): void {
    const { count } = this
    this.#isLinked = true
    this.#closers.fill(count)
    let apostrophe = count
    let quote = count
    let backtick = count
    let depth = 0
    for (let at = count - 1; at >= 0; at--) {
      switch (this.#kinds[at]) {
        case TOKEN.apostrophe:
          this.#behindClosing[at] = apostrophe
          apostrophe = at + 1
          break
        case TOKEN.quote:
          this.#behindClosing[at] = quote
          quote = at + 1
          break
        case TOKEN.backtick:
          this.#behindClosing[at] = backtick
          backtick = at + 1
          break
        case TOKEN.close:
          if (depth < MAX_DEPTH) this.#closers[depth] = at + 1
          depth++
          break
        case TOKEN.open:
          depth = Math.max(0, depth - 1)
          this.#behindClosing[at] = depth < MAX_DEPTH ? (this.#closers[depth] as number) : count
          if (depth < MAX_DEPTH) this.#closers[depth] = count
          break
      }
    }
  }
}
