import { CHAR } from '../value/features.ts'
import { isInTable } from '../value/table-row.ts'
import { THRESHOLDS } from '../value/thresholds.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** What stands around a value that is quoted, commented out, fenced or set in markup. */
const WRAPPED =
  /^(?:"([^"]{1,2048})"|'([^']{1,2048})'|`{1,3}([^`]{1,2048})`{1,3}|\/\*{1,2}([\s\S]{1,2048}?)\*\/|<!--([\s\S]{1,2048}?)-->|(?:\/\/|#|--|>|\*|- )\s{0,4}([\s\S]{1,2048})|<[a-z][^<>]{0,64}>([^<>]{1,2048})<\/[a-z]\w{0,16}>|\(([^()]{1,2048})\))[;,.]?$/i

/** Shorter comments hold nothing that acts. */
const SHORTEST_COMMENT = 4

/** A text as it stands inside quotes, a comment, a fence or an element; undefined when it stands in none. */
function unwrapped(text: string): string | undefined {
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

/** Characters with which a wrapped text begins, and white space before them. */
const BEGINS = /^["'`/<#>*(\s-]/
const SMALLEST_LETTER = 65
const BACKTICK = 96
const LETTERS_END = 123

/** Whether a text could have such parts: most have none, and then nothing else need be known of it. */
export function mayHavePieces(text: string, chars: number): boolean {
  if ((chars & (CHAR.newline | CHAR.comment)) !== 0) return true
  const first = charCodeAt.call(text, 0)
  // Most texts begin with a letter.
  const isLetter = first >= SMALLEST_LETTER && first < LETTERS_END && first !== BACKTICK
  return !isLetter && BEGINS.test(text)
}

/**
 * The parts of a text that could be values of their own: its lines, what stands in comments, and what
 * stands in quotes, a comment or an element as the whole of the
 * text or of a line. So that a rule about how a value starts or ends finds it there whatever is written
 * around it. Linear.
 * @param chars of the text, as scanned
 */
export function piecesOf(text: string, chars: number): string[] {
  const pieces: string[] = []
  if (BEGINS.test(text)) addUnwrapped(text, pieces)
  if ((chars & CHAR.comment) !== 0) addComments(text, pieces)
  if ((chars & CHAR.newline) !== 0) addLines(text, pieces)
  return pieces
}

function addLines(text: string, pieces: string[]): void {
  for (let start = 0; start < text.length; ) {
    const next = text.indexOf('\n', start)
    const end = next < 0 ? text.length : next
    const line = text.slice(start, Math.min(end, start + THRESHOLDS.piece)).trim()
    // Of a row of a table alone, the word behind its first bar would be a command.
    const isRow = line.startsWith('|') && isInTable(text, start)
    if (line.length > 1 && line.length < text.length && !isRow) {
      pieces.push(line)
      if (BEGINS.test(line)) addUnwrapped(line, pieces)
    }
    start = end + 1
  }
}

/** What stands in comments: inside a string they are text. */
function addComments(text: string, pieces: string[]): void {
  for (let open = text.indexOf('/*'); open >= 0; ) {
    const close = text.indexOf('*/', open + 2)
    if (close < 0) return
    const inside = text.slice(open + 2, Math.min(close, open + THRESHOLDS.piece)).trim()
    if (inside.length >= SHORTEST_COMMENT) pieces.push(inside)
    open = text.indexOf('/*', close + 2)
  }
}

function addUnwrapped(text: string, pieces: string[]): void {
  const inside = unwrapped(text)
  if (inside !== undefined && inside !== '') pieces.push(inside)
}
