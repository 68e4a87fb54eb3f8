/** How many points a quotable rule loses where people quote attacks. */
export const QUOTED_DISCOUNT = 3

const CODE_LINE =
  /[;{}>]\s{0,4}$|^\s{0,8}(?:\/\/|#(?:include|define|!|\s)|\*\s|import\s|export\s|const\s|let\s|var\s|def\s|class\s|function\s|return\b|if\s?\(|for\s?\(|public\s|private\s|package\s|use\s|from\s|(?:set|cd|for|while|done|fi|then|else|echo|sudo|npm|git|curl|apt|docker|ls|mkdir|rm|cp)\b.{0,200}(?:[-/;|&$]|$)|<\/?[a-z]|```|--\s|\$\s|@\w)|^(?: {2}|\t)\S/
const FENCE = '```'
const MAX_LINES = 400

/**
 * Whether the span at `[start, end)` stands where text quotes code rather than where a parser would meet it: inside a fence, between backticks with a sentence around them, or
 * in a document of many lines most of which are code. What an attack needs in order to work (its own quote, its own tag) does not make it
 * quoted.
 */
export function isQuoted(text: string, start: number, end: number): boolean {
  return isInCodeSpan(text, start, end) || isCodeDocument(text)
}

function isInCodeSpan(text: string, start: number, end: number): boolean {
  const fenceBefore = countOf(text, FENCE, 0, start)
  if (fenceBefore % 2 === 1 && text.indexOf(FENCE, end) >= 0) return true
  const lineStart = text.lastIndexOf('\n', start) + 1
  const nextLine = text.indexOf('\n', end)
  const lineEnd = nextLine < 0 ? text.length : nextLine
  const open = text.lastIndexOf('`', start)
  if (open < lineStart) return false
  const close = text.indexOf('`', Math.max(start + 1, end - 1))
  if (close < 0 || close >= lineEnd || countOf(text, '`', lineStart, open + 1) % 2 === 0) return false
  const outside = `${text.slice(Math.max(lineStart, open - 120), open)} ${text.slice(close + 1, Math.min(lineEnd, close + 120))}`
  return (outside.match(/\b[a-z]{2,12}\b/gi)?.length ?? 0) >= 4
}

function countOf(text: string, part: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf(part, from); at >= 0 && at < to; at = text.indexOf(part, at + part.length))
    count++
  return count
}

function isCodeDocument(text: string): boolean {
  let lines = 0
  let code = 0
  let at = 0
  while (at < text.length && lines < MAX_LINES) {
    const next = text.indexOf('\n', at)
    const end = next < 0 ? text.length : next
    const line = text.slice(at, Math.min(end, at + 240)).replace(/\r$/, '')
    if (line.trim() !== '') {
      lines++
      if (CODE_LINE.test(line)) code++
    }
    at = end + 1
  }
  return (lines >= 3 && code * 5 >= lines * 3) || (lines >= 5 && code * 5 >= lines * 2)
}
