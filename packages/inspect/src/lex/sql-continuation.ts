import {
  bracketedComparison,
  comparison,
  expression,
  isProbeCall,
  isQuote,
  isSolid,
  isSubquery,
  keyAt,
  kindAt,
  sourceText,
  tokenCount,
} from './sql-grammar.ts'
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
import { selectEvidence, statementEvidence } from './sql-statement.ts'
import { ends, KEY, SQL, starts } from './sql-tokens.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * Where a value would leave its place in a query: behind a quote that closes the query's string, or behind
 * a first value.
 */
export type Context = 'string' | 'value' | 'word'

/** Evidence of an injection. */
export interface Finding {
  readonly id: string
  readonly score: number
  /** Token after the evidence. */
  readonly end: number
  /** See `Rule.bare`. */
  readonly bare?: boolean
}

/** A statement behind a semicolon; the value need prove less where it left its place already. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: a list of statements, each with its evidence; the order is the rule.
export function afterSemicolon(i: number, leaving: boolean): Finding | undefined {
  let at = i + 1
  while (kindAt(at) === SQL.open) at++
  const key = keyAt(at)
  if (key === KEY.select) {
    const evidence = selectEvidence(at)
    if (leaving) return { id: 'sqli/stacked', score: Math.max(5, evidence), end: at + 4 }
    return evidence >= 5 ? { id: 'sqli/stacked', score: 5, end: at + 4 } : undefined
  }
  if (leaving && kindAt(at) === SQL.comment && isTail(at) && isShortValue(i))
    return { id: 'sqli/comment', score: 5, end: at + 1 }
  if (key === KEY.set && kindAt(at + 1) === SQL.variable) return { id: 'sqli/stacked', score: 6, end: at + 2 }
  if (key !== KEY.statement && !isProbeCall(at)) return undefined
  const evidence = statementEvidence(at, wordAt(at), wordAt(at + 1))
  if (evidence > 0) return { id: 'sqli/stacked', score: evidence, end: at + 4 }
  if (!leaving) return undefined
  const word = wordAt(at)
  if (word === 'delete' && wordAt(at + 1) === 'from' && kindAt(at + 2) === SQL.word && at + 3 >= tokenCount())
    return { id: 'sqli/stacked', score: 5, end: at + 3 }
  if (isProbeCall(at) && word !== 'user' && word !== 'count')
    return { id: 'sqli/stacked', score: 6, end: at + 3 }
  // `'); if (a) {` is how programs go on as well.
  const isCondition =
    kindAt(at + 1) === SQL.open && (isSubquery(at + 1) || isProbeCall(at + 2) || comparison(at + 2) > 0)
  const call =
    (word === 'if' && isCondition) ||
    word === 'iif' ||
    word === 'call' ||
    word === 'begin' ||
    word === 'exec' ||
    word === 'waitfor'
  return call &&
    (kindAt(at + 1) === SQL.open ||
      kindAt(at + 2) === SQL.open ||
      kindAt(at + 2) === SQL.dot ||
      word === 'waitfor')
    ? { id: 'sqli/stacked', score: 5, end: at + 3 }
    : word === 'shutdown' || word === 'drop' || word === 'commit'
      ? { id: 'sqli/stacked', score: 5, end: at + 2 }
      : undefined
}

/** Index of the `select` of a `union [all] [(]select` at `i`, or -1. */
export function unionSelect(i: number): number {
  let at = i + 1
  if (kindAt(at) === SQL.comment) at = afterLine(at)
  for (let n = 0; n < 4 && (keyAt(at) === KEY.all || kindAt(at) === SQL.open); n++) at++
  return keyAt(at) === KEY.select || keyAt(at) === KEY.values ? at : -1
}

/** How the query would go on at `i`, where a value or a string of it has just ended. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: a table by kind and keyword of how a query goes on; each case is one row of the grammar.
export function continuation(i: number, context: Context, quote?: number): Finding | undefined {
  let at = i
  for (let n = 0; n < 8 && kindAt(at) === SQL.close; n++) at++
  const closed = at > i
  if (keyAt(at) === KEY.as && kindAt(at + 1) === SQL.word && keyAt(at + 2) === KEY.where) at += 2
  const inString = context === 'string'
  const leaving = inString || context === 'value'
  const key = keyAt(at)
  switch (kindAt(at)) {
    case SQL.logic:
      return afterLogic(at, context)
    case SQL.semicolon:
      // `a@b.example';`: the quote ends the string, the semicolon the statement.
      if (inString && at + 1 >= tokenCount() && (starts[i - 1] as number) > 0 && isShortValue(i - 1))
        return { id: 'sqli/stacked', score: 5, end: at + 1 }
      return afterSemicolon(at, leaving)
    case SQL.comment:
      return inString
        ? afterComment(at, quote ?? 0)
        : closed && leaving && isTail(at)
          ? { id: 'sqli/comment', score: 5, end: at + 1 }
          : undefined
    case SQL.comma:
      if (inString && endsInComment() && isShortValue(i - 1))
        return { id: 'sqli/comment', score: 5, end: at + 1 }
      return leaving &&
        (isSubquery(at + 1) ||
          wordAt(at + 1) === 'case' ||
          isCase(at + 1) ||
          isProbeCall(at + 1) ||
          isConditionCall(at + 1))
        ? { id: 'sqli/subquery', score: 6, end: at + 3 }
        : undefined
    case SQL.operator:
      return leaving ? afterOperator(at, inString) : undefined
    case SQL.open:
      return leaving && isSubquery(at) ? { id: 'sqli/subquery', score: 6, end: at + 3 } : undefined
    case SQL.compare:
      if (context === 'value' && endsInComment() && expression(at + 1) === tokenCount() - 1)
        return { id: 'sqli/tautology', score: 5, end: at + 2 }
      return inString ? afterCompare(at, quote ?? 0) : undefined
    case SQL.word:
      break
    default:
      return undefined
  }
  switch (key) {
    case KEY.union: {
      const select = unionSelect(at)
      if (select < 0)
        return leaving && wordAt(at + 1) === 'table' && kindAt(at + 2) === SQL.word
          ? { id: 'sqli/union', score: 5, end: at + 3 }
          : undefined
      return leaving || selectEvidence(select) >= 5
        ? { id: 'sqli/union', score: 7, end: select + 3 }
        : undefined
    }
    case KEY.logic:
      return afterLogic(at, context)
    case KEY.having:
    case KEY.where: {
      const next = comparison(at + 1)
      const certain = next > 0 && leaving
      if (certain) return { id: 'sqli/clause', score: 6, end: next }
      return leaving && isProbeCall(at + 1) ? { id: 'sqli/clause', score: 6, end: at + 3 } : undefined
    }
    case KEY.from:
      return leaving && keyAt(at + 2) === KEY.where && comparison(at + 3) > 0
        ? { id: 'sqli/clause', score: 6, end: at + 4 }
        : undefined
    case KEY.order:
      return leaving ? afterOrder(at, inString) : undefined
    case KEY.limit:
      return leaving ? afterLimit(at) : undefined
    case KEY.procedure:
      return leaving && kindAt(at + 2) === SQL.open ? { id: 'sqli/clause', score: 6, end: at + 3 } : undefined
    case KEY.into:
      return leaving && isQuote(kindAt(at + 1)) ? { id: 'sqli/outfile', score: 6, end: at + 2 } : undefined
    case KEY.not:
      if (keyAt(at + 1) !== KEY.test) return undefined
      return leaving ? afterTest(at + 1, inString) : undefined
    case KEY.test:
      return leaving ? afterTest(at, inString) : undefined
    case KEY.select:
      return leaving && selectEvidence(at) >= 5
        ? { id: 'sqli/query', score: 5, end: at + 3, bare: true }
        : undefined
    case KEY.statement: {
      const evidence = leaving ? statementEvidence(at, wordAt(at), wordAt(at + 1)) : 0
      return evidence > 0
        ? { id: 'sqli/statement', score: Math.min(evidence, 5), end: at + 3, bare: true }
        : undefined
    }
    default:
      return undefined
  }
}

// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: the operands of AND and OR in the order in which they are told apart.
function afterLogic(i: number, context: Context): Finding | undefined {
  let at = i + 1
  while (keyAt(at) === KEY.not) at++
  const inString = context === 'string'
  if (isSubquery(at) || isCase(at) || wordAt(at) === 'case')
    return { id: 'sqli/subquery', score: 7, end: at + 3 }
  if (keyAt(at) === KEY.exists && kindAt(at + 1) === SQL.open)
    return { id: 'sqli/subquery', score: 6, end: at + 3 }
  if (isProbeCall(at) || (keyAt(at) === KEY.test && kindAt(at + 1) === SQL.open))
    return { id: 'sqli/call', score: 6, end: at + 3 }
  if (kindAt(at) === SQL.variable && sourceText().startsWith(':=', ends[at]))
    return { id: 'sqli/tautology', score: 6, end: at + 2 }
  if (inString && isInches(i, at)) return undefined
  const compared = Math.max(comparison(at), bracketedComparison(at))
  if (compared > 0) {
    if (inString)
      return {
        id: 'sqli/tautology',
        score: isSolid(at) ? 7 : keyAt(at) === KEY.english ? 0 : 6,
        end: compared,
      }
    const solid = isSolid(at)
    // `1 or 2 = enough`: a sentence compares with words, an attack with values.
    const last = compared - 1
    if (
      compared === at + 3 &&
      kindAt(last) === SQL.word &&
      wordAt(at) === wordAt(last) &&
      context === 'value'
    )
      return { id: 'sqli/tautology', score: 5, end: compared }
    if (
      kindAt(last) === SQL.word &&
      keyAt(last) === KEY.none &&
      kindAt(last - 1) === SQL.compare &&
      compared >= tokenCount()
    )
      return undefined
    if (solid && context === 'value') return { id: 'sqli/tautology', score: 6, end: compared }
    const literal = kindAt(at) === SQL.number || isQuote(kindAt(at))
    return literal || context === 'value' ? { id: 'sqli/tautology', score: 5, end: compared } : undefined
  }
  const next = expression(at)
  if (next < 0)
    return inString && kindAt(at) === SQL.end && kindAt(i) === SQL.logic
      ? { id: 'sqli/concatenation', score: 3, end: at }
      : undefined
  const after = kindAt(next)
  // `' or 1 or '`: the query's own quote closes what the last one opens.
  if (
    inString &&
    isSolid(at) &&
    (keyAt(next) === KEY.logic || after === SQL.logic) &&
    isQuote(kindAt(next + 1))
  )
    return { id: 'sqli/tautology', score: 6, end: next + 2 }
  if (after === SQL.comment && isSolid(at) && context !== 'word')
    return { id: 'sqli/tautology', score: 6, end: next + 1 }
  if (context !== 'word' && isCodedCall(at)) return { id: 'sqli/call', score: 5, end: next }
  if (inString && isSolid(at) && endsClause(next)) return { id: 'sqli/tautology', score: 6, end: next + 2 }
  if (context === 'value' && keyAt(at) === KEY.literal && next >= tokenCount())
    return { id: 'sqli/tautology', score: 5, end: next }
  if (!inString) return undefined
  // `' or 'a`: the string it opens is closed by the query.
  const opens =
    isQuote(kindAt(at)) && kindAt(at) === kindAt(i - 1) && next >= tokenCount() && sourceText().length <= 96
  if (
    opens ||
    (isSolid(at) && !isQuote(kindAt(at)) && (after === SQL.end || after === SQL.close || isQuote(after)))
  ) {
    return { id: 'sqli/tautology', score: 5, end: next }
  }
  if (after === SQL.logic && isQuote(kindAt(next + 1)) && sourceText().length <= 64)
    return { id: 'sqli/concatenation', score: 5, end: next + 1 }
  return after === SQL.comment || (isQuote(after) && kindAt(i) === SQL.logic)
    ? { id: 'sqli/tautology', score: 5, end: next }
    : undefined
}

/** Whether `if(` or `iif(` with a comparison inside starts at `at`. */
export function isConditionCall(at: number): boolean {
  return /^i?if$/.test(wordAt(at)) && kindAt(at + 1) === SQL.open && isSolid(at + 2) && comparison(at + 2) > 0
}

/**
 * A comment right behind the quote ends the statement; in prose a dash behind a quoted word goes on with
 * text.
 */
function afterComment(at: number, quote: number): Finding | undefined {
  if (!isTail(at)) return undefined
  const prefix = sourceText().slice(0, starts[quote] as number)
  if (prefix.trim().split(/\s{1,8}/, 4).length > 3) return undefined
  const bare = (ends[at] as number) >= sourceText().trimEnd().length
  if (!bare && /\s/.test(prefix.trim())) return undefined
  return { id: 'sqli/comment', score: 5, end: at + 1 }
}

function afterOperator(at: number, inString: boolean): Finding | undefined {
  const value = at + 1
  if (isSubquery(value) || isProbeCall(value) || isCase(value))
    return { id: 'sqli/call', score: 6, end: value + 3 }
  if (!inString) return undefined
  const next = expression(value)
  if (next < 0) return undefined
  const after = kindAt(next)
  if (keyAt(next) === KEY.logic || after === SQL.logic) {
    const found = afterLogic(next, 'string')
    return found === undefined ? undefined : { ...found, id: 'sqli/arithmetic' }
  }
  const quoted = isQuote(after) && sourceText().length > 64
  if (
    (kindAt(value) === SQL.variable && !quoted) ||
    (after === SQL.comment && isTail(next) && isSolid(value))
  )
    return { id: 'sqli/arithmetic', score: 5, end: next }
  const call = kindAt(value) === SQL.word && charCodeAt.call(sourceText(), starts[value + 1] as number) === 40
  if (call && after === SQL.operator && isQuote(kindAt(next + 1))) {
    return { id: 'sqli/arithmetic', score: 5, end: next }
  }
  const sign = after === SQL.compare ? sourceText()[starts[next] as number] : ''
  const equals = sign === '=' || sign === '!'
  if (keyAt(next) === KEY.test && isSolid(next + 1)) return { id: 'sqli/arithmetic', score: 5, end: next }
  return equals && isSolid(value) && sourceText().length <= 64
    ? { id: 'sqli/arithmetic', score: 5, end: next }
    : undefined
}

function afterCompare(at: number, quote: number): Finding | undefined {
  if ((starts[quote] as number) > 32 || charCodeAt.call(sourceText(), starts[at] as number) === 62)
    return undefined
  const value = at + 1
  const short = sourceText().length <= 48
  if (isSubquery(value) || isProbeCall(value)) return { id: 'sqli/subquery', score: 6, end: value + 2 }
  const next = expression(value)
  if (next < 0 || !isSolid(value)) return undefined
  if (keyAt(next) === KEY.logic || kindAt(next) === SQL.logic || kindAt(next) === SQL.comment)
    return { id: 'sqli/tautology', score: 5, end: next }
  return short &&
    isQuote(kindAt(value)) &&
    charCodeAt.call(sourceText(), starts[at] as number) === 61 &&
    starts[at] === ends[quote]
    ? { id: 'sqli/tautology', score: 5, end: next }
    : undefined
}

function afterOrder(at: number, inString: boolean): Finding | undefined {
  if (keyAt(at + 1) !== KEY.by) return undefined
  const next = expression(at + 2)
  if (next < 0) return undefined
  const number = kindAt(at + 2) === SQL.number
  const after = kindAt(next)
  if (after === SQL.comment || keyAt(next) === KEY.union || keyAt(next) === KEY.having)
    return { id: 'sqli/clause', score: 6, end: next }
  if (number && (after === SQL.end || after === SQL.comma)) return { id: 'sqli/clause', score: 5, end: next }
  if (kindAt(at + 2) === SQL.open && !inString) return { id: 'sqli/clause', score: 5, end: next }
  return inString && isQuote(kindAt(at + 2)) ? { id: 'sqli/clause', score: 4, end: next } : undefined
}

function afterLimit(at: number): Finding | undefined {
  for (let i = at + 1; i < at + 5; i++) {
    const key = keyAt(i)
    if (key === KEY.union || key === KEY.procedure || key === KEY.into)
      return { id: 'sqli/clause', score: 6, end: i }
    if (kindAt(i) === SQL.comment && i > at + 1) return { id: 'sqli/clause', score: 6, end: i }
  }
  return undefined
}

function afterTest(at: number, inString: boolean): Finding | undefined {
  const value = at + 1
  if (isSubquery(value) || isProbeCall(value) || isCase(value))
    return { id: 'sqli/subquery', score: 6, end: value + 2 }
  // MySQL's full-text search: the value was its search string.
  if (wordAt(value) === 'boolean' && wordAt(value + 1) === 'mode')
    return continuation(value + 2, inString ? 'string' : 'value', at)
  const next = expression(value)
  if (next < 0) return undefined
  if (keyAt(next) === KEY.logic && (inString || isSolid(value))) {
    const found = afterLogic(next, inString ? 'string' : 'value')
    if (found !== undefined) return found
  }
  if (!inString || !isSolid(value)) return undefined
  if (kindAt(next) === SQL.compare && isQuote(kindAt(next + 1)))
    return { id: 'sqli/tautology', score: 5, end: next + 1 }
  if (keyAt(next) === KEY.test || (next >= tokenCount() && sourceText().length <= 48))
    return { id: 'sqli/tautology', score: 5, end: next }
  return kindAt(next) === SQL.comment || (isQuote(kindAt(value)) && sourceText().length <= 64)
    ? { id: 'sqli/tautology', score: 5, end: next }
    : undefined
}
