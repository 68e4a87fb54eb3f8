import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { KEY } from './sql-dialect.ts'
import { isQuote, type SqlGrammar } from './sql-grammar.ts'
import { wordAt } from './sql-shapes.ts'
import { TOKEN } from './sql-tokens.ts'

const { columns: MAX_COLUMNS, alteration: ALTERATION } = LEXER_BOUNDS.sql

/**
 * How surely a `select` at `i` is a query and no sentence: 0 no, 3 could be either (`select options from
 * menu`), 6 only a query. What counts
 * is what stands in the list: numbers, calls, `*`, variables, several names with a table behind them; an
 * article ends all doubt.
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over a list of columns; what makes it solid is counted while it is read.
export function selectEvidence(sql: SqlGrammar, i: number): number {
  if (sql.source.length < LONGEST_MARK && NUMBERED_MARK.test(sql.source)) return 0
  let at = i + 1
  while (sql.keyAt(at) === KEY.all || (sql.keyAt(at) === KEY.none && isTop(sql, at)))
    at += isTop(sql, at) ? 2 : 1
  // `select from` and a quote: the words, not a query of them.
  if (sql.keyAt(at) === KEY.from && isQuote(sql.kindAt(at + 1))) return 0
  if (isLabel(sql, at)) return 0
  if (opensBlock(sql, at) || (sql.kindAt(at) === TOKEN.operator && opensBlock(sql, at + 1))) return 0
  let solid = false
  let isSigned = false
  let names = 0
  for (let n = 0; n < MAX_COLUMNS; n++) {
    const key = sql.keyAt(at)
    const kind = sql.kindAt(at)
    if (key === KEY.english || key === KEY.logic) return 0
    // `Select & Save`, `select::before`: no value begins with one.
    if (kind === TOKEN.operator && n === 0 && /[&:]/.test(sql.source[sql.starts[at] as number] as string))
      return 0
    if (
      kind === TOKEN.number ||
      kind === TOKEN.variable ||
      sql.isProbeCall(at) ||
      sql.isSubquery(at) ||
      (isQuote(kind) && !isQuoted(sql, i))
    )
      solid = true
    else if (kind === TOKEN.operator) {
      isSigned = n === 0 && isSignOfName(sql, at)
      solid ||= !isSigned
      if (sql.kindAt(at + 1) === TOKEN.end || sql.keyAt(at + 1) === KEY.from) at++
    } else if (key === KEY.literal || key === KEY.caseWhen || (kind === TOKEN.open && !isIndex(sql, at)))
      solid = true
    else if ((key === KEY.common || key === KEY.statement) && sql.kindAt(at + 1) === TOKEN.open) solid = true
    else if (isEmptyCall(sql, at)) solid = true
    else if (kind === TOKEN.word) names++
    const next = sql.keyAt(at) === KEY.from ? at : sql.expression(at)
    if (next < 0) return 0
    at = next
    while (sql.kindAt(at) === TOKEN.logic && sql.expression(at + 1) > 0) at = sql.expression(at + 1)
    if (sql.keyAt(at) === KEY.as) at += 2
    else if (sql.kindAt(at) === TOKEN.word && sql.keyAt(at) === KEY.none) at++
    if (sql.kindAt(at) === TOKEN.compare) {
      solid = true
      at = sql.expression(at + 1)
      if (at < 0) return 6
    }
    if (sql.kindAt(at) !== TOKEN.comma) break
    names++
    at++
  }
  if (sql.keyAt(at) !== KEY.from) return endsQuery(sql, at) && solid ? 6 : 0
  solid ||= isSigned
  const table = at + 1
  if (sql.keyAt(table) === KEY.english) return 0
  if (sql.kindAt(table) === TOKEN.open || isQuote(sql.kindAt(table))) return 6
  if (sql.kindAt(table) !== TOKEN.word) return solid && endsQuery(sql, table) ? 6 : 0
  if (solid || names > 1 || sql.kindAt(table + 1) === TOKEN.dot) return 6
  let after = table + 1
  if (sql.kindAt(after) === TOKEN.word && sql.keyAt(after) === KEY.none) after++
  const key = sql.keyAt(after)
  const kind = sql.kindAt(after)
  if (
    key === KEY.where &&
    sql.expression(after + 1) >= 0 &&
    sql.kindAt(sql.expression(after + 1)) === TOKEN.compare
  )
    return 6
  if (key === KEY.limit && sql.kindAt(after + 1) === TOKEN.number) return 6
  if (kind === TOKEN.comment || kind === TOKEN.semicolon || kind === TOKEN.close) return 5
  return kind === TOKEN.end ? 3 : 0
}

/** `select-2`, `select-list-3-b`, the whole value: the name of a field or a tab of a page. */
const NUMBERED_MARK = /^#?select(?:-\w{1,24}){1,6}$/i
const LONGEST_MARK = 100

/** `select-nav-menu`, `select + label`: a name of a page or a selector, as long as no table follows. */
function isSignOfName(sql: SqlGrammar, at: number): boolean {
  const name = at + 1
  return (
    sql.kindAt(name) === TOKEN.word && sql.keyAt(name) === KEY.none && sql.kindAt(name + 1) !== TOKEN.open
  )
}

/**
 * `select {`, as style sheets have it. What SQL (ODBC) puts in such brackets is a word with a value behind
 * it: `select {x table_name}`.
 */
function opensBlock(sql: SqlGrammar, at: number): boolean {
  if (sql.kindAt(at) !== TOKEN.open || sql.source[sql.starts[at] as number] !== '{') return false
  if (sql.kindAt(at + 1) !== TOKEN.word || sql.kindAt(at + 2) === TOKEN.end) return true
  return /[:;{}]/.test(sql.source[sql.starts[at + 2] as number] as string)
}

/** `Select "Settings"`, `Select "Settings" > "Keyboard"`: what somebody is to click on. */
function isLabel(sql: SqlGrammar, at: number): boolean {
  if (sql.kindAt(at) !== TOKEN.quote) return false
  const behind = sql.term(at)
  const kind = sql.kindAt(behind)
  return (
    kind === TOKEN.end ||
    ((kind === TOKEN.other || kind === TOKEN.compare) && sql.kindAt(behind + 1) === TOKEN.quote)
  )
}

/** `select[0]`, `select[multiple]`: a field or a selector, where no table follows. */
function isIndex(sql: SqlGrammar, at: number): boolean {
  return sql.source[sql.starts[at] as number] === '[' && sql.keyAt(sql.term(at)) !== KEY.from
}

/** `"select"`: the word alone between two quotes of a kind. */
function isQuoted(sql: SqlGrammar, i: number): boolean {
  const kind = sql.kindAt(i + 1)
  return (
    i > 0 &&
    sql.kindAt(i - 1) === kind &&
    sql.ends[i - 1] === sql.starts[i] &&
    sql.ends[i] === sql.starts[i + 1]
  )
}

/** `f()`, without a space. */
function isEmptyCall(sql: SqlGrammar, at: number): boolean {
  return (
    sql.kindAt(at) === TOKEN.word &&
    sql.kindAt(at + 1) === TOKEN.open &&
    sql.kindAt(at + 2) === TOKEN.close &&
    sql.starts[at + 1] === sql.ends[at] &&
    sql.starts[at + 2] === sql.ends[at + 1]
  )
}

/** SQL Server's `top 1`. */
function isTop(sql: SqlGrammar, at: number): boolean {
  return (
    sql.kindAt(at + 1) === TOKEN.number &&
    sql.keyAt(at) === KEY.none &&
    sql.kindAt(at + 2) !== TOKEN.comma &&
    sql.kindAt(at) === TOKEN.word
  )
}

function endsQuery(sql: SqlGrammar, at: number): boolean {
  const kind = sql.kindAt(at)
  if (
    kind === TOKEN.end ||
    kind === TOKEN.comment ||
    kind === TOKEN.semicolon ||
    kind === TOKEN.close ||
    isQuote(kind)
  )
    return true
  const key = sql.keyAt(at)
  return (
    key === KEY.union ||
    key === KEY.where ||
    key === KEY.limit ||
    key === KEY.order ||
    key === KEY.into ||
    key === KEY.having
  )
}

/**
 * How surely another statement than `select` starts at `i`: 0 no, else its score.
 * @param word the word at `i`
 * @param next the word after it
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: a table of statements by their first word; each case is one row.
export function statementEvidence(sql: SqlGrammar, i: number, word: string, next: string): number {
  const key = sql.keyAt(i + 1)
  const kind = sql.kindAt(i + 1)
  const plainName = isName(sql, i + 2)
  switch (word) {
    case 'insert':
      return next === 'into' &&
        (isName(sql, i + 2) || sql.keyAt(i + 2) === KEY.object) &&
        intoEvidence(sql, i + 3)
        ? 6
        : 0
    case 'update': {
      const set = sql.kindAt(i + 2) === TOKEN.dot ? i + 4 : i + 2
      if (sql.keyAt(set) !== KEY.set || key === KEY.english) return 0
      const value = sql.expression(set + 1)
      return value >= 0 && sql.kindAt(value) === TOKEN.compare ? 6 : 0
    }
    case 'delete': {
      if (next !== 'from' || !plainName) return 0
      const after = sql.keyAt(i + 3)
      const mark = sql.kindAt(i + 3)
      if (after === KEY.where)
        return sql.expression(i + 4) >= 0 && sql.kindAt(sql.expression(i + 4)) === TOKEN.compare ? 6 : 0
      return mark === TOKEN.comment || mark === TOKEN.semicolon ? 6 : 0
    }
    case 'drop':
    case 'truncate':
      return key === KEY.object && (plainName || isQuote(sql.kindAt(i + 2))) && isStop(sql, i + 3) ? 6 : 0
    case 'create':
      if (next === 'or' && wordAt(sql, i + 2) === 'replace')
        return sql.keyAt(i + 3) === KEY.object && isName(sql, i + 4) && sql.kindAt(i + 5) !== TOKEN.end
          ? 6
          : 0
      if (key !== KEY.object || !plainName) return 0
      return sql.kindAt(i + 3) === TOKEN.open ||
        sql.kindAt(i + 3) === TOKEN.end ||
        sql.keyAt(i + 3) === KEY.as
        ? 6
        : 0
    case 'replace': {
      const table = next === 'into' ? i + 2 : i + 1
      if (!isName(sql, table) || sql.kindAt(table + 1) !== TOKEN.open) return 0
      const list = sql.term(table + 1)
      return sql.keyAt(list) === KEY.values || sql.keyAt(list) === KEY.select ? 6 : 0
    }
    case 'alter':
      return key === KEY.object &&
        (plainName || isQuote(sql.kindAt(i + 2))) &&
        CHANGE.test(textAfter(sql, i + 2))
        ? 5
        : 0
    case 'exec':
    case 'execute':
      if (isMailAddress(sql, i)) return 0
      if (
        kind === TOKEN.variable ||
        (kind === TOKEN.open && sql.kindAt(i + 2) !== TOKEN.close && sql.kindAt(i + 2) === TOKEN.variable)
      )
        return 6
      return /^(?:xp|sp)_/.test(next) || next === 'master' ? 6 : next === 'immediate' ? 5 : 0
    case 'declare':
      return kind === TOKEN.variable && !isMailAddress(sql, i) ? 6 : 0
    case 'waitfor':
      return (next === 'delay' || next === 'time') &&
        (isQuote(sql.kindAt(i + 2)) || sql.kindAt(i + 2) === TOKEN.end)
        ? 6
        : 0
    case 'merge':
      return next === 'into' && sql.keyAt(i + 3) === KEY.where ? 5 : 0
    case 'load':
      return next === 'data' ? 5 : 0
    case 'copy':
      return sql.keyAt(i + 2) === KEY.from && sql.kindAt(i + 3) === TOKEN.word && isQuote(sql.kindAt(i + 4))
        ? 6
        : 0
    case 'do':
      // PostgreSQL: `do $$ begin ... end $$`.
      return kind === TOKEN.other &&
        sql.kindAt(i + 2) === TOKEN.other &&
        sql.starts[i + 2] === sql.ends[i + 1]
        ? 5
        : 0
    case 'attach':
      return next === 'database' && isQuote(sql.kindAt(i + 2)) ? 6 : 0
    case 'prepare':
      return sql.keyAt(i + 2) === KEY.from && sql.kindAt(i + 3) !== TOKEN.word ? 6 : 0
    case 'handler':
      return sql.kindAt(i + 2) === TOKEN.word ? 3 : 0
    default:
      return 0
  }
}

/** `exec@shop.example`: nothing is called by the part of a variable. */
function isMailAddress(sql: SqlGrammar, i: number): boolean {
  return MAIL_ADDRESS.test(sql.source.slice(sql.ends[i], (sql.ends[i] as number) + LONGEST_HOST))
}

const LONGEST_HOST = 256
/** Behind the name: `@`, a host of several parts, and no more of it. */
const MAIL_ADDRESS = /^@[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){0,4}\.[a-z]{2,16}(?:$|[\s,;>)\]"'])/i

/** What `alter` does to a thing. */
const CHANGE =
  /^[\w."'`\s]{0,64}?\b(?:add|drop|alter|modify|change|rename|set|owner|disable|enable|convert|identified|with)\b/

function textAfter(sql: SqlGrammar, i: number): string {
  return sql.source.slice(sql.ends[i], (sql.ends[i] as number) + ALTERATION)
}

function intoEvidence(sql: SqlGrammar, at: number): boolean {
  const after =
    sql.kindAt(at) === TOKEN.open
      ? true
      : sql.keyAt(at) === KEY.values || sql.keyAt(at) === KEY.select || sql.keyAt(at) === KEY.set
  return after || sql.kindAt(at) === TOKEN.open
}

/** A name no sentence would use there. */
function isName(sql: SqlGrammar, at: number): boolean {
  if (isQuote(sql.kindAt(at))) return true
  return sql.kindAt(at) === TOKEN.word && sql.keyAt(at) !== KEY.english && sql.keyAt(at) !== KEY.logic
}

function isStop(sql: SqlGrammar, at: number): boolean {
  const kind = sql.kindAt(at)
  return (
    kind === TOKEN.end ||
    kind === TOKEN.semicolon ||
    kind === TOKEN.comment ||
    kind === TOKEN.comma ||
    kind === TOKEN.dot ||
    isQuote(kind)
  )
}
