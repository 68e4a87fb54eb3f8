import { LEXER_BOUNDS } from './lexer-bounds.ts'
import {
  expression,
  isProbeCall,
  isQuote,
  isSubquery,
  keyAt,
  kindAt,
  sourceText,
  term,
} from './sql-grammar.ts'
import { wordAt } from './sql-shapes.ts'
import { ends, KEY, SQL, starts } from './sql-tokens.ts'

const { sqlColumns: MAX_LIST } = LEXER_BOUNDS

/**
 * How surely a `select` at `i` is a query and no sentence: 0 no, 3 could be either (`select options from
 * menu`), 6 only a query. What counts
 * is what stands in the list: numbers, calls, `*`, variables, several names with a table behind them; an
 * article ends all doubt.
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over a list of columns; what makes it solid is counted while it is read.
export function selectEvidence(i: number): number {
  let at = i + 1
  while (keyAt(at) === KEY.all || (keyAt(at) === KEY.none && isTop(at))) at += isTop(at) ? 2 : 1
  // `select from` and a quote: the words, not a query of them.
  if (keyAt(at) === KEY.from && isQuote(kindAt(at + 1))) return 0
  let solid = false
  let names = 0
  for (let n = 0; n < MAX_LIST; n++) {
    const key = keyAt(at)
    const kind = kindAt(at)
    if (key === KEY.english || key === KEY.logic) return 0
    if (kind === SQL.number || kind === SQL.variable || isProbeCall(at) || isSubquery(at) || isQuote(kind))
      solid = true
    else if (kind === SQL.operator) {
      solid = true
      if (kindAt(at + 1) === SQL.end || keyAt(at + 1) === KEY.from) at++
    } else if (kind === SQL.open || key === KEY.literal || key === KEY.caseWhen) solid = true
    else if ((key === KEY.common || key === KEY.statement) && kindAt(at + 1) === SQL.open) solid = true
    else if (isEmptyCall(at)) solid = true
    else if (kind === SQL.word) names++
    const next = keyAt(at) === KEY.from ? at : expression(at)
    if (next < 0) return 0
    at = next
    while (kindAt(at) === SQL.logic && expression(at + 1) > 0) at = expression(at + 1)
    if (keyAt(at) === KEY.as) at += 2
    else if (kindAt(at) === SQL.word && keyAt(at) === KEY.none) at++
    if (kindAt(at) === SQL.compare) {
      solid = true
      at = expression(at + 1)
      if (at < 0) return 6
    }
    if (kindAt(at) !== SQL.comma) break
    names++
    at++
  }
  if (keyAt(at) !== KEY.from) return endsQuery(at) && solid ? 6 : 0
  const table = at + 1
  if (keyAt(table) === KEY.english) return 0
  if (kindAt(table) === SQL.open || isQuote(kindAt(table))) return 6
  if (kindAt(table) !== SQL.word) return solid && endsQuery(table) ? 6 : 0
  if (solid || names > 1 || kindAt(table + 1) === SQL.dot) return 6
  let after = table + 1
  if (kindAt(after) === SQL.word && keyAt(after) === KEY.none) after++
  const key = keyAt(after)
  const kind = kindAt(after)
  if (key === KEY.where && expression(after + 1) >= 0 && kindAt(expression(after + 1)) === SQL.compare)
    return 6
  if (key === KEY.limit && kindAt(after + 1) === SQL.number) return 6
  if (kind === SQL.comment || kind === SQL.semicolon || kind === SQL.close) return 5
  return kind === SQL.end ? 3 : 0
}

/** `f()`, without a space. */
function isEmptyCall(at: number): boolean {
  return (
    kindAt(at) === SQL.word &&
    kindAt(at + 1) === SQL.open &&
    kindAt(at + 2) === SQL.close &&
    starts[at + 1] === ends[at] &&
    starts[at + 2] === ends[at + 1]
  )
}

/** SQL Server's `top 1`. */
function isTop(at: number): boolean {
  return (
    kindAt(at + 1) === SQL.number &&
    keyAt(at) === KEY.none &&
    kindAt(at + 2) !== SQL.comma &&
    kindAt(at) === SQL.word
  )
}

function endsQuery(at: number): boolean {
  const kind = kindAt(at)
  if (
    kind === SQL.end ||
    kind === SQL.comment ||
    kind === SQL.semicolon ||
    kind === SQL.close ||
    isQuote(kind)
  )
    return true
  const key = keyAt(at)
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
export function statementEvidence(i: number, word: string, next: string): number {
  const key = keyAt(i + 1)
  const kind = kindAt(i + 1)
  const plainName = isName(i + 2)
  switch (word) {
    case 'insert':
      return next === 'into' && (isName(i + 2) || keyAt(i + 2) === KEY.object) && intoEvidence(i + 3) ? 6 : 0
    case 'update': {
      const set = kindAt(i + 2) === SQL.dot ? i + 4 : i + 2
      if (keyAt(set) !== KEY.set || key === KEY.english) return 0
      const value = expression(set + 1)
      return value >= 0 && kindAt(value) === SQL.compare ? 6 : 0
    }
    case 'delete': {
      if (next !== 'from' || !plainName) return 0
      const after = keyAt(i + 3)
      const mark = kindAt(i + 3)
      if (after === KEY.where)
        return expression(i + 4) >= 0 && kindAt(expression(i + 4)) === SQL.compare ? 6 : 0
      return mark === SQL.comment || mark === SQL.semicolon ? 6 : 0
    }
    case 'drop':
    case 'truncate':
      return key === KEY.object && (plainName || isQuote(kindAt(i + 2))) && isStop(i + 3) ? 6 : 0
    case 'create':
      if (next === 'or' && wordAt(i + 2) === 'replace')
        return keyAt(i + 3) === KEY.object && isName(i + 4) && kindAt(i + 5) !== SQL.end ? 6 : 0
      if (key !== KEY.object || !plainName) return 0
      return kindAt(i + 3) === SQL.open || kindAt(i + 3) === SQL.end || keyAt(i + 3) === KEY.as ? 6 : 0
    case 'replace': {
      const table = next === 'into' ? i + 2 : i + 1
      if (!isName(table) || kindAt(table + 1) !== SQL.open) return 0
      const list = term(table + 1)
      return keyAt(list) === KEY.values || keyAt(list) === KEY.select ? 6 : 0
    }
    case 'alter':
      return key === KEY.object && (plainName || isQuote(kindAt(i + 2))) && CHANGE.test(textAfter(i + 2))
        ? 5
        : 0
    case 'exec':
    case 'execute':
      if (
        kind === SQL.variable ||
        (kind === SQL.open && kindAt(i + 2) !== SQL.close && kindAt(i + 2) === SQL.variable)
      )
        return 6
      return /^(?:xp|sp)_/.test(next) || next === 'master' ? 6 : next === 'immediate' ? 5 : 0
    case 'declare':
      return kind === SQL.variable ? 6 : 0
    case 'waitfor':
      return (next === 'delay' || next === 'time') && (isQuote(kindAt(i + 2)) || kindAt(i + 2) === SQL.end)
        ? 6
        : 0
    case 'merge':
      return next === 'into' && keyAt(i + 3) === KEY.where ? 5 : 0
    case 'load':
      return next === 'data' ? 5 : 0
    case 'copy':
      return keyAt(i + 2) === KEY.from && kindAt(i + 3) === SQL.word && isQuote(kindAt(i + 4)) ? 6 : 0
    case 'do':
      // PostgreSQL: `do $$ begin ... end $$`.
      return kind === SQL.other && kindAt(i + 2) === SQL.other && starts[i + 2] === ends[i + 1] ? 5 : 0
    case 'attach':
      return next === 'database' && isQuote(kindAt(i + 2)) ? 6 : 0
    case 'prepare':
      return keyAt(i + 2) === KEY.from && kindAt(i + 3) !== SQL.word ? 6 : 0
    case 'handler':
      return kindAt(i + 2) === SQL.word ? 3 : 0
    default:
      return 0
  }
}

/** What `alter` does to a thing. */
const CHANGE =
  /^[\w."'`\s]{0,64}?\b(?:add|drop|alter|modify|change|rename|set|owner|disable|enable|convert|identified|with)\b/

function textAfter(i: number): string {
  return sourceText().slice(ends[i], (ends[i] as number) + 96)
}

function intoEvidence(at: number): boolean {
  const after =
    kindAt(at) === SQL.open
      ? true
      : keyAt(at) === KEY.values || keyAt(at) === KEY.select || keyAt(at) === KEY.set
  return after || kindAt(at) === SQL.open
}

/** A name no sentence would use there. */
function isName(at: number): boolean {
  if (isQuote(kindAt(at))) return true
  return kindAt(at) === SQL.word && keyAt(at) !== KEY.english && keyAt(at) !== KEY.logic
}

function isStop(at: number): boolean {
  const kind = kindAt(at)
  return (
    kind === SQL.end ||
    kind === SQL.semicolon ||
    kind === SQL.comment ||
    kind === SQL.comma ||
    kind === SQL.dot ||
    isQuote(kind)
  )
}
