import type { Reading } from '../reading.ts'
import type { Span } from '../rule.ts'
import {
  beginGrammar,
  bracketedComparison,
  comparison,
  expression,
  isExhausted,
  isProbeCall,
  isQuote,
  isSolid,
  isSubquery,
  keyAt,
  kindAt,
  setSource,
  term,
} from './sql-grammar.ts'
import { selectEvidence, statementEvidence } from './sql-statement.ts'
import { ends, KEY, SQL, starts, tokenizeSql } from './sql-tokens.ts'

/** Where a value would leave its place in a query: behind a quote that closes the query's string, or behind a first value. */
type Context = 'string' | 'value' | 'word'

interface Finding {
  readonly id: string
  readonly score: number
  /** Token after the evidence. */
  readonly end: number
}

let lower = ''
let count = 0

/**
 * How a value would act inside a query: cut into tokens once, then read as a continuation of a value (`1 or 1=1`), of a string (`x' or 'a'='a`), and as a
 * statement. Words prove nothing; a comparison, a subquery, a call, a comment right where the value leaves its place does.
 */
export function findSqlInjection(reading: Reading): Span | undefined {
  lower = reading.lower
  count = tokenizeSql(lower)
  if (count < 2) return undefined
  beginGrammar(count)
  setSource(lower)
  let best: Finding | undefined
  let from = 0
  const consider = (found: Finding | undefined, at: number): void => {
    if (found !== undefined && (best === undefined || found.score > best.score)) {
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
  }
}

function wordAt(i: number): string {
  return kindAt(i) === SQL.word ? lower.slice(starts[i] as number, ends[i] as number) : ''
}

/** The value as a number or a name, and what follows; or as a whole statement. */
function atStart(): Finding | undefined {
  let at = 0
  while (kindAt(at) === SQL.open || kindAt(at) === SQL.close) at++
  if (keyAt(at) === KEY.select) {
    const evidence = selectEvidence(at)
    const score = at > 0 && evidence > 0 ? 6 : evidence
    if (score > 0) return { id: 'sqli/query', score: Math.min(score, 5), end: at + 4 }
  }
  if (
    wordAt(at) === 'case' &&
    wordAt(count - 1) === 'end' &&
    lower.includes('when') &&
    lower.includes('then')
  ) {
    return { id: 'sqli/query', score: 5, end: count }
  }
  if (at > 0 && kindAt(term(0)) === SQL.comment && isTail(term(0)) && (isSolid(at) || isSubquery(at - 1))) {
    return { id: 'sqli/comment', score: 5, end: count }
  }
  const statement = statementEvidence(at, wordAt(at), wordAt(at + 1))
  if (statement > 0) return { id: 'sqli/statement', score: Math.min(statement, 5), end: at + 4 }
  if (kindAt(at) === SQL.semicolon) return afterSemicolon(at, true)
  if (kindAt(at) === SQL.comment && at === 0) return undefined
  if (keyAt(at) === KEY.union || keyAt(at) === KEY.logic || kindAt(at) === SQL.logic)
    return continuation(at, 'word')
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

/** A number with a call or a subquery calculated onto it: `1-sleep(5)`. */
function arithmetic(from: number, to: number): Finding | undefined {
  for (let i = from + 1; i < to; i++) {
    if (kindAt(i) !== SQL.operator) continue
    if (isProbeCall(i + 1) || isSubquery(i + 1)) return { id: 'sqli/call', score: 6, end: to }
  }
  return undefined
}

/** A whole value that is a call: `benchmark(15000000,md5(1))`, `sleep(5)`; one that other languages share counts less. */
function probe(at: number): Finding | undefined {
  const next = term(at)
  if (next < 0) return undefined
  const word = wordAt(at)
  // People put a space before a bracket; so do payloads, but then a number or a quote comes behind it.
  const inside = kindAt(at + 2)
  if (starts[at + 1] !== ends[at] && inside === SQL.word && !isProbeCall(at + 2)) return undefined
  const certain =
    /^(?:sleep|benchmark|pg_sleep|extractvalue|updatexml|load_file|randomblob|xp_|elt|make_set|json_keys|unhex|row_count|dbms_|utl_|ctxsys)/
  return { id: 'sqli/call', score: certain.test(word) ? 6 : kindAt(next) === SQL.end ? 5 : 3, end: next }
}

/** What follows a quote. Even quotes close a string that the value itself opened: weaker evidence. */
function afterQuote(i: number, nth: number): Finding | undefined {
  const found = continuation(i + 1, 'string', i)
  if (found === undefined || nth % 2 === 1) return found
  // `''` is an escaped quote and does not open a string.
  if (isQuote(kindAt(i - 1)) && starts[i] === ends[i - 1]) return found
  return found.score >= 7 ? found : { ...found, score: found.score - 2 }
}

function afterSemicolon(i: number, leaving: boolean): Finding | undefined {
  let at = i + 1
  while (kindAt(at) === SQL.open) at++
  const key = keyAt(at)
  if (key === KEY.select) {
    const evidence = selectEvidence(at)
    if (leaving) return { id: 'sqli/stacked', score: Math.max(5, evidence), end: at + 4 }
    return evidence >= 5 ? { id: 'sqli/stacked', score: 5, end: at + 4 } : undefined
  }
  if (key !== KEY.statement && !isProbeCall(at)) return undefined
  const evidence = statementEvidence(at, wordAt(at), wordAt(at + 1))
  if (evidence > 0) return { id: 'sqli/stacked', score: evidence, end: at + 4 }
  if (!leaving) return undefined
  const word = wordAt(at)
  if (isProbeCall(at) && word !== 'user' && word !== 'count')
    return { id: 'sqli/stacked', score: 6, end: at + 3 }
  const call =
    word === 'if' ||
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

/** `union select` with a list behind it, and tautologies of two numbers, wherever they stand. */
function anywhere(i: number): Finding | undefined {
  const key = keyAt(i)
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
    const left = lower.slice(starts[i + 1] as number, ends[i + 1] as number)
    const right = lower.slice(starts[i + 3] as number, ends[i + 3] as number)
    return left === right ? { id: 'sqli/tautology', score: 5, end: i + 4 } : undefined
  }
  return undefined
}

/** Index of the `select` of a `union [all] [(]select` at `i`, or -1. */
function unionSelect(i: number): number {
  let at = i + 1
  for (let n = 0; n < 4 && (keyAt(at) === KEY.all || kindAt(at) === SQL.open); n++) at++
  return keyAt(at) === KEY.select || keyAt(at) === KEY.values ? at : -1
}

function continuation(i: number, context: Context, quote?: number): Finding | undefined {
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
      return afterSemicolon(at, leaving)
    case SQL.comment:
      return inString
        ? afterComment(at, quote ?? 0)
        : closed && leaving && isTail(at)
          ? { id: 'sqli/comment', score: 5, end: at + 1 }
          : undefined
    case SQL.comma:
      return leaving &&
        (isSubquery(at + 1) || wordAt(at + 1) === 'case' || isCase(at + 1) || isProbeCall(at + 1))
        ? { id: 'sqli/subquery', score: 6, end: at + 3 }
        : undefined
    case SQL.operator:
      return leaving ? afterOperator(at, inString) : undefined
    case SQL.open:
      return leaving && isSubquery(at) ? { id: 'sqli/subquery', score: 6, end: at + 3 } : undefined
    case SQL.compare:
      return inString ? afterCompare(at, quote ?? 0) : undefined
    case SQL.word:
      break
    default:
      return undefined
  }
  switch (key) {
    case KEY.union: {
      const select = unionSelect(at)
      if (select < 0) return undefined
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
      return leaving && selectEvidence(at) >= 5 ? { id: 'sqli/query', score: 5, end: at + 3 } : undefined
    case KEY.statement: {
      const evidence = leaving ? statementEvidence(at, wordAt(at), wordAt(at + 1)) : 0
      return evidence > 0 ? { id: 'sqli/statement', score: evidence, end: at + 3 } : undefined
    }
    default:
      return undefined
  }
}

function isCase(at: number): boolean {
  return kindAt(at) === SQL.open && keyAt(at + 1) === KEY.caseWhen
}

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
      kindAt(last) === SQL.word &&
      keyAt(last) === KEY.none &&
      kindAt(last - 1) === SQL.compare &&
      compared >= count
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
  if (after === SQL.comment && isSolid(at) && context !== 'word')
    return { id: 'sqli/tautology', score: 6, end: next + 1 }
  if (context === 'value' && keyAt(at) === KEY.literal && next >= count)
    return { id: 'sqli/tautology', score: 5, end: next }
  if (!inString) return undefined
  // `' or 'a`: the string it opens is closed by the query.
  const opens = isQuote(kindAt(at)) && kindAt(at) === kindAt(i - 1) && next >= count && lower.length <= 96
  if (
    opens ||
    (isSolid(at) && !isQuote(kindAt(at)) && (after === SQL.end || after === SQL.close || isQuote(after)))
  ) {
    return { id: 'sqli/tautology', score: 5, end: next }
  }
  return after === SQL.comment || (isQuote(after) && kindAt(i) === SQL.logic)
    ? { id: 'sqli/tautology', score: 5, end: next }
    : undefined
}

/** A comment right behind the quote ends the statement; in prose a dash behind a quoted word goes on with text. */
function afterComment(at: number, quote: number): Finding | undefined {
  if (!isTail(at)) return undefined
  const prefix = lower.slice(0, starts[quote] as number)
  if (prefix.trim().split(/\s{1,8}/, 4).length > 3) return undefined
  const bare = (ends[at] as number) >= lower.trimEnd().length
  if (!bare && /\s/.test(prefix.trim())) return undefined
  return { id: 'sqli/comment', score: 5, end: at + 1 }
}

/** Nothing but a short word behind the comment. */
function isTail(at: number): boolean {
  return /^[\s-]{0,4}\w{0,6}\s{0,4}$/.test(lower.slice(ends[at] as number, (ends[at] as number) + 16))
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
  if (kindAt(value) === SQL.variable || (after === SQL.comment && isTail(next) && isSolid(value)))
    return { id: 'sqli/arithmetic', score: 5, end: next }
  const call = kindAt(value) === SQL.word && lower.charCodeAt(starts[value + 1] as number) === 40
  if (call && after === SQL.operator && isQuote(kindAt(next + 1))) {
    return { id: 'sqli/arithmetic', score: 5, end: next }
  }
  const sign = after === SQL.compare ? lower[starts[next] as number] : ''
  const equals = sign === '=' || sign === '!'
  if (keyAt(next) === KEY.test && isSolid(next + 1)) return { id: 'sqli/arithmetic', score: 5, end: next }
  return equals && isSolid(value) && lower.length <= 64
    ? { id: 'sqli/arithmetic', score: 5, end: next }
    : undefined
}

function afterCompare(at: number, quote: number): Finding | undefined {
  if ((starts[quote] as number) > 32 || lower.charCodeAt(starts[at] as number) === 62) return undefined
  const value = at + 1
  const short = lower.length <= 48
  if (isSubquery(value) || isProbeCall(value)) return { id: 'sqli/subquery', score: 6, end: value + 2 }
  const next = expression(value)
  if (next < 0 || !isSolid(value)) return undefined
  if (keyAt(next) === KEY.logic || kindAt(next) === SQL.logic || kindAt(next) === SQL.comment)
    return { id: 'sqli/tautology', score: 5, end: next }
  return short &&
    isQuote(kindAt(value)) &&
    lower.charCodeAt(starts[at] as number) === 61 &&
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
  if (keyAt(next) === KEY.test || (next >= count && lower.length <= 48))
    return { id: 'sqli/tautology', score: 5, end: next }
  return kindAt(next) === SQL.comment || (isQuote(kindAt(value)) && lower.length <= 64)
    ? { id: 'sqli/tautology', score: 5, end: next }
    : undefined
}
