import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { KEY } from './sql-dialect.ts'
import type { Finding } from './sql-finding.ts'
import { isQuote, type SqlGrammar } from './sql-grammar.ts'
import { endsInComment, wordAt } from './sql-shapes.ts'
import { TOKEN } from './sql-tokens.ts'

const { closing: MAX_CLOSING, bracketed: MAX_BRACKETED } = LEXER_BOUNDS.sql

/** Functions of databases that no program, sentence or formula of a table calls by this name. */
const DATABASE_CALL =
  /^(?:elt|make_set|pg_sleep(?:_for)?|benchmark|extractvalue|updatexml|randomblob|zeroblob|row_count|load_file|regexp_substring|crypt_key|xp_\w{3,24}|json_keys|gtid_(?:subset|subtract)|name_const|dbms_\w{3,24}|utl_\w{3,24}|ctxsys|st_latfromgeohash)$/
const CODE_CALL = /^cha?r$/

/**
 * Where a query goes on behind a number, or behind a bracket that nothing in the value opens, whatever text
 * stands before: `see 1) and 3659=5475`. Weaker evidence counts at the start of a value only.
 */
export function behindText(sql: SqlGrammar, i: number): Finding | undefined {
  const key = sql.keyAt(i)
  if (key === KEY.where || key === KEY.having) return clause(sql, i)
  if (key === KEY.order) return order(sql, i)
  if (key !== KEY.logic && sql.kindAt(i) !== TOKEN.logic) return undefined
  let at = i + 1
  while (sql.keyAt(at) === KEY.not) at++
  if (isDatabaseCall(sql, at) && isLeft(sql, i)) return { id: 'sqli/call', score: 5, end: at + 3 }
  if (
    key === KEY.logic &&
    sql.kindAt(i - 1) === TOKEN.close &&
    isNumberCompared(sql, at) &&
    closesNothing(sql, i - 1)
  )
    return { id: 'sqli/tautology', score: 5, end: at + 3 }
  return undefined
}

/** Whether a function that only databases have is called at `at`, or characters are joined by their codes. */
export function isDatabaseCall(sql: SqlGrammar, at: number): boolean {
  const word = wordAt(sql, at)
  if (word === '' || sql.starts[at + 1] !== sql.ends[at]) return false
  if (DATABASE_CALL.test(word)) return sql.kindAt(at + 1) === TOKEN.open || sql.kindAt(at + 1) === TOKEN.dot
  return (
    CODE_CALL.test(word) &&
    sql.kindAt(at + 2) === TOKEN.number &&
    sql.kindAt(at + 3) === TOKEN.close &&
    sql.kindAt(at + 4) === TOKEN.logic &&
    CODE_CALL.test(wordAt(sql, at + 5))
  )
}

/** `1 where 5=5`, `1) as a where 5=5`: two numbers, behind a number. */
function clause(sql: SqlGrammar, i: number): Finding | undefined {
  if (!isNumberCompared(sql, i + 1)) return undefined
  const before = sql.keyAt(i - 2) === KEY.as ? i - 2 : i
  const isClosed = before < i && sql.kindAt(before - 1) === TOKEN.close && closesNothing(sql, before - 1)
  return isClosed || isNumberBefore(sql, before) ? { id: 'sqli/clause', score: 5, end: i + 4 } : undefined
}

/** `1 order by 10--`, with nothing behind the comment. */
function order(sql: SqlGrammar, i: number): Finding | undefined {
  const isCounted = sql.keyAt(i + 1) === KEY.by && sql.kindAt(i + 2) === TOKEN.number
  if (!isCounted || sql.kindAt(i + 3) !== TOKEN.comment || !endsInComment(sql)) return undefined
  return isLeft(sql, i) ? { id: 'sqli/clause', score: 5, end: i + 4 } : undefined
}

function isNumberCompared(sql: SqlGrammar, at: number): boolean {
  return (
    sql.kindAt(at) === TOKEN.number &&
    sql.kindAt(at + 1) === TOKEN.compare &&
    sql.kindAt(at + 2) === TOKEN.number &&
    sql.source[sql.starts[at + 1] as number] === '='
  )
}

/** Whether a value could end before the token at `i`: a number, a quote, or a bracket that nothing opens. */
function isLeft(sql: SqlGrammar, i: number): boolean {
  const kind = sql.kindAt(i - 1)
  return kind === TOKEN.number || isQuote(kind) || isNumberBefore(sql, i)
}

/** A number, perhaps with brackets behind it. */
function isNumberBefore(sql: SqlGrammar, i: number): boolean {
  let at = i - 1
  while (sql.kindAt(at) === TOKEN.close && i - at <= MAX_CLOSING) at--
  if (at < i - 1 && isQuote(sql.kindAt(at))) return closesNothing(sql, i - 1)
  return sql.kindAt(at) === TOKEN.number && (at === i - 1 || closesNothing(sql, i - 1))
}

/** Whether nothing opens the bracket that closes at `at`, as far as anybody looks. */
function closesNothing(sql: SqlGrammar, at: number): boolean {
  let depth = 0
  for (let i = at; i >= 0 && at - i < MAX_BRACKETED; i--) {
    if (sql.kindAt(i) === TOKEN.close) depth++
    else if (sql.kindAt(i) === TOKEN.open && --depth === 0) return false
  }
  return true
}
