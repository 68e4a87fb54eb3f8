// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** How far from a sign the ends of its line are looked for. */
const REACH = 400
const BAR = 124

/**
 * What can make an argument, a comment or a document of the bars behind it (POSIX.1-2024, Shell Command
 * Language, 2.2, 2.3 and 2.7.4): of a row with one of these nothing is sure.
 */
const HIDES_BARS = /["'`\\#<]/

/**
 * Whether a `|` stands in a row of a table as Markdown writes one, below or above another row: no shell reads
 * a line that ends with `|` and is followed by one that begins with `|`, and what it cannot read it does not
 * run.
 */
export function isInTable(lower: string, at: number): boolean {
  const before = lower.slice(Math.max(0, at - REACH), at).lastIndexOf('\n')
  if (before < 0 && at > REACH) return false
  const start = before < 0 ? 0 : Math.max(0, at - REACH) + before + 1
  if (firstSign(lower, start) !== BAR) return false
  const behind = lower.slice(at, at + REACH).indexOf('\n')
  const end = behind < 0 ? at : at + behind
  return isRowBelow(lower, start, at) || (behind >= 0 && isRowAbove(lower, start, end))
}

/** Whether the line before ends with a bar, and both are plain to where a bar stands. */
function isRowBelow(lower: string, start: number, at: number): boolean {
  if (start === 0 || lastSign(lower, start - 1) !== BAR) return false
  const from = Math.max(0, start - 1 - REACH)
  const above = lower.slice(from, start - 1).lastIndexOf('\n')
  if (above < 0 && from > 0) return false
  return !HIDES_BARS.test(lower.slice(from + above + 1, at))
}

/** Whether a line ends with a bar and the next one begins with one, and it is plain to there. */
function isRowAbove(lower: string, start: number, end: number): boolean {
  if (lastSign(lower, end) !== BAR || firstSign(lower, end + 1) !== BAR) return false
  return !HIDES_BARS.test(lower.slice(start, end))
}

/** The first character from a place on that is not a space or a tab. */
function firstSign(lower: string, from: number): number {
  let at = from
  while (isBlank(charCodeAt.call(lower, at)) && at - from < REACH) at++
  return charCodeAt.call(lower, at)
}

/** The last character before a place that is not a space, a tab or a carriage return. */
function lastSign(lower: string, before: number): number {
  let at = before - 1
  while ((isBlank(charCodeAt.call(lower, at)) || charCodeAt.call(lower, at) === 13) && before - at < REACH)
    at--
  return charCodeAt.call(lower, at)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}
