import type { Reading } from '../reading.ts'
import type { Span } from '../rule.ts'
import { isQueryLanguage } from '../value-setting.ts'
import { LEXER_BOUNDS } from './lexer-bounds.ts'
import {
  afterSemicolon,
  continuation,
  type Finding,
  isConditionCall,
  unionSelect,
} from './sql-continuation.ts'
import {
  beginGrammar,
  comparison,
  expression,
  isExhausted,
  isProbeCall,
  isQuote,
  isSolid,
  isSubquery,
  keyAt,
  kindAt,
  sourceText,
  term,
  tokenCount,
} from './sql-grammar.ts'
import { isCase, isTail, wordAt } from './sql-shapes.ts'
import { selectEvidence, statementEvidence } from './sql-statement.ts'
import { ends, KEY, SQL, starts, tokenizeSql } from './sql-tokens.ts'

const { sqlLiteral: MAX_LITERAL } = LEXER_BOUNDS

/**
 * How a value would act inside a query: cut into tokens once, then read as a continuation of a value (`1 or
 * 1=1`), of a string (`x' or 'a'='a`), and as a
 * statement. Words prove nothing; a comparison, a subquery, a call, a comment right where the value leaves
 * its place does.
 */
export function findSqlInjection(reading: Reading): Span | undefined {
  const count = tokenizeSql(reading.lower)
  if (count < 2) return undefined
  beginGrammar(reading.lower, count)
  let best: Finding | undefined
  let from = 0
  const consider = (found: Finding | undefined, at: number): void => {
    if (found !== undefined && (best === undefined || found.score > best.score)) {
      if (OF_EVERY_QUERY.has(found.id) && isOwnLanguage(reading)) return
      best = found
      from = at
    }
  }
  if (reading.fromStart) consider(atStart(), 0)
  let apostrophes = 0
  let quotes = 0
  for (let i = 0; i < count && !isExhausted(); i++) {
    const kind = kindAt(i)
    if (kind === SQL.apostrophe) consider(afterQuote(i, ++apostrophes), i)
    else if (kind === SQL.quote) consider(afterQuote(i, ++quotes), i)
    else if (kind === SQL.semicolon) consider(afterSemicolon(i, false), i)
    else if (kind === SQL.word || kind === SQL.logic) consider(anywhere(i), i)
    if (best !== undefined && best.score >= 6) break
  }
  if (isExhausted()) return { start: 0, end: 80, score: 10, id: 'bounds/effort' }
  if (best === undefined) return undefined
  return {
    start: starts[from] as number,
    end: ends[Math.max(from, Math.min(best.end, count) - 1)] as number,
    score: best.score,
    id: best.id,
    ...(best.bare === true && { bare: true }),
  }
}

/** What every language of queries has. */
const OF_EVERY_QUERY: ReadonlySet<string> = new Set([
  'sqli/tautology',
  'sqli/clause',
  'sqli/arithmetic',
  'sqli/concatenation',
])

/** Who asks in a language of its own compares, joins and sorts; comments are those of SQL. */
function isOwnLanguage({ lower, name, place }: Reading): boolean {
  return !lower.includes('--') && !lower.includes('/*') && isQueryLanguage(name, place)
}

/** The value as a number or a name, and what follows; or as a whole statement. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: what a whole value can be, from a query to a condition, in the order of certainty.
function atStart(): Finding | undefined {
  let at = 0
  while (kindAt(at) === SQL.open || kindAt(at) === SQL.close) at++
  const key = keyAt(at)
  if (key === KEY.select) {
    const evidence = selectEvidence(at)
    const score = at > 0 && evidence > 0 ? 6 : evidence
    if (score > 0) return { id: 'sqli/query', score: Math.min(score, 5), end: at + 4, bare: true }
  }
  if (key === KEY.caseWhen && isWholeCase(at))
    return { id: 'sqli/query', score: 5, end: tokenCount(), bare: true }
  if (at > 0 && kindAt(term(0)) === SQL.comment && isTail(term(0)) && (isSolid(at) || isSubquery(at - 1))) {
    return { id: 'sqli/comment', score: 5, end: tokenCount() }
  }
  const statement = key === KEY.statement ? wholeStatement(at) : undefined
  if (statement !== undefined) return statement
  if (kindAt(at) === SQL.semicolon) return afterSemicolon(at, true)
  if (kindAt(at) === SQL.comment && at === 0) return undefined
  if (key === KEY.union || key === KEY.logic || kindAt(at) === SQL.logic) return continuation(at, 'word')
  if (isProbeCall(at)) return probe(at)
  const next = expression(at)
  if (next <= 0) return undefined
  const solid = kindAt(at) !== SQL.word && kindAt(next - 1) !== SQL.word
  const number = kindAt(at) === SQL.number || (kindAt(at) === SQL.operator && kindAt(at + 1) === SQL.number)
  if (number && kindAt(at) === SQL.operator && next > at + 2 && isProbeCall(at + 3))
    return { id: 'sqli/call', score: 6, end: next }
  const inside = number ? arithmetic(at, next) : undefined
  return inside ?? continuation(next, solid || number ? 'value' : 'word')
}

/** A `case` that is the whole value. */
function isWholeCase(at: number): boolean {
  return (
    wordAt(at) === 'case' &&
    wordAt(lastWord()) === 'end' &&
    sourceText().includes('when') &&
    sourceText().includes('then')
  )
}

/** The value as a statement other than a query. */
function wholeStatement(at: number): Finding | undefined {
  const word = wordAt(at)
  // `IF({Price} > 10, ...)`: formulas of tables name their columns so.
  const isFormula = /^\s{0,2}if\(\{/.test(sourceText())
  if (!isFormula && /^i?if$/.test(word) && kindAt(at + 1) === SQL.open) {
    const compared = comparison(at + 2)
    if (compared > 0 && kindAt(compared) === SQL.comma && isSolid(at + 2))
      return { id: 'sqli/call', score: 5, end: compared + 1 }
  }
  if (word === 'begin' && isProbeCall(at + 1)) return { id: 'sqli/statement', score: 5, end: at + 3 }
  const statement = isBareDefinition(at) ? 4 : statementEvidence(at, word, wordAt(at + 1))
  return statement > 0
    ? { id: 'sqli/statement', score: Math.min(statement, 5), end: at + 4, bare: true }
    : undefined
}

/** The last token that closes no bracket. */
function lastWord(): number {
  let at = tokenCount() - 1
  while (kindAt(at) === SQL.close) at--
  return at
}

/**
 * `drop table lamp`: three words and nothing else. Nothing was left or broken out of, and shops sell such
 * things; who wants to run it as a whole value
 * needs a backend that runs values. A stricter level counts it.
 */
function isBareDefinition(at: number): boolean {
  const name = wordAt(at + 2)
  return (
    at + 3 === tokenCount() &&
    /^(?:drop|truncate|create)$/.test(wordAt(at)) &&
    keyAt(at + 1) === KEY.object &&
    name !== '' &&
    !/[_\d]/.test(name)
  )
}

/** A number with a call or a subquery calculated onto it: `1-sleep(5)`. */
function arithmetic(from: number, to: number): Finding | undefined {
  for (let i = from + 1; i < to; i++) {
    if (kindAt(i) !== SQL.operator) continue
    if (isProbeCall(i + 1) || isSubquery(i + 1) || isCase(i + 1) || isConditionCall(i + 1))
      return { id: 'sqli/call', score: 6, end: to }
  }
  return undefined
}

/**
 * A whole value that is a call: `benchmark(15000000,md5(1))`, `sleep(5)`; one that other languages share
 * counts less.
 */
function probe(at: number): Finding | undefined {
  const next = term(at)
  if (next < 0) return undefined
  const word = wordAt(at)
  // PromQL counts series and asks for them by their labels: `count(up)`, `count(up{job="node"})`.
  if (word === 'count' && kindAt(at + 2) === SQL.word && next === tokenCount()) return undefined
  if (SERIES.test(sourceText().slice(starts[at] as number, (starts[at] as number) + 160))) return undefined
  // People put a space before a bracket; so do payloads, but then a number or a quote comes behind it.
  const inside = kindAt(at + 2)
  const isApart = starts[at + 1] !== ends[at]
  // `Sleep (2020)`, `benchmark (2 pack)`: a year, or a number of something.
  if (isApart && inside === SQL.number && (kindAt(at + 3) === SQL.word || isYear(at + 2))) return undefined
  if (isApart && SPOKEN_CALL.test(word)) return undefined
  if (inside === SQL.word && !isProbeCall(at + 2)) {
    const isSpoken = kindAt(next) === SQL.word && keyAt(next) === KEY.none
    // `Sleep(ing) at Last`: nobody sleeps for as long as a column says.
    const isOneWord = word === 'sleep' && kindAt(at + 3) === SQL.close
    if (isApart || isSpoken || isOneWord) return undefined
  }
  const certain =
    /^(?:sleep|benchmark|pg_sleep|extractvalue|updatexml|load_file|randomblob|xp_|elt|make_set|json_keys|unhex|row_count|dbms_|utl_|ctxsys)/
  const isCertain = certain.test(word)
  return {
    id: 'sqli/call',
    score: isCertain ? 6 : kindAt(next) === SQL.end ? 5 : 3,
    end: next,
    ...(!isCertain && { bare: true }),
  }
}

/** A call of a series and its labels, or of its range: `rate(http_requests_total[5m])`. */
const SERIES =
  /^\w{1,24}\s{0,2}\((?:\w{1,24}\s{0,2}\(){0,3}\s{0,2}[\w:]{1,80}(?:\{\s{0,4}\w{1,40}\s{0,2}(?:=~?|!~|!=)\s{0,2}["']|\[\d{1,4}[smhdwy]\])/

/** What people write before a number in brackets: `Count (5)`. */
const SPOKEN_CALL = /^(?:count|user|database|version|hex|char|cast|convert|exp|mid|ord|md5|sha1|sleep)$/

function isYear(at: number): boolean {
  return /^(?:19|20)\d\d$/.test(sourceText().slice(starts[at] as number, ends[at] as number))
}

/**
 * A word in quotes with space around them, as in: the "or" of SQL. A string that is left has the value
 * before its quote, or the query's words behind it.
 */
function isMentioned(i: number): boolean {
  const close = i + 2
  if (isOperatorLiteral(i)) return true
  if (kindAt(i + 1) !== SQL.word || kindAt(close) !== kindAt(i)) return false
  if (starts[i + 1] !== ends[i] || starts[close] !== ends[i + 1]) return false
  const before = sourceText()[(starts[i] as number) - 1] ?? ''
  const behind = sourceText().slice(ends[close] as number, (ends[close] as number) + 4)
  if (keyAt(i + 1) === KEY.test && kindAt(i) === SQL.quote && /^[\s(]?$/.test(before))
    return /^[\s,.)]/.test(behind)
  if (before === '`') return behind.startsWith('`')
  // The name of a member: `{ "and": 1 }`.
  if (/^[\s{[,(]?$/.test(before) && /^\s?:(?!:)/.test(behind)) return true
  return /[\s(]/.test(before) && /^(?:[\s,.:]{1,2}[a-z]{2}|[.,:]\s|[)\]]|\s#\d)/.test(behind)
}

/**
 * An operator as a string of a program, behind the bracket or comma of an argument: `split('=', 1)`. A string
 * that is left has its value before the quote.
 */
function isOperatorLiteral(i: number): boolean {
  const close = i + 2
  const kind = kindAt(i + 1)
  if (kind !== SQL.compare && kind !== SQL.operator && kind !== SQL.logic && kind !== SQL.word) return false
  if (kindAt(close) !== kindAt(i) || starts[i + 1] !== ends[i] || starts[close] !== ends[i + 1]) return false
  const text = sourceText()
  const start = starts[i] as number
  const end = ends[close] as number
  return (
    start > 1 &&
    /[\w\s'"][([{,]\s{0,2}$|[\w"']\s?[:=]\s$/.test(text.slice(Math.max(0, start - 4), start)) &&
    /^\s{0,2}[,:;)\]}]/.test(text.slice(end, end + 3))
  )
}

/** The end of a string that JavaScript compares with: no dialect of SQL has `===`. */
function isComparedLiteral(i: number): boolean {
  for (let open = i - 1; open >= 0 && i - open < MAX_LITERAL; open--) {
    if (kindAt(open) !== kindAt(i)) continue
    const start = starts[open] as number
    return /[=!]==\s?$/.test(sourceText().slice(Math.max(0, start - 4), start))
  }
  return false
}

/** What follows a quote. Even quotes close a string that the value itself opened: weaker evidence. */
function afterQuote(i: number, nth: number): Finding | undefined {
  if (isMentioned(i)) return undefined
  // The end of a list of strings: `in ["a", "b"] && x > 1`.
  if (nth % 2 === 0 && sourceText()[ends[i] as number] === ']') return undefined
  const found = continuation(i + 1, 'string', i)
  if (found === undefined || nth % 2 === 1) return found
  // `''` is an escaped quote and does not open a string.
  if (isQuote(kindAt(i - 1)) && starts[i] === ends[i - 1] && kindAt(i - 2) !== SQL.open) return found
  if (isComparedLiteral(i)) return undefined
  return found.score >= 7 ? found : { ...found, score: found.score - 2 }
}

/** Words after which a bracket opens a query even with a space between. */
const BEFORE_SUBQUERY = /^(?:in|exists|any|all|some|not|from|join|as)$/

/**
 * A query in brackets: where one word from one name is selected, what stands before the bracket must be no
 * sentence.
 */
function subquery(i: number): Finding | undefined {
  const evidence = selectEvidence(i)
  if (evidence < 5) return undefined
  // jq, dplyr: `map(select(.price > 10))`. Behind its `select` no query has a dot and a name.
  if (/^\s?\(\s?\.[a-z_]/.test(sourceText().slice(ends[i], (ends[i] as number) + 4))) return undefined
  const before = kindAt(i - 2)
  const isSpoken =
    i >= 2 && before === SQL.word && ends[i - 2] !== starts[i - 1] && !BEFORE_SUBQUERY.test(wordAt(i - 2))
  return evidence < 6 && (isSpoken || i < 2) ? undefined : { id: 'sqli/subquery', score: 6, end: i + 4 }
}

/**
 * A query in brackets, `union select` with a list behind it, and tautologies of two numbers, wherever they
 * stand.
 */
function anywhere(i: number): Finding | undefined {
  const key = keyAt(i)
  if (key === KEY.select) return i > 0 && kindAt(i - 1) === SQL.open ? subquery(i) : undefined
  if (key === KEY.union) {
    const select = unionSelect(i)
    return select > 0 && selectEvidence(select) >= 5
      ? { id: 'sqli/union', score: 6, end: select + 3 }
      : undefined
  }
  if (
    (key === KEY.logic || kindAt(i) === SQL.logic) &&
    kindAt(i + 1) === SQL.number &&
    kindAt(i + 2) === SQL.compare
  ) {
    if (kindAt(i + 3) !== SQL.number) return undefined
    const left = sourceText().slice(starts[i + 1] as number, ends[i + 1] as number)
    const right = sourceText().slice(starts[i + 3] as number, ends[i + 3] as number)
    return left === right ? { id: 'sqli/tautology', score: 5, end: i + 4 } : undefined
  }
  return undefined
}
