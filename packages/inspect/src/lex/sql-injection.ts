import type { Span } from '../rule/rule.ts'
import type { Reading } from '../value/reading.ts'
import { isQueryLanguage } from '../value/value-setting.ts'
import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { behindText } from './sql-behind-text.ts'
import { continuation, isConditionCall, unionSelect } from './sql-continuation.ts'
import { ANY_DATABASE, KEY, type SqlDialect } from './sql-dialect.ts'
import type { Finding } from './sql-finding.ts'
import { isQuote, SqlGrammar } from './sql-grammar.ts'
import { isComparedLiteral, isFilter, isInWord, isMentioned } from './sql-quotes.ts'
import { isCase, isNumberedCopy, isTail, wordAt } from './sql-shapes.ts'
import { afterSemicolon } from './sql-stacked.ts'
import { selectEvidence, statementEvidence } from './sql-statement.ts'
import { TOKEN } from './sql-tokens.ts'

const { series: LONGEST_SERIES } = LEXER_BOUNDS.sql

/** What a condition counts in a value that is a list of them: a stricter level looks at it. */
const FILTER = 4

/** The score of evidence behind which no stronger one is looked for. */
const CERTAIN = 6

/**
 * How a value would act inside a query: cut into tokens once, then read as a continuation of a value (`1 or
 * 1=1`), of a string (`x' or 'a'='a`), and as a statement. Words prove nothing; a comparison, a subquery, a
 * call, a comment right where the value leaves its place does.
 */
export class SqlInjectionLexer {
  readonly #sql: SqlGrammar
  /** Quotes are counted up to this token: how many of each kind stand before it. */
  #counted = 0
  #apostrophes = 0
  #quotes = 0

  /** @param dialect what the database behind the application reads; default: all of them */
  constructor(dialect: SqlDialect = ANY_DATABASE) {
    this.#sql = new SqlGrammar(dialect)
  }

  /** The strongest evidence; undefined when there is none. */
  find(reading: Reading): Span | undefined {
    const sql = this.#sql
    sql.begin(reading.lower)
    const { hasLinesBehind } = sql
    const found = this.#strongest(reading)
    if (!hasLinesBehind || (found?.score ?? 0) >= CERTAIN) return found
    sql.passOverLineComments()
    const behind = this.#strongest(reading)
    return (behind?.score ?? 0) > (found?.score ?? 0) ? behind : found
  }

  #strongest(reading: Reading): Span | undefined {
    const sql = this.#sql
    if (sql.count < 2 || isNumberedCopy(sql)) return undefined
    let best = reading.fromStart ? unlessOwn(atStart(sql), reading) : undefined
    let from = 0
    this.#counted = 0
    this.#apostrophes = 0
    this.#quotes = 0
    for (let i = 0; i < sql.count && !sql.isExhausted; i++) {
      const kind = sql.kindAt(i)
      let found: Finding | undefined
      if (kind === TOKEN.apostrophe || kind === TOKEN.quote) found = this.#afterQuote(i)
      else if (kind === TOKEN.semicolon) found = afterSemicolon(sql, i, false)
      else if (kind === TOKEN.logic || sql.keyAt(i) !== KEY.none) found = anywhere(sql, i)
      if (found !== undefined && isSurer(found, best) && unlessOwn(found, reading) !== undefined) {
        best = found
        from = i
      }
      if (best !== undefined && best.score >= CERTAIN) break
    }
    if (sql.isExhausted) return { start: 0, end: 80, score: 10, id: 'bounds/effort' }
    return best && spanOf(sql, from, best)
  }

  /** What follows a quote. Even quotes close a string that the value itself opened: weaker evidence. */
  #afterQuote(i: number): Finding | undefined {
    const sql = this.#sql
    // Asked first: behind most quotes of sentences no query goes on.
    const found = continuation(sql, i + 1, 'string', i)
    if (found === undefined || isMentioned(sql, i)) return undefined
    const isOpening = this.#isOdd(i)
    // The end of a list of strings: `in ["a", "b"] && x > 1`.
    if (!isOpening && sql.source[sql.ends[i] as number] === ']') return undefined
    // Nobody keeps a query that begins by leaving a string.
    if (isOpening) return found.id === 'sqli/subquery' ? { ...found, bare: false } : found
    // `''` is an escaped quote and does not open a string.
    if (isQuote(sql.kindAt(i - 1)) && sql.starts[i] === sql.ends[i - 1] && sql.kindAt(i - 2) !== TOKEN.open)
      return found
    if (isComparedLiteral(sql, i)) return undefined
    if (found.id === 'sqli/tautology' && isFilter(sql, i)) return { ...found, score: FILTER }
    return found.score >= 7 ? found : { ...found, score: found.score - 2 }
  }

  /** Whether a quote is the first of its kind, the third ...; apostrophes within words do not count. */
  #isOdd(i: number): boolean {
    const sql = this.#sql
    for (; this.#counted < i; this.#counted++) {
      const kind = sql.kindAt(this.#counted)
      if (kind === TOKEN.quote) this.#quotes++
      else if (kind === TOKEN.apostrophe && !isInWord(sql, this.#counted)) this.#apostrophes++
    }
    return (sql.kindAt(i) === TOKEN.quote ? this.#quotes : this.#apostrophes) % 2 === 0
  }
}

function isSurer({ score }: Finding, best: Finding | undefined): boolean {
  return best === undefined || score > best.score
}

function spanOf(sql: SqlGrammar, from: number, { id, score, end, bare }: Finding): Span {
  return {
    start: sql.starts[from] as number,
    end: sql.ends[Math.max(from, Math.min(end, sql.count) - 1)] as number,
    score,
    id,
    ...(bare !== undefined && { bare }),
  }
}

/** What every language of queries has. */
export const OF_EVERY_QUERY: ReadonlySet<string> = new Set([
  'sqli/tautology',
  'sqli/clause',
  'sqli/arithmetic',
  'sqli/concatenation',
])

/** Who asks in a language of its own compares, joins and sorts; comments are those of SQL. */
function unlessOwn(found: Finding | undefined, reading: Reading): Finding | undefined {
  if (found === undefined || !OF_EVERY_QUERY.has(found.id)) return found
  const { lower } = reading
  if (lower.includes('--') || lower.includes('/*')) return found
  return isQueryLanguage(reading.name, reading.place) ? undefined : found
}

/** The value as a number or a name, and what follows; or as a whole statement. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: what a whole value can be, from a query to a condition, in the order of certainty.
function atStart(sql: SqlGrammar): Finding | undefined {
  let at = 0
  while (sql.kindAt(at) === TOKEN.open || sql.kindAt(at) === TOKEN.close) at++
  const key = sql.keyAt(at)
  if (key === KEY.select) {
    const evidence = selectEvidence(sql, at)
    const score = at > 0 && evidence > 0 ? 6 : evidence
    if (score > 0) return { id: 'sqli/query', score: Math.min(score, 5), end: at + 4, bare: true }
  }
  if (key === KEY.caseWhen && isWholeCase(sql, at))
    return { id: 'sqli/query', score: 5, end: sql.count, bare: true }
  if (
    at > 0 &&
    sql.kindAt(sql.term(0)) === TOKEN.comment &&
    isTail(sql, sql.term(0)) &&
    (sql.isSolid(at) || sql.isSubquery(at - 1))
  ) {
    return { id: 'sqli/comment', score: 5, end: sql.count }
  }
  const statement = key === KEY.statement ? wholeStatement(sql, at) : undefined
  if (statement !== undefined) return statement
  if (sql.kindAt(at) === TOKEN.semicolon) return afterSemicolon(sql, at, true)
  if (sql.kindAt(at) === TOKEN.comment && at === 0) return undefined
  if (key === KEY.union || key === KEY.logic || sql.kindAt(at) === TOKEN.logic)
    return continuation(sql, at, 'word')
  if (sql.isProbeCall(at)) return probe(sql, at)
  const next = sql.expression(at)
  if (next <= 0) return undefined
  const solid = sql.kindAt(at) !== TOKEN.word && sql.kindAt(next - 1) !== TOKEN.word
  const number =
    sql.kindAt(at) === TOKEN.number ||
    (sql.kindAt(at) === TOKEN.operator && sql.kindAt(at + 1) === TOKEN.number)
  if (number && sql.kindAt(at) === TOKEN.operator && next > at + 2 && sql.isProbeCall(at + 3))
    return { id: 'sqli/call', score: 6, end: next }
  const inside = number ? arithmetic(sql, at, next) : undefined
  return inside ?? continuation(sql, next, solid || number ? 'value' : 'word')
}

/** A `case` that is the whole value. */
function isWholeCase(sql: SqlGrammar, at: number): boolean {
  return (
    wordAt(sql, at) === 'case' &&
    wordAt(sql, lastWord(sql)) === 'end' &&
    sql.source.includes('when') &&
    sql.source.includes('then')
  )
}

/** The value as a statement other than a query. */
function wholeStatement(sql: SqlGrammar, at: number): Finding | undefined {
  const word = wordAt(sql, at)
  // `IF({Price} > 10, ...)`: formulas of tables name their columns so.
  const isFormula = /^\s{0,2}if\(\{/.test(sql.source)
  if (!isFormula && /^i?if$/.test(word) && sql.kindAt(at + 1) === TOKEN.open) {
    const compared = sql.comparison(at + 2)
    if (compared > 0 && sql.kindAt(compared) === TOKEN.comma && sql.isSolid(at + 2))
      return { id: 'sqli/call', score: 5, end: compared + 1 }
  }
  if (word === 'begin' && sql.isProbeCall(at + 1)) return { id: 'sqli/statement', score: 5, end: at + 3 }
  const statement = isBareDefinition(sql, at) ? 4 : statementEvidence(sql, at, word, wordAt(sql, at + 1))
  return statement > 0
    ? { id: 'sqli/statement', score: Math.min(statement, 5), end: at + 4, bare: true }
    : undefined
}

/** The last token that closes no bracket. */
function lastWord(sql: SqlGrammar): number {
  let at = sql.count - 1
  while (sql.kindAt(at) === TOKEN.close) at--
  return at
}

/**
 * `drop table lamp`: three words and nothing else. Nothing was left or broken out of, and shops sell such
 * things; who wants to run it as a whole value
 * needs a backend that runs values. A stricter level counts it.
 */
function isBareDefinition(sql: SqlGrammar, at: number): boolean {
  const name = wordAt(sql, at + 2)
  return (
    at + 3 === sql.count &&
    /^(?:drop|truncate|create)$/.test(wordAt(sql, at)) &&
    sql.keyAt(at + 1) === KEY.object &&
    name !== '' &&
    !/[_\d]/.test(name)
  )
}

/** A number with a call or a subquery calculated onto it: `1-sleep(5)`. */
function arithmetic(sql: SqlGrammar, from: number, to: number): Finding | undefined {
  for (let i = from + 1; i < to; i++) {
    if (sql.kindAt(i) !== TOKEN.operator) continue
    if (sql.isProbeCall(i + 1) || sql.isSubquery(i + 1) || isCase(sql, i + 1) || isConditionCall(sql, i + 1))
      return { id: 'sqli/call', score: 6, end: to }
  }
  return undefined
}

/**
 * A whole value that is a call: `benchmark(15000000,md5(1))`, `sleep(5)`; one that other languages share
 * counts less.
 */
function probe(sql: SqlGrammar, at: number): Finding | undefined {
  if (XPATH.test(sql.source.slice(sql.ends[at], (sql.ends[at] as number) + XPATH_REACH))) return undefined
  const next = sql.term(at)
  if (next < 0) return undefined
  const word = wordAt(sql, at)
  // PromQL counts series and asks for them by their labels: `count(up)`, `count(up{job="node"})`.
  if (word === 'count' && sql.kindAt(at + 2) === TOKEN.word && next === sql.count) return undefined
  // What interfaces of tables are asked for: `$select=count(*)`.
  if (ALL_COUNTED.test(sql.source) && next === sql.count) return undefined
  if (SERIES.test(sql.source.slice(sql.starts[at] as number, (sql.starts[at] as number) + LONGEST_SERIES)))
    return undefined
  const bracket = sql.kindAt(at + 1) === TOKEN.dot ? at + 3 : at + 1
  // People put a space before a bracket; so do payloads, but then a number or a quote comes behind it.
  const inside = sql.kindAt(bracket + 1)
  const isApart = sql.starts[bracket] !== sql.ends[bracket - 1]
  // `Sleep (2020)`, `benchmark (2 pack)`: a year, or a number of something.
  if (
    isApart &&
    inside === TOKEN.number &&
    (sql.kindAt(bracket + 2) === TOKEN.word || isYear(sql, bracket + 1))
  )
    return undefined
  if (isApart && SPOKEN_CALL.test(word)) return undefined
  if (inside === TOKEN.word && !sql.isProbeCall(bracket + 1)) {
    const isSpoken = sql.kindAt(next) === TOKEN.word && sql.keyAt(next) === KEY.none
    // `Sleep(ing) at Last`: nobody sleeps for as long as a column says.
    const isOneWord = word === 'sleep' && sql.kindAt(bracket + 2) === TOKEN.close
    if (isApart || isSpoken || isOneWord) return undefined
  }
  const certain =
    /^(?:sleep|benchmark|pg_sleep|extractvalue|updatexml|load_file|randomblob|xp_|elt|make_set|json_keys|unhex|row_count|dbms_|utl_|ctxsys)/
  const isCertain = certain.test(word)
  return {
    id: 'sqli/call',
    score: isCertain ? 6 : sql.kindAt(next) === TOKEN.end ? 5 : 3,
    end: next,
    ...(!isCertain && { bare: true }),
  }
}

/** The number of all records, and what it is to be called. */
const ALL_COUNTED = /^\s{0,2}count\(\*\)/

/** A path as the first argument: nothing in SQL begins with a slash (XPath 1.0 section 2). */
const XPATH = /^\s{0,2}\(\s{0,2}\/{1,2}[\w*@]/
const XPATH_REACH = 16

/** A call of a series and its labels, or of its range: `rate(http_requests_total[5m])`. */
const SERIES =
  /^\w{1,24}\s{0,2}\((?:\w{1,24}\s{0,2}\(){0,3}\s{0,2}[\w:]{1,80}(?:\{\s{0,4}\w{1,40}\s{0,2}(?:=~?|!~|!=)\s{0,2}["']|\[\d{1,4}[smhdwy]\])/

/** What people write before a number in brackets: `Count (5)`. */
const SPOKEN_CALL = /^(?:count|user|database|version|hex|char|cast|convert|exp|mid|ord|md5|sha1|sleep)$/

function isYear(sql: SqlGrammar, at: number): boolean {
  return /^(?:19|20)\d\d$/.test(sql.source.slice(sql.starts[at] as number, sql.ends[at] as number))
}

/** What stands behind the `select` of other languages: a bracket, and a member of what is selected. */
const MEMBER = /^\s?\(\s?\.[a-z_]/

/** Words after which a bracket opens a query even with a space between. */
const BEFORE_SUBQUERY = /^(?:in|exists|any|all|some|not|from|join|as)$/

/**
 * A query in brackets: where one word from one name is selected, what stands before the bracket must be no
 * sentence.
 */
function subquery(sql: SqlGrammar, i: number): Finding | undefined {
  const evidence = selectEvidence(sql, i)
  if (evidence < 5) return undefined
  // jq, dplyr: `map(select(.price > 10))`. Behind its `select` no query has a dot and a name.
  if (MEMBER.test(sql.source.slice(sql.ends[i], (sql.ends[i] as number) + 4))) return undefined
  const before = sql.kindAt(i - 2)
  const isSpoken =
    i >= 2 &&
    before === TOKEN.word &&
    sql.ends[i - 2] !== sql.starts[i - 1] &&
    !BEFORE_SUBQUERY.test(wordAt(sql, i - 2))
  return evidence < 6 && (isSpoken || i < 2) ? undefined : { id: 'sqli/subquery', score: 6, end: i + 4 }
}

/** What an intruder reads, and what no club selects from. */
const SOUGHT =
  /^(?:pass(?:word|wd|_hash)?|pwd|users?|user_?name|e_?mail|login|admins?|accounts?|secrets?|tokens?|hash|api_?key|credit_?card|(?:table|column|schema)_name|information_schema|sqlite_master|dual|mysql|pg_\w{2,24}|sys\w{0,12}|wp_\w{2,24})$/

/** Whether `union` joins two queries, rather than be a club that selects somebody. */
function isUnionOfQueries(sql: SqlGrammar, i: number, select: number): boolean {
  const evidence = selectEvidence(sql, select)
  if (evidence >= 5) return true
  if (sql.keyAt(select + 1) === KEY.english || sql.expression(select + 1) < 0) return false
  if (isListOfValues(sql, select + 1)) return true
  const before = sql.kindAt(i - 1)
  if (i > 0 && (before === TOKEN.number || sql.keyAt(i + 1) === KEY.all)) return true
  if (evidence === 0) return false
  if (i > 0 && (before === TOKEN.close || isQuote(before))) return true
  return SOUGHT.test(wordAt(sql, select + 1)) || SOUGHT.test(wordAt(sql, select + 3))
}

/** `1,2`, or `null,null`: selected only to have as many columns, whatever comes behind it. */
function isListOfValues(sql: SqlGrammar, at: number): boolean {
  return isValue(sql, at) && sql.kindAt(at + 1) === TOKEN.comma && isValue(sql, at + 2)
}

function isValue(sql: SqlGrammar, at: number): boolean {
  return sql.kindAt(at) === TOKEN.number || wordAt(sql, at) === 'null'
}

/**
 * A query in brackets, `union select` with a list behind it, and tautologies of two numbers, wherever they
 * stand.
 */
function anywhere(sql: SqlGrammar, i: number): Finding | undefined {
  const key = sql.keyAt(i)
  if (key === KEY.select) return i > 0 && sql.kindAt(i - 1) === TOKEN.open ? subquery(sql, i) : undefined
  if (key === KEY.union) {
    const select = unionSelect(sql, i)
    return select > 0 && isUnionOfQueries(sql, i, select)
      ? { id: 'sqli/union', score: 6, end: select + 3 }
      : undefined
  }
  const behind = i > 0 ? behindText(sql, i) : undefined
  if (behind !== undefined) return behind
  if (
    (key === KEY.logic || sql.kindAt(i) === TOKEN.logic) &&
    sql.kindAt(i + 1) === TOKEN.number &&
    sql.kindAt(i + 2) === TOKEN.compare
  ) {
    if (sql.kindAt(i + 3) !== TOKEN.number) return undefined
    const left = sql.source.slice(sql.starts[i + 1] as number, sql.ends[i + 1] as number)
    const right = sql.source.slice(sql.starts[i + 3] as number, sql.ends[i + 3] as number)
    return left === right ? { id: 'sqli/tautology', score: 5, end: i + 4 } : undefined
  }
  return undefined
}
