import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { isQuote, keyAt, kindAt, sourceText, tokenCount } from './sql-grammar.ts'
import { ends, KEY, SQL, starts } from './sql-tokens.ts'

const { sqlLine: LONGEST_LINE } = LEXER_BOUNDS

/** The word at `i`; empty for everything that is not a word. */
export function wordAt(i: number): string {
  return kindAt(i) === SQL.word ? sourceText().slice(starts[i] as number, ends[i] as number) : ''
}

/** Whether what stands before the token at `i` is one word at most, as what a form asks for is. */
export function isShortValue(i: number): boolean {
  const before = sourceText().slice(0, starts[i] as number)
  return before.length <= 64 && !/\s/.test(before.trim())
}

/** Whether a short value ends in a comment, so that the rest of the query is gone. */
export function endsInComment(): boolean {
  if (sourceText().length > 160) return false
  let last = tokenCount() - 1
  while (kindAt(last) === SQL.operator) last--
  return kindAt(last) === SQL.comment && isTail(last)
}

/** Nothing but a short word behind the comment. */
export function isTail(at: number): boolean {
  return /^[\s-]{0,4}\w{0,6}\s{0,4}$/.test(sourceText().slice(ends[at] as number, (ends[at] as number) + 16))
}

/** Whether a `case` in brackets starts at `at`. */
export function isCase(at: number): boolean {
  return kindAt(at) === SQL.open && keyAt(at + 1) === KEY.caseWhen
}

/** A call no sentence has: a name of several words, the bracket right behind it, something inside. */
export function isCodedCall(at: number): boolean {
  return (
    kindAt(at + 1) === SQL.open &&
    ends[at] === starts[at + 1] &&
    kindAt(at + 2) !== SQL.close &&
    wordAt(at).includes('_')
  )
}

/** Whether the query goes on with a clause of its own: `limit 1`, `order by 1`, `into @x`. */
export function endsClause(at: number): boolean {
  const key = keyAt(at)
  const kind = kindAt(at + 1)
  if (key === KEY.limit) return kind === SQL.number
  if (key === KEY.order) return keyAt(at + 1) === KEY.by
  return key === KEY.into && (kind === SQL.variable || isQuote(kind))
}

/**
 * `7" or 8" pizza`, `5' or 6'`: lengths. As a query the second quote would open a string that nothing
 * needs.
 */
export function isInches(logic: number, number: number): boolean {
  const quote = kindAt(logic - 1)
  const behind = kindAt(number + 2)
  return (
    kindAt(number) === SQL.number &&
    kindAt(number + 1) === quote &&
    kindAt(logic - 2) === SQL.number &&
    ends[logic - 2] === starts[logic - 1] &&
    ends[number] === starts[number + 1] &&
    (behind === SQL.end || behind === SQL.word || behind === SQL.comma || behind === SQL.close)
  )
}

/** The first token on the line after a comment's. */
export function afterLine(comment: number): number {
  const end = sourceText().indexOf('\n', ends[comment])
  let at = comment + 1
  if (end < 0) return at
  while (at < tokenCount() && at - comment < LONGEST_LINE && (starts[at] as number) < end) at++
  return at
}
