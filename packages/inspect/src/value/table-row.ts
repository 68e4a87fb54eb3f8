// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** How far from a sign the ends of its line are looked for. */
const REACH = 400
const BAR = 124

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
  if (start > 0 && lastSign(lower, start - 1) === BAR) return true
  const behind = lower.slice(at, at + REACH).indexOf('\n')
  return behind >= 0 && lastSign(lower, at + behind) === BAR && firstSign(lower, at + behind + 1) === BAR
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
