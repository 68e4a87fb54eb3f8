/** Words that are grammar wherever they stand in a statement, as alternatives of an expression. */
export const SQL_WORDS =
  'select|union|or|and|from|where|insert|update|delete|drop|having|like|order|group|limit|sleep|case|exec|into|is|not|null'
/** Space around a statement. */
const SURROUNDINGS = 64
const GRAMMAR = new RegExp(`\\b(?:${SQL_WORDS})\\b|[=<>;(]|--|/\\*|\\|\\|`, 'i')

/**
 * Whether a value of the request left its place in an SQL statement: it stands there verbatim and reaches
 * over the end of the string it stands in, or brings grammar of SQL outside of any. A value that is bound
 * as a parameter is not in the statement at all. Linear in the statement, per occurrence.
 */
export function escapesSql(statement: string, value: string): boolean {
  if (value.length < 3 || !/[^\w.@-]/.test(value) || value.length > statement.length) return false
  // Quotes with nothing between or behind them separate what is there anyway: `", "`.
  if (!/[^\s"'`.,]/.test(value) || isWhole(statement, value)) return false
  let at = statement.indexOf(value)
  for (let n = 0; at >= 0 && n < 16; n++) {
    if (leavesPlace(statement, at, at + value.length)) return true
    at = statement.indexOf(value, at + 1)
  }
  return false
}

/** Who may send whole statements does not inject: the application runs statements for its users. */
function isWhole(statement: string, value: string): boolean {
  return value.length + SURROUNDINGS >= statement.length && statement.trim() === value.trim()
}

function leavesPlace(statement: string, start: number, end: number): boolean {
  const before = quoteStateAt(statement, 0, start, '')
  if (before === '') {
    // Outside any string: a number or a name is data, anything with grammar in it is not.
    return GRAMMAR.test(statement.slice(start, end))
  }
  return closesString(statement, start, end, before)
}

/** Which quote is open at `end`, starting with `open` at `start`; '' for none. Comments are skipped. */
function quoteStateAt(statement: string, start: number, end: number, open: string): string {
  let state = open
  for (let at = start; at < end; at++) {
    const character = statement[at] as string
    if (state === '') {
      if (character === "'" || character === '"' || character === '`') state = character
      else at = endOfComment(statement, at, end)
    } else if (isPair(statement, at, state)) at++
    else if (character === state) state = ''
  }
  return state
}

/** Whether two characters stand for one in a string: behind a backslash, or the quote written twice. */
function isPair(statement: string, at: number, quote: string): boolean {
  const character = statement[at]
  if (character === quote) return statement[at + 1] === quote
  return character === '\\' && quote !== '`'
}

/** Where the comment ends that begins at a place outside of strings; the place itself when none does. */
function endOfComment(statement: string, at: number, end: number): number {
  if (statement.startsWith('--', at)) return skipTo(statement, '\n', at, end)
  return statement.startsWith('/*', at) ? skipTo(statement, '*/', at + 2, end) : at
}

function skipTo(statement: string, mark: string, from: number, end: number): number {
  const found = statement.indexOf(mark, from)
  return found < 0 ? end : found + mark.length - 1
}

/** Whether the string that is open at `start` is closed before `end`. */
function closesString(statement: string, start: number, end: number, quote: string): boolean {
  for (let at = start; at < end; at++) {
    if (isPair(statement, at, quote)) at++
    else if (statement[at] === quote) return true
  }
  return false
}
