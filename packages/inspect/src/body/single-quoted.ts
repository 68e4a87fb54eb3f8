import { decodeInParts } from '../canonicalise/in-parts.ts'
import { unescapeOddly } from './json-string.ts'
import { quotedEnd } from './quoted-end.ts'
import type { Steps } from './steps.ts'
import { at, type ValueVisitor } from './value-visitor.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const DOUBLE = 34
const SINGLE = 39
const STAR = 42
const SLASH = 47
const BACKSLASH = 92
/** Shorter ones hold nothing. */
const SHORTEST = 4

/**
 * Walks the strings in single quotes of what is nearly JSON, which Newtonsoft.Json, Gson, fastjson, org.json
 * and JSON5 read like those in double quotes. Comments are passed over. Linear.
 */
export function* visitSingleQuoted(text: string, visitor: ValueVisitor): Steps {
  const locator = at('body')
  for (let from = 0; from < text.length; ) {
    const code = charCodeAt.call(text, from)
    let next = from + 1
    if (code === DOUBLE || code === SINGLE) {
      const end = quotedEnd(text, next, code)
      if (code === SINGLE && end - next >= SHORTEST) {
        const value = yield* decodeInParts(text.slice(next, end), BACKSLASH, unescapeOddly, visitor)
        if (!visitor.value(value, 'body', locator)) return
        if (visitor.isPaused) yield
      }
      next = end + 1
    } else if (code === SLASH) next = commentEnd(text, from)
    from = next
  }
}

/** Where to go on behind a slash. */
function commentEnd(text: string, slash: number): number {
  const second = charCodeAt.call(text, slash + 1)
  if (second !== STAR && second !== SLASH) return slash + 1
  const end = second === STAR ? text.indexOf('*/', slash + 2) : text.indexOf('\n', slash + 2)
  return end < 0 ? text.length : end + 1
}
