import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { isOfScript, isShellTest, isWord, testedEnd } from './programs-beside-sql.ts'
import { isDatabaseCall } from './sql-behind-text.ts'
import { KEY } from './sql-dialect.ts'
import type { Finding } from './sql-finding.ts'
import { isQuote, type SqlGrammar } from './sql-grammar.ts'
import { leavesString } from './sql-quotes.ts'
import {
  afterLine,
  endsClause,
  endsInComment,
  isCase,
  isCodedCall,
  isInches,
  isShortValue,
  isTail,
  wordAt,
} from './sql-shapes.ts'
import { afterSemicolon } from './sql-stacked.ts'
import { selectEvidence, statementEvidence } from './sql-statement.ts'
import { TOKEN } from './sql-tokens.ts'

const {
  unionWords: UNION_WORDS,
  closing: MAX_CLOSING,
  opened: LONGEST_OPENED,
  short: SHORT,
  compared: LONGEST_COMPARED,
  beforeCompared: LONGEST_LEAD,
  wordsBeforeComment: MAX_WORDS,
  limitTokens: LIMIT_TOKENS,
} = LEXER_BOUNDS.sql

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * Where a value would leave its place in a query: behind a quote that closes the query's string, or behind
 * a first value.
 */
export type Context = 'string' | 'value' | 'word'

/** Index of the `select` of a `union [all] [(]select` at `i`, or -1. */
export function unionSelect(sql: SqlGrammar, i: number): number {
  let at = i + 1
  if (sql.kindAt(at) === TOKEN.comment) at = afterLine(sql, at)
  for (let n = 0; n < UNION_WORDS && (sql.keyAt(at) === KEY.all || sql.kindAt(at) === TOKEN.open); n++) at++
  return sql.keyAt(at) === KEY.select || sql.keyAt(at) === KEY.values ? at : -1
}

/** How the query would go on at `i`, where a value or a string of it has just ended. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: a table by kind and keyword of how a query goes on; each case is one row of the grammar.
export function continuation(
  sql: SqlGrammar,
  i: number,
  context: Context,
  quote?: number,
): Finding | undefined {
  let at = i
  for (let n = 0; n < MAX_CLOSING && sql.kindAt(at) === TOKEN.close; n++) at++
  const closed = at > i
  if (sql.keyAt(at) === KEY.as && sql.kindAt(at + 1) === TOKEN.word && sql.keyAt(at + 2) === KEY.where)
    at += 2
  const inString = context === 'string'
  const leaving = inString || context === 'value'
  const key = sql.keyAt(at)
  switch (sql.kindAt(at)) {
    case TOKEN.logic:
      return afterLogic(sql, at, context)
    case TOKEN.semicolon:
      // `a@b.example';`: the quote ends the string, the semicolon the statement.
      if (inString && at + 1 >= sql.count && isShortValue(sql, i - 1) && leavesString(sql, i - 1))
        return { id: 'sqli/stacked', score: 5, end: at + 1 }
      return afterSemicolon(sql, at, leaving)
    case TOKEN.comment:
      return inString
        ? afterComment(sql, at, quote ?? 0)
        : closed && leaving && isTail(sql, at)
          ? { id: 'sqli/comment', score: 5, end: at + 1 }
          : undefined
    case TOKEN.comma:
      if (inString && endsInComment(sql) && isShortValue(sql, i - 1))
        return { id: 'sqli/comment', score: 5, end: at + 1 }
      return leaving &&
        (sql.isSubquery(at + 1) ||
          wordAt(sql, at + 1) === 'case' ||
          isCase(sql, at + 1) ||
          sql.isProbeCall(at + 1) ||
          isConditionCall(sql, at + 1))
        ? { id: 'sqli/subquery', score: 6, end: at + 3 }
        : undefined
    case TOKEN.operator:
      return leaving ? afterOperator(sql, at, inString) : undefined
    case TOKEN.open:
      return leaving && sql.isSubquery(at) ? { id: 'sqli/subquery', score: 6, end: at + 3 } : undefined
    case TOKEN.compare:
      if (context === 'value' && endsInComment(sql) && sql.expression(at + 1) === sql.count - 1)
        return { id: 'sqli/tautology', score: 5, end: at + 2 }
      return inString ? afterCompare(sql, at, quote ?? 0) : undefined
    case TOKEN.word:
      break
    default:
      return undefined
  }
  switch (key) {
    case KEY.union: {
      const select = unionSelect(sql, at)
      if (select < 0)
        return leaving && wordAt(sql, at + 1) === 'table' && sql.kindAt(at + 2) === TOKEN.word
          ? { id: 'sqli/union', score: 5, end: at + 3 }
          : undefined
      return leaving || selectEvidence(sql, select) >= 5
        ? { id: 'sqli/union', score: 7, end: select + 3 }
        : undefined
    }
    case KEY.logic:
      return afterLogic(sql, at, context)
    case KEY.having:
    case KEY.where: {
      const next = sql.comparison(at + 1)
      const certain = next > 0 && leaving
      if (certain) return { id: 'sqli/clause', score: 6, end: next }
      return leaving && sql.isProbeCall(at + 1) ? { id: 'sqli/clause', score: 6, end: at + 3 } : undefined
    }
    case KEY.from:
      return leaving && sql.keyAt(at + 2) === KEY.where && sql.comparison(at + 3) > 0
        ? { id: 'sqli/clause', score: 6, end: at + 4 }
        : undefined
    case KEY.order:
      return leaving ? afterOrder(sql, at, inString) : undefined
    case KEY.limit:
      return leaving ? afterLimit(sql, at) : undefined
    case KEY.procedure:
      return leaving && sql.kindAt(at + 2) === TOKEN.open
        ? { id: 'sqli/clause', score: 6, end: at + 3 }
        : undefined
    case KEY.into:
      return leaving && isQuote(sql.kindAt(at + 1))
        ? { id: 'sqli/outfile', score: 6, end: at + 2 }
        : undefined
    case KEY.not:
      if (sql.keyAt(at + 1) !== KEY.test) return undefined
      return leaving ? afterTest(sql, at + 1, inString) : undefined
    case KEY.test:
      return leaving ? afterTest(sql, at, inString) : undefined
    case KEY.select:
      return leaving && selectEvidence(sql, at) >= 5
        ? { id: 'sqli/query', score: 5, end: at + 3, bare: true }
        : undefined
    case KEY.statement: {
      const evidence = leaving ? statementEvidence(sql, at, wordAt(sql, at), wordAt(sql, at + 1)) : 0
      return evidence > 0
        ? { id: 'sqli/statement', score: Math.min(evidence, 5), end: at + 3, bare: true }
        : undefined
    }
    default:
      return undefined
  }
}

// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: the operands of AND and OR in the order in which they are told apart.
function afterLogic(sql: SqlGrammar, i: number, context: Context): Finding | undefined {
  let at = i + 1
  while (sql.keyAt(at) === KEY.not) at++
  const inString = context === 'string'
  if (sql.isSubquery(at) || isCase(sql, at) || wordAt(sql, at) === 'case')
    return { id: 'sqli/subquery', score: 7, end: at + 3 }
  if (sql.keyAt(at) === KEY.exists && sql.kindAt(at + 1) === TOKEN.open)
    return { id: 'sqli/subquery', score: 6, end: at + 3 }
  // So sure that it counts behind a string that the value opened itself, too.
  if (inString && isDatabaseCall(sql, at)) return { id: 'sqli/call', score: 7, end: at + 3 }
  if (sql.isProbeCall(at) || (sql.keyAt(at) === KEY.test && sql.kindAt(at + 1) === TOKEN.open))
    return { id: 'sqli/call', score: 6, end: at + 3 }
  if (sql.kindAt(at) === TOKEN.variable && sql.source.startsWith(':=', sql.ends[at]))
    return { id: 'sqli/tautology', score: 6, end: at + 2 }
  if (inString && (isInches(sql, i, at) || isShellTest(sql, i))) return undefined
  const compared = Math.max(sql.comparison(at), sql.bracketedComparison(at))
  if (compared > 0) {
    if (isOfScript(sql, at, compared)) return undefined
    if (inString)
      return {
        id: 'sqli/tautology',
        score: sql.isSolid(at) ? 7 : sql.keyAt(at) === KEY.english ? 0 : 6,
        end: compared,
      }
    const solid = sql.isSolid(at)
    // `1 or 2 = enough`: a sentence compares with words, an attack with values.
    const last = compared - 1
    if (
      compared === at + 3 &&
      sql.kindAt(last) === TOKEN.word &&
      wordAt(sql, at) === wordAt(sql, last) &&
      context === 'value'
    )
      return { id: 'sqli/tautology', score: 5, end: compared }
    if (
      sql.kindAt(last) === TOKEN.word &&
      sql.keyAt(last) === KEY.none &&
      sql.kindAt(last - 1) === TOKEN.compare &&
      compared >= sql.count
    )
      return undefined
    if (solid && context === 'value') return { id: 'sqli/tautology', score: 6, end: compared }
    const literal = sql.kindAt(at) === TOKEN.number || isQuote(sql.kindAt(at))
    return literal || context === 'value' ? { id: 'sqli/tautology', score: 5, end: compared } : undefined
  }
  const next = sql.expression(at)
  if (next < 0)
    return inString && sql.kindAt(at) === TOKEN.end && sql.kindAt(i) === TOKEN.logic
      ? { id: 'sqli/concatenation', score: 3, end: at }
      : undefined
  const after = sql.kindAt(next)
  // `' or 1 or '`: the query's own quote closes what the last one opens.
  if (
    inString &&
    sql.isSolid(at) &&
    (sql.keyAt(next) === KEY.logic || after === TOKEN.logic) &&
    isQuote(sql.kindAt(next + 1))
  )
    return { id: 'sqli/tautology', score: 6, end: next + 2 }
  if (after === TOKEN.comment && sql.isSolid(at) && context !== 'word')
    return { id: 'sqli/tautology', score: 6, end: next + 1 }
  if (context !== 'word' && isCodedCall(sql, at)) return { id: 'sqli/call', score: 5, end: next }
  if (inString && sql.isSolid(at) && endsClause(sql, next))
    return { id: 'sqli/tautology', score: 6, end: next + 2 }
  if (context === 'value' && sql.keyAt(at) === KEY.literal && next >= sql.count)
    return { id: 'sqli/tautology', score: 5, end: next }
  if (!inString) return undefined
  // `' or 'a`: the string it opens is closed by the query; `'or'` is a word in quotes.
  const opens =
    !isWord(sql, i, at) &&
    isQuote(sql.kindAt(at)) &&
    sql.kindAt(at) === sql.kindAt(i - 1) &&
    next >= sql.count &&
    sql.source.length <= LONGEST_OPENED
  if (
    opens ||
    (sql.isSolid(at) &&
      !isQuote(sql.kindAt(at)) &&
      (after === TOKEN.end || after === TOKEN.close || isQuote(after)))
  ) {
    return { id: 'sqli/tautology', score: 5, end: next }
  }
  if (after === TOKEN.logic && isQuote(sql.kindAt(next + 1)) && sql.source.length <= SHORT)
    return { id: 'sqli/concatenation', score: 5, end: next + 1 }
  return after === TOKEN.comment || (isQuote(after) && sql.kindAt(i) === TOKEN.logic)
    ? { id: 'sqli/tautology', score: 5, end: next }
    : undefined
}

/** Whether `if(` or `iif(` with a comparison inside starts at `at`. */
export function isConditionCall(sql: SqlGrammar, at: number): boolean {
  return (
    /^i?if$/.test(wordAt(sql, at)) &&
    sql.kindAt(at + 1) === TOKEN.open &&
    sql.isSolid(at + 2) &&
    sql.comparison(at + 2) > 0
  )
}

/**
 * A comment right behind the quote ends the statement; in prose a dash behind a quoted word goes on with
 * text.
 */
function afterComment(sql: SqlGrammar, at: number, quote: number): Finding | undefined {
  if (!isTail(sql, at)) return undefined
  const prefix = sql.source.slice(0, sql.starts[quote] as number)
  if (prefix.trim().split(/\s{1,8}/, MAX_WORDS + 1).length > MAX_WORDS) return undefined
  const bare = (sql.ends[at] as number) >= sql.source.trimEnd().length
  if (!bare && /\s/.test(prefix.trim())) return undefined
  return { id: 'sqli/comment', score: 5, end: at + 1 }
}

/** Versions of a package up to the closing quote, each with a sign that begins no value of SQL. */
const VERSIONS = /^[\^~]\d[\w.*-]{0,20}(?:\s{0,2}\|\|\s{0,2}(?:\^|[<>]=?)\s?\d[\w.*-]{0,20}){1,6}["']/
const VERSIONS_REACH = 160

function afterOperator(sql: SqlGrammar, at: number, inString: boolean): Finding | undefined {
  const value = at + 1
  if (sql.isSubquery(value) || sql.isProbeCall(value) || isCase(sql, value))
    return { id: 'sqli/call', score: 6, end: value + 3 }
  if (
    !inString ||
    VERSIONS.test(sql.source.slice(sql.starts[at], (sql.starts[at] as number) + VERSIONS_REACH))
  )
    return undefined
  const next = sql.expression(value)
  if (next < 0) return undefined
  const after = sql.kindAt(next)
  if (sql.keyAt(next) === KEY.logic || after === TOKEN.logic) {
    const found = afterLogic(sql, next, 'string')
    return found === undefined ? undefined : { ...found, id: 'sqli/arithmetic' }
  }
  const quoted = isQuote(after) && sql.source.length > SHORT
  if (
    (sql.kindAt(value) === TOKEN.variable && !quoted) ||
    (after === TOKEN.comment && isTail(sql, next) && sql.isSolid(value))
  )
    return { id: 'sqli/arithmetic', score: 5, end: next }
  const call =
    sql.kindAt(value) === TOKEN.word && charCodeAt.call(sql.source, sql.starts[value + 1] as number) === 40
  if (call && after === TOKEN.operator && isQuote(sql.kindAt(next + 1))) {
    return { id: 'sqli/arithmetic', score: 5, end: next }
  }
  const sign = after === TOKEN.compare ? sql.source[sql.starts[next] as number] : ''
  const equals = sign === '=' || sign === '!'
  if (sql.keyAt(next) === KEY.test && sql.isSolid(next + 1))
    return { id: 'sqli/arithmetic', score: 5, end: next }
  return equals && sql.isSolid(value) && sql.source.length <= SHORT
    ? { id: 'sqli/arithmetic', score: 5, end: next }
    : undefined
}

function afterCompare(sql: SqlGrammar, at: number, quote: number): Finding | undefined {
  if (
    (sql.starts[quote] as number) > LONGEST_LEAD ||
    charCodeAt.call(sql.source, sql.starts[at] as number) === 62
  )
    return undefined
  const value = at + 1
  const short = sql.source.length <= LONGEST_COMPARED
  if (sql.isSubquery(value) || sql.isProbeCall(value))
    return { id: 'sqli/subquery', score: 6, end: value + 2 }
  const next = sql.expression(value)
  if (next < 0 || !sql.isSolid(value)) return undefined
  if (sql.keyAt(next) === KEY.logic || sql.kindAt(next) === TOKEN.logic || sql.kindAt(next) === TOKEN.comment)
    return { id: 'sqli/tautology', score: 5, end: next }
  return short &&
    isQuote(sql.kindAt(value)) &&
    charCodeAt.call(sql.source, sql.starts[at] as number) === 61 &&
    sql.starts[at] === sql.ends[quote]
    ? { id: 'sqli/tautology', score: 5, end: next }
    : undefined
}

function afterOrder(sql: SqlGrammar, at: number, inString: boolean): Finding | undefined {
  if (sql.keyAt(at + 1) !== KEY.by) return undefined
  const next = sql.expression(at + 2)
  if (next < 0) return undefined
  const number = sql.kindAt(at + 2) === TOKEN.number
  const after = sql.kindAt(next)
  if (after === TOKEN.comment || sql.keyAt(next) === KEY.union || sql.keyAt(next) === KEY.having)
    return { id: 'sqli/clause', score: 6, end: next }
  if (number && (after === TOKEN.end || after === TOKEN.comma))
    return { id: 'sqli/clause', score: 5, end: next }
  if (sql.kindAt(at + 2) === TOKEN.open && !inString) return { id: 'sqli/clause', score: 5, end: next }
  return inString && isQuote(sql.kindAt(at + 2)) ? { id: 'sqli/clause', score: 4, end: next } : undefined
}

function afterLimit(sql: SqlGrammar, at: number): Finding | undefined {
  for (let i = at + 1; i <= at + LIMIT_TOKENS; i++) {
    const key = sql.keyAt(i)
    if (key === KEY.union || key === KEY.procedure || key === KEY.into)
      return { id: 'sqli/clause', score: 6, end: i }
    if (sql.kindAt(i) === TOKEN.comment && i > at + 1) return { id: 'sqli/clause', score: 6, end: i }
  }
  return undefined
}

/** `"x" rlike sleep(5)`: nothing else matches with what a database waits for. */
function sleepScore(sql: SqlGrammar, at: number): number {
  return /^r?like$/.test(wordAt(sql, at - 1)) && wordAt(sql, at) === 'sleep' ? 7 : 6
}

function afterTest(sql: SqlGrammar, at: number, inString: boolean): Finding | undefined {
  const value = at + 1
  if (sql.isSubquery(value) || sql.isProbeCall(value) || isCase(sql, value))
    return { id: 'sqli/subquery', score: sleepScore(sql, value), end: value + 2 }
  // MySQL's full-text search: the value was its search string.
  if (wordAt(sql, value) === 'boolean' && wordAt(sql, value + 1) === 'mode')
    return continuation(sql, value + 2, inString ? 'string' : 'value', at)
  const next = testedEnd(sql, at)
  if (next < 0) return undefined
  if (sql.keyAt(next) === KEY.logic && (inString || sql.isSolid(value))) {
    const found = afterLogic(sql, next, inString ? 'string' : 'value')
    if (found !== undefined) return found
  }
  if (!inString || !sql.isSolid(value)) return undefined
  if (sql.kindAt(next) === TOKEN.compare && isQuote(sql.kindAt(next + 1)))
    return { id: 'sqli/tautology', score: 5, end: next + 1 }
  if (sql.keyAt(next) === KEY.test || (next >= sql.count && sql.source.length <= LONGEST_COMPARED))
    return { id: 'sqli/tautology', score: 5, end: next }
  return sql.kindAt(next) === TOKEN.comment || (isQuote(sql.kindAt(value)) && sql.source.length <= SHORT)
    ? { id: 'sqli/tautology', score: 5, end: next }
    : undefined
}
