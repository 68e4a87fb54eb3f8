import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { KEY } from './sql-dialect.ts'
import { isQuote, type SqlGrammar } from './sql-grammar.ts'
import { TOKEN } from './sql-tokens.ts'

const { line: LONGEST_LINE, field: LONGEST_FIELD, commented: LONGEST_COMMENTED } = LEXER_BOUNDS.sql

/** The word at `i`; empty for everything that is not a word. */
export function wordAt(sql: SqlGrammar, i: number): string {
  return sql.kindAt(i) === TOKEN.word ? sql.source.slice(sql.starts[i] as number, sql.ends[i] as number) : ''
}

/** `Benchmark (1).xlsx`: the name that systems give to the second copy of a file. */
export function isNumberedCopy({ count, source }: SqlGrammar): boolean {
  return count <= COPY_TOKENS && COPY.test(source)
}

const COPY = /^[a-z]{3,12} \(\d{1,3}\)(?:\.[a-z\d]{1,5})?$/
const COPY_TOKENS = 6

/** Whether what stands before the token at `i` is one word at most, as what a form asks for is. */
export function isShortValue(sql: SqlGrammar, i: number): boolean {
  const before = sql.source.slice(0, sql.starts[i] as number)
  return before.length <= LONGEST_FIELD && !/\s/.test(before.trim())
}

/** Whether a short value ends in a comment, so that the rest of the query is gone. */
export function endsInComment(sql: SqlGrammar): boolean {
  if (sql.source.length > LONGEST_COMMENTED) return false
  let last = sql.count - 1
  while (sql.kindAt(last) === TOKEN.operator) last--
  return sql.kindAt(last) === TOKEN.comment && isTail(sql, last)
}

/** Nothing but a short word behind the comment. */
export function isTail(sql: SqlGrammar, at: number): boolean {
  return /^[\s-]{0,4}\w{0,6}\s{0,4}$/.test(
    sql.source.slice(sql.ends[at] as number, (sql.ends[at] as number) + 16),
  )
}

/** Whether a `case` in brackets starts at `at`. */
export function isCase(sql: SqlGrammar, at: number): boolean {
  return sql.kindAt(at) === TOKEN.open && wordAt(sql, at + 1) === 'case'
}

/** A call no sentence has: a name of several words, the bracket right behind it, something inside. */
export function isCodedCall(sql: SqlGrammar, at: number): boolean {
  return (
    sql.kindAt(at + 1) === TOKEN.open &&
    sql.ends[at] === sql.starts[at + 1] &&
    sql.kindAt(at + 2) !== TOKEN.close &&
    wordAt(sql, at).includes('_')
  )
}

/** Whether the query goes on with a clause of its own: `limit 1`, `order by 1`, `into @x`. */
export function endsClause(sql: SqlGrammar, at: number): boolean {
  const key = sql.keyAt(at)
  const kind = sql.kindAt(at + 1)
  if (key === KEY.limit) return kind === TOKEN.number
  if (key === KEY.order) return sql.keyAt(at + 1) === KEY.by
  return key === KEY.into && (kind === TOKEN.variable || isQuote(kind))
}

/**
 * `7" or 8" pizza`, `5' or 6'`, `5' 11" or 6' 2"`: lengths. As a query the quote behind the number would open
 * a string that nothing needs.
 */
export function isInches(sql: SqlGrammar, logic: number, number: number): boolean {
  if (!isMeasured(sql, logic - 2) || !isMeasured(sql, number)) return false
  const quote = sql.kindAt(logic - 1)
  const isFeet = sql.kindAt(number + 1) !== quote
  if (isFeet && !(isMeasured(sql, number + 2) && sql.kindAt(number + 3) === quote)) return false
  const behind = sql.kindAt(isFeet ? number + 4 : number + 2)
  return behind === TOKEN.end || behind === TOKEN.word || behind === TOKEN.comma || behind === TOKEN.close
}

/** A number with a quote right behind it. */
function isMeasured(sql: SqlGrammar, at: number): boolean {
  return sql.kindAt(at) === TOKEN.number && isQuote(sql.kindAt(at + 1)) && sql.ends[at] === sql.starts[at + 1]
}

/** The first token on the line after a comment's. */
export function afterLine(sql: SqlGrammar, comment: number): number {
  const end = sql.source.indexOf('\n', sql.ends[comment])
  let at = comment + 1
  if (end < 0) return at
  while (at < sql.count && at - comment < LONGEST_LINE && (sql.starts[at] as number) < end) at++
  return at
}
