import type { Place } from '../reading.ts'
import { unescapeJson } from './json-string.ts'
import type { Steps } from './steps.ts'
import { at, type ValueVisitor } from './value-visitor.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const DOCUMENT =
  /^\s{0,64}(?:\{\s{0,64}(?:\.{3}|[a-z_]\w{0,64}\s{0,16}[({:}\s@])|(?:query|mutation|subscription|fragment)\b[^{]{0,512}\{)/i
const QUOTE = 34
const BACKSLASH = 92
const NEWLINE = 10
const BLOCK = '"""'

/** Whether a text is a GraphQL document (GraphQL October 2021, section 2). */
export function isGraphql(text: string): boolean {
  return DOCUMENT.test(text) && !/^\s{0,64}\{\s{0,64}"/.test(text)
}

/**
 * Walks the string literals of a GraphQL document: its braces and colons are syntax, only strings carry
 * values. A string that nothing closes goes to the end of its line, a block string to the end of the text.
 * Linear.
 */
export function* visitGraphql(
  text: string,
  location: string,
  visitor: ValueVisitor,
  place: Place = 'body',
): Steps {
  const locator = at(location)
  for (let open = text.indexOf('"'); open >= 0; ) {
    const isBlock = text.startsWith(BLOCK, open)
    const start = open + (isBlock ? BLOCK.length : 1)
    const end = isBlock ? blockEnd(text, start) : stringEnd(text, start)
    const value = text.slice(start, end)
    if (value !== '' && !visitor.value(unescapeJson(value), place, locator)) return
    if (visitor.isPaused) yield
    open = text.indexOf('"', isBlock ? end + BLOCK.length : end + 1)
  }
}

function blockEnd(text: string, start: number): number {
  const close = text.indexOf(BLOCK, start)
  return close < 0 ? text.length : close
}

/** Where a string ends: at its quote, or before the end of the line or text. */
function stringEnd(text: string, start: number): number {
  let end = start
  while (end < text.length) {
    const code = charCodeAt.call(text, end)
    if (code === QUOTE || code === NEWLINE) return end
    end += code === BACKSLASH && charCodeAt.call(text, end + 1) !== NEWLINE ? 2 : 1
  }
  return text.length
}
