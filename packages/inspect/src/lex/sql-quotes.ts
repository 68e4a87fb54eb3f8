import { LEXER_BOUNDS } from './lexer-bounds.ts'
import { KEY } from './sql-dialect.ts'
import type { SqlGrammar } from './sql-grammar.ts'
import { TOKEN } from './sql-tokens.ts'

const { literal: MAX_LITERAL } = LEXER_BOUNDS.sql

/**
 * A word in quotes with space around them, as in: the "or" of TOKEN. A string that is left has the value
 * before its quote, or the query's words behind it.
 */
export function isMentioned(sql: SqlGrammar, i: number): boolean {
  const close = i + 2
  if (isOperatorLiteral(sql, i)) return true
  if (sql.kindAt(i + 1) !== TOKEN.word || sql.kindAt(close) !== sql.kindAt(i)) return false
  if (sql.starts[i + 1] !== sql.ends[i] || sql.starts[close] !== sql.ends[i + 1]) return false
  const before = sql.source[(sql.starts[i] as number) - 1] ?? ''
  const behind = sql.source.slice(sql.ends[close] as number, (sql.ends[close] as number) + 4)
  if (before === '=' && isAttribute(sql.source, sql.starts[i] as number, sql.ends[close] as number))
    return true
  if (sql.keyAt(i + 1) === KEY.test && sql.kindAt(i) === TOKEN.quote && /^[\s(]?$/.test(before))
    return /^[\s,.)]/.test(behind)
  if (before === '`') return behind.startsWith('`')
  // `"Select" Hotels`: behind a string that was left, no query goes on so.
  if (before === '' && sql.keyAt(i + 1) === KEY.select && /^[\s,.:]{1,2}[a-z]{2}/.test(behind)) return true
  // The name of a member: `{ "and": 1 }`.
  if (/^[\s{[,(]?$/.test(before) && /^\s?:(?!:)/.test(behind)) return true
  return /[\s(]/.test(before) && /^(?:[\s,.:]{1,2}[a-z]{2}|\s\(\w|[.,:]\s|[)\]]|\s#\d)/.test(behind)
}

/** Up to the quote of a value: the tag that it stands in, and its name. */
const IN_TAG = /<[a-z][\w:.-]{0,40}(?:\s[^<>]{0,320})?\s[\w:.-]{1,40}\s?=$/
const IN_TAG_REACH = 420
/** Behind the value: the end of the tag, or the next name. */
const BEHIND_ATTRIBUTE = /^(?:\s?[/?]?>|\s{1,8}[\w:.-]{1,40}\s?=)/
const AS_NUMBER = /^[\s+-]{0,16}[.\d]/

/**
 * Whether a word in quotes is the value of an attribute: `<filter type="or"><condition`. Where the text does
 * not begin with a number, both strings around the word count as 0, so that it makes no condition true
 * (MySQL; others refuse strings as conditions).
 */
function isAttribute(text: string, start: number, end: number): boolean {
  return (
    BEHIND_ATTRIBUTE.test(text.slice(end, end + 64)) &&
    IN_TAG.test(text.slice(Math.max(0, start - IN_TAG_REACH), start)) &&
    !AS_NUMBER.test(text)
  )
}

/**
 * An operator as a string of a program, behind the bracket or comma of an argument: `split('=', 1)`. A string
 * that is left has its value before the quote.
 */
function isOperatorLiteral(sql: SqlGrammar, i: number): boolean {
  const close = i + 2
  const kind = sql.kindAt(i + 1)
  if (kind !== TOKEN.compare && kind !== TOKEN.operator && kind !== TOKEN.logic && kind !== TOKEN.word)
    return false
  if (
    sql.kindAt(close) !== sql.kindAt(i) ||
    sql.starts[i + 1] !== sql.ends[i] ||
    sql.starts[close] !== sql.ends[i + 1]
  )
    return false
  const text = sql.source
  const start = sql.starts[i] as number
  const end = sql.ends[close] as number
  // The setting of a helper in a template: `{{#join delimiter='||'}}`.
  if (text[start - 1] === '=' && text.startsWith('}}', end)) return true
  return (
    start > 1 &&
    /[\w\s'"][([{,]\s{0,2}$|[\w"']\s?[:=]\s$/.test(text.slice(Math.max(0, start - 4), start)) &&
    /^\s{0,2}[,:;)\]}]/.test(text.slice(end, end + 3))
  )
}

/** The end of a string that JavaScript compares with: no dialect of SQL has `===`. */
export function isComparedLiteral(sql: SqlGrammar, i: number): boolean {
  for (let open = i - 1; open >= 0 && i - open < MAX_LITERAL; open--) {
    if (sql.kindAt(open) !== sql.kindAt(i)) continue
    const start = sql.starts[open] as number
    return /[=!]==\s?$/.test(sql.source.slice(Math.max(0, start - 4), start))
  }
  return false
}

/**
 * Whether a quote at the end of a value may end a string that was open before it. The first character leaves
 * nothing, and neither does the end of `a=''`: two quotes in a row are one quote of that string.
 */
export function leavesString(sql: SqlGrammar, i: number): boolean {
  const at = sql.starts[i] as number
  return at > 0 && !(sql.source[at - 1] === sql.source[at] && BEFORE_EMPTY.test(sql.source[at - 2] ?? ''))
}

/** What stands before an empty string. */
const BEFORE_EMPTY = /^[\s=:(,]?$/

/** A name, and an operator that compares it with a string: `labels.zone != "`. */
const COMPARES = /(?:^|[\s(])[a-z_][\w.]{0,80}\s{0,2}(?:[=!]?=|<>|[<>]=?|:)\s{0,2}$/
/** The same in a function of other languages than SQL: `tolower(Name) == tolower("`. */
const FOLDS = /[\w)]\s{0,2}[=!]=\s{0,2}to(?:lower|upper)\(\s?$/
/** The next condition: a name and a value, neither of which decides anything by itself. */
const NEXT_CONDITION =
  /^\)?\s{0,2}(?:and|or|&&|\|\|)\s{1,2}(?:not\s|-)?\(?\s?(?:(?!(?:true|false|null|unknown)\b)[a-z_][\w.]{0,80}\s{0,2}(?:[=!]?=|<>|[<>]=?|:)\s{0,2}["'\d]|to(?:lower|upper)\(\s?[\w.]{1,80}\s?\)\s{0,2}[=!]=)/
const COMPARES_REACH = 200

/**
 * Whether a string that ends at `i` is what a name was compared with, and the next condition names something
 * too: `zone = "a" AND (state = "up" OR ...)`, as interfaces take filters. Who breaks out of a string has
 * nothing that is compared before it.
 */
export function isFilter(sql: SqlGrammar, i: number): boolean {
  const { source } = sql
  const end = sql.ends[i] as number
  if (!NEXT_CONDITION.test(source.slice(end, end + COMPARES_REACH))) return false
  for (let open = i - 1; open >= 0 && i - open < MAX_LITERAL; open--) {
    if (sql.kindAt(open) !== sql.kindAt(i)) continue
    const start = sql.starts[open] as number
    const before = source.slice(Math.max(0, start - COMPARES_REACH), start)
    return COMPARES.test(before) || FOLDS.test(before)
  }
  return false
}

/** `it's`, `don't`: behind a string that ends there, no query goes on so. */
const CONTRACTED = /^[a-z]'(?:s|t|re|ll|ve|d|m)(?![\w"(])/
/** `O'Brien`, `l'art`. */
const ELIDED = /^(?:^|[^\w'])[odl]'[a-z]{3}/

/** Whether an apostrophe stands inside a word: it opens no string that the next one would close. */
export function isInWord(sql: SqlGrammar, i: number): boolean {
  const at = sql.starts[i] as number
  if (CONTRACTED.test(sql.source.slice(Math.max(0, at - 1), at + 5))) return true
  const isName = sql.kindAt(i + 1) === TOKEN.word && sql.keyAt(i + 1) === KEY.none
  return (
    isName && ELIDED.test(at < 2 ? ` ${sql.source.slice(at - 1, at + 4)}` : sql.source.slice(at - 2, at + 4))
  )
}
