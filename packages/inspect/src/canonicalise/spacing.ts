import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

const LINES = CHAR.newline | CHAR.control
const SPACES = CHAR.space | LINES
/** Longer texts are documents, which have space at the starts of their lines and between their columns. */
const LONG = 1_024
const BLANK = /[ \t]/
/** How a line of code ends. */
const STATEMENT = /[)\]};>]\r?\n/

/** Whether a text has line ends, or what is read as such, for all its space. */
function isSpacedByLines(text: string): boolean {
  return text.length <= LONG && !BLANK.test(text) && !STATEMENT.test(text)
}

/**
 * A text with one space wherever it has several or another sign of it, and none around it: rules say how
 * much space may stand between two words, and who evaluates the text takes any number of it. Lines are kept
 * apart unless there is no other space: joined, they would be what nobody wrote. So would be the signs of a
 * drawing, without a word among them. Calls lose the space inside of their brackets and around dots, as
 * whoever runs them drops it.
 */
export function closedUp(text: string): string {
  if (text.length > LONG)
    return text.replace(/(?<=[\w'"])[ \t\v\f]{4,}(?=\S)|(?<=\S)[ \t\v\f]{4,}(?=[\w'"])/g, ' ')
  const trimmed = text.trim()
  if (isSpacedByLines(trimmed)) return trimmed.replace(/\s{1,}/g, ' ')
  const closed = trimmed.replace(
    /(?<=[\w'"])(?:[ \t\v\f]{2,}|[\t\v\f])(?=\S)|(?<=\S)(?:[ \t\v\f]{2,}|[\t\v\f])(?=[\w'"])/g,
    ' ',
  )
  return closed
    .replace(/(?<=\w) ?\( {1,8}(?=\S)|\( {1,8}(?=[\w'"`/$])/g, '(')
    .replace(/(?<=\S) (?=\))|(?<=[\w)\]]) (?=\. ?[a-z_])|(?<=[\w)\]] \.) (?=[a-z_])/gi, '')
}

/**
 * A text with its space closed up; undefined where that changes nothing.
 * @param chars of the text, as scanned
 * @param words of the text, as scanned
 */
export function closedUpOf(text: string, chars: number, words: number): string | undefined {
  if ((chars & SPACES) === 0) return undefined
  if ((words & WORD.spaced) === 0 && ((chars & LINES) === 0 || !isSpacedByLines(text))) return undefined
  const closed = closedUp(text)
  if (closed === text || closed === '') return undefined
  // Lines are read by themselves, without the space around them.
  return (chars & CHAR.newline) !== 0 && closed === text.trim() && closed.includes('\n') ? undefined : closed
}
