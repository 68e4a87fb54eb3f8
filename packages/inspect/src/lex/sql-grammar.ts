import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { ends, KEY, keys, kinds, MAX_TOKENS, SQL, starts } from './sql-tokens.ts'

const { sqlReach: REACH, sqlSteps: MAX_STEPS, sqlDepth: MAX_DEPTH } = LEXER_BOUNDS

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

let steps = 0
let last = 0
let source = ''

/** Prepares the grammar for the `count` tokens just written of a text in lower case. */
export function beginGrammar(lower: string, count: number): void {
  steps = 0
  isLinked = false
  // Native code that fills takes longer to be called than the few tokens of most texts.
  for (let at = 0; at < count; at++) {
    terms[at] = 0
    expressions[at] = 0
  }
  last = count
  source = lower
}

/** The text behind the tokens, for the few questions that kinds do not answer. */
export function sourceText(): string {
  return source
}

/** How many tokens there are. */
export function tokenCount(): number {
  return last
}

/** Whether the text was too intricate to be read to its end. */
export function isExhausted(): boolean {
  return steps > MAX_STEPS
}

/** The kind of a token; `SQL.end` beyond the last. */
export function kindAt(i: number): number {
  return i < last ? (kinds[i] as number) : SQL.end
}

/** What the word at `i` means; `KEY.none` for everything that is not a word. */
export function keyAt(i: number): number {
  return i < last ? (keys[i] as number) : KEY.none
}

export function isQuote(kind: number): boolean {
  return kind === SQL.apostrophe || kind === SQL.quote || kind === SQL.backtick
}

/** For each quote and each opening bracket the token behind what closes it; written by `link`. */
const behindClosing = new Int32Array(MAX_TOKENS + 1)
let isLinked = false

/**
 * Finds for all quotes and brackets what closes them, in one pass, so that no question about one reads on
 * from it.
 */
function link(): void {
  isLinked = true
  closers.fill(MAX_TOKENS)
  let apostrophe = last
  let quote = last
  let backtick = last
  let depth = 0
  for (let at = last - 1; at >= 0; at--) {
    const kind = kinds[at]
    if (kind === SQL.apostrophe) {
      behindClosing[at] = apostrophe
      apostrophe = at + 1
    } else if (kind === SQL.quote) {
      behindClosing[at] = quote
      quote = at + 1
    } else if (kind === SQL.backtick) {
      behindClosing[at] = backtick
      backtick = at + 1
    } else if (kind === SQL.close) {
      if (depth < MAX_DEPTH) closers[depth] = at + 1
      depth++
    } else if (kind === SQL.open) {
      depth = Math.max(0, depth - 1)
      behindClosing[at] = openedAt(depth)
      closers[depth] = last
    }
  }
}

const closers = new Int32Array(MAX_DEPTH).fill(MAX_TOKENS)

function openedAt(depth: number): number {
  return depth < MAX_DEPTH ? Math.min(last, closers[depth] as number) : last
}

/**
 * After the bracket or string that opens at `i`; the end of the text when it stays open, for then the
 * query's own quote closes it.
 */
function skipClosed(i: number): number {
  if (!isLinked) link()
  steps++
  const behind = behindClosing[i] as number
  return behind - i > REACH ? last : behind
}

/**
 * Whether a word with an opening bracket right behind it is a function of SQL that a query is probed with.
 */
export function isProbeCall(i: number): boolean {
  const key = keyAt(i)
  if (key === KEY.probe && kindAt(i + 1) === SQL.dot) return true
  return (key === KEY.probe || key === KEY.literal) && kindAt(i + 1) === SQL.open
}

/** Whether a subquery, perhaps in brackets, starts at `i`. */
export function isSubquery(i: number): boolean {
  let at = i
  while (kindAt(at) === SQL.open) at++
  return keyAt(at) === KEY.select && at > i
}

/** By token, the answer of `term` plus 2; 0 where it was not asked yet. */
const terms = new Int32Array(MAX_TOKENS + 1)
/** The same of `expression`. */
const expressions = new Int32Array(MAX_TOKENS + 1)

/** After the value that starts at `i`, or -1. Asked for many times over, and found once. */
export function term(i: number): number {
  if (i >= last) return -1
  const known = terms[i] as number
  if (known !== 0) return known - 2
  const next = findTerm(i)
  terms[i] = next + 2
  return next
}

function findTerm(i: number): number {
  let at = i
  for (let n = 0; n < 8 && isUnary(at); n++) at++
  steps++
  let next: number
  switch (kindAt(at)) {
    case SQL.number:
      // MySQL reads `1.e(x)` as `(x)`.
      next = kindAt(at + 1) === SQL.open && starts[at + 1] === ends[at] ? skipClosed(at + 1) : at + 1
      break
    case SQL.variable:
      next = at + 1
      break
    case SQL.apostrophe:
    case SQL.quote:
    case SQL.backtick:
      next = skipClosed(at)
      break
    case SQL.open:
      next = skipClosed(at)
      break
    case SQL.word:
      next = wordTerm(at)
      break
    default:
      return -1
  }
  if (next < 0) return -1
  while (kindAt(next) === SQL.operator && isCast(next)) next += 2
  if (keyAt(next) === KEY.collate) next += 2
  return Math.min(next, last)
}

function isUnary(at: number): boolean {
  if (keyAt(at) === KEY.not) return true
  return kindAt(at) === SQL.operator && !isCast(at)
}

/** `::` is two characters wide; every other operator is one. */
function isCast(at: number): boolean {
  return (
    kindAt(at + 1) === SQL.word && (starts[at + 1] as number) - (starts[at] as number) === 2 && castMark(at)
  )
}

function castMark(at: number): boolean {
  return source.startsWith('::', starts[at] as number)
}

function wordTerm(at: number): number {
  const key = keyAt(at)
  if (key === KEY.caseWhen) {
    for (let i = at; i < last && i - at < REACH; i++) {
      steps++
      if (keyAt(i) === KEY.end) return i + 1
    }
    return last
  }
  if (key === KEY.statement && kindAt(at + 1) === SQL.open) return skipClosed(at + 1)
  if (key === KEY.exists)
    return kindAt(at + 1) === SQL.open && starts[at + 1] === ends[at] ? skipClosed(at + 1) : at + 1
  if (
    key === KEY.none ||
    key === KEY.literal ||
    key === KEY.probe ||
    key === KEY.common ||
    key === KEY.object ||
    key === KEY.test ||
    key === KEY.values
  ) {
    let next = at + 1
    while (kindAt(next) === SQL.dot && next - at < 12) next += 2
    if (kindAt(next) === SQL.open) return skipClosed(next)
    return key === KEY.test ? -1 : next
  }
  return -1
}

/** After the arithmetic that starts at `i`: terms joined by operators; or -1. */
export function expression(i: number): number {
  if (i >= last) return -1
  const known = expressions[i] as number
  if (known !== 0) return known - 2
  const next = findExpression(i)
  expressions[i] = next + 2
  return next
}

function findExpression(i: number): number {
  let at = term(i)
  for (let n = 0; n < 12 && at >= 0; n++) {
    if (kindAt(at) !== SQL.operator) return at
    const next = term(at + 1)
    if (next < 0) return at
    at = next
  }
  return at
}

/** After a comparison that starts at `i` (`1=1`, `x like 'y'`, `a between 1 and 2`), or -1. */
export function comparison(i: number): number {
  const left = expression(i)
  if (left < 0 || left >= last) return -1
  if (kindAt(left) === SQL.compare) return kindAt(left + 1) === SQL.end ? left + 1 : expression(left + 1)
  // PostgreSQL's `?` asks a document for a key.
  if (
    kindAt(left) === SQL.other &&
    charCodeAt.call(source, starts[left] as number) === 63 &&
    isQuote(kindAt(left + 1))
  )
    return expression(left + 1)
  const test = keyAt(left) === KEY.not ? left + 1 : left
  // `'a' or 'b' is considered`: a sentence goes on with a word.
  return keyAt(test) === KEY.test && isSolid(test + 1) ? expression(test + 1) : -1
}

/** After a bracket at `i` with a comparison inside (`(1=1)*2`), or -1. */
export function bracketedComparison(i: number): number {
  let at = i
  while (kindAt(at) === SQL.open) at++
  return at > i && comparison(at) > 0 ? skipClosed(i) : -1
}

/**
 * Whether the value at `i` is a number, a string, a variable, a bracket or a call: something no sentence
 * has after `or`.
 */
export function isSolid(i: number): boolean {
  let at = i
  for (let n = 0; n < 8 && isUnary(at); n++) at++
  const kind = kindAt(at)
  if (kind === SQL.number || kind === SQL.variable || kind === SQL.open || isQuote(kind)) return true
  return keyAt(at) === KEY.literal || (kind === SQL.word && kindAt(at + 1) === SQL.open)
}
