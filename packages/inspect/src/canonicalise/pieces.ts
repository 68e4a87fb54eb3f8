import { THRESHOLDS } from '../thresholds.ts'

/** What stands around a value that is quoted, commented out, fenced or set in markup. */
const WRAPPED =
  /^(?:"([^"]{1,2048})"|'([^']{1,2048})'|`{1,3}([^`]{1,2048})`{1,3}|\/\*{1,2}([\s\S]{1,2048}?)\*\/|<!--([\s\S]{1,2048}?)-->|(?:\/\/|#|--|>|\*|- )\s{0,4}([\s\S]{1,2048})|<[a-z][^<>]{0,64}>([^<>]{1,2048})<\/[a-z]\w{0,16}>|\(([^()]{1,2048})\))[;,.]?$/i

/** Shorter comments hold nothing that acts. */
const SHORTEST_COMMENT = 4

/** A text as it stands inside quotes, a comment, a fence or an element; undefined when it stands in none. */
export function unwrapped(text: string): string | undefined {
  const trimmed = text.trim()
  if (trimmed.length > THRESHOLDS.piece) return undefined
  const found = WRAPPED.exec(trimmed)
  if (found === null) return undefined
  for (let i = 1; i < found.length; i++) {
    const inside = found[i]
    if (inside !== undefined) return inside.trim()
  }
  return undefined
}

/**
 * Told each part of a text that could be a value of its own: its lines, and what stands in quotes, a comment or an element as the whole of the
 * text or of a line. So that a rule about how a value starts or ends finds it there whatever is written around it. Linear.
 * @param visit returns true when it has seen enough
 * @returns whether it has
 */
export function visitPieces(text: string, visit: (piece: string) => boolean): boolean {
  if (visitUnwrapped(text, visit) || visitComments(text, visit)) return true
  let start = 0
  for (let end = lineEnd(text, 0); end < text.length || start > 0; end = lineEnd(text, start)) {
    const line = text.slice(start, Math.min(end, start + THRESHOLDS.piece)).trim()
    if (line.length > 1 && line.length < text.length) {
      if (visit(line) || visitUnwrapped(line, visit)) return true
    }
    if (end >= text.length) return false
    start = end + 1
  }
  return false
}

/** What stands in comments: inside a string they are none. */
function visitComments(text: string, visit: (piece: string) => boolean): boolean {
  for (let open = text.indexOf('/*'); open >= 0; ) {
    const close = text.indexOf('*/', open + 2)
    if (close < 0) return false
    const inside = text.slice(open + 2, Math.min(close, open + THRESHOLDS.piece)).trim()
    if (inside.length >= SHORTEST_COMMENT && visit(inside)) return true
    open = text.indexOf('/*', close + 2)
  }
  return false
}

function visitUnwrapped(text: string, visit: (piece: string) => boolean): boolean {
  const inside = unwrapped(text)
  return inside !== undefined && inside !== '' && visit(inside)
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from)
  return end < 0 ? text.length : end
}
