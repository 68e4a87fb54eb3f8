import type { Place } from '../reading.ts'
import { unescapeJson } from './json.ts'
import type { Steps } from './steps.ts'
import { at, type ValueVisitor } from './value-visitor.ts'

const DOCUMENT =
  /^\s{0,64}(?:\{\s{0,64}(?:\.{3}|[a-z_]\w{0,64}\s{0,16}[({:}\s@])|(?:query|mutation|subscription|fragment)\b[^{]{0,512}\{)/i
const STRING = /"""([\s\S]*?)"""|"((?:[^"\\\n]|\\.)*)"/g

/** Whether a text is a GraphQL document (GraphQL October 2021, section 2). */
export function isGraphql(text: string): boolean {
  return DOCUMENT.test(text) && !/^\s{0,64}\{\s{0,64}"/.test(text)
}

/**
 * Walks the string literals of a GraphQL document: its braces and colons are syntax, only strings carry
 * values.
 */
export function* visitGraphql(
  text: string,
  location: string,
  visitor: ValueVisitor,
  place: Place = 'body',
): Steps {
  const locator = at(location)
  for (const found of text.matchAll(STRING)) {
    const value = found[1] ?? found[2] ?? ''
    if (value !== '' && !visitor.value(unescapeJson(value), place, locator)) return
    if (visitor.isPaused) yield
  }
}
