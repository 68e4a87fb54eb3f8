import { decodeInParts } from '../canonicalise/in-parts.ts'
import type { Steps } from '../value/steps.ts'
import { at, type ValueVisitor } from '../value/value-visitor.ts'
import { unescapeOddly } from './json-string.ts'
import { quotedEnd } from './quoted-end.ts'

const BACKSLASH = 92
/** Shorter ones hold nothing. */
const SHORTEST = 4
/** Signs between two looks at the clock. */
const SIGNS = 2_048

/**
 * Walks the strings of what is nearly JSON as lenient parsers find them (Newtonsoft.Json, Gson, fastjson,
 * org.json, Ruby's json, JSON5): in single quotes too, and behind comments and strings that hold a quote of
 * the other kind. What is in double quotes without an escape stands in the text as it is. Linear.
 */
export function* visitQuotedStrings(text: string, visitor: ValueVisitor): Steps {
  const locator = at('body')
  const signs = /["'/#]/g
  let count = 0
  for (let found = signs.exec(text); found !== null; found = signs.exec(text)) {
    const [sign] = found
    const start = signs.lastIndex
    const isQuote = sign === "'" || sign === '"'
    const end = isQuote ? quotedEnd(text, start, sign) + 1 : commentEnd(text, found.index)
    const raw = isQuote && end - start > SHORTEST ? text.slice(start, end - 1) : ''
    if (raw !== '' && (sign === "'" || raw.includes('\\'))) {
      const value = yield* decodeInParts(raw, BACKSLASH, unescapeOddly, visitor)
      if (!visitor.value(value, 'body', locator)) return
    }
    if (++count % SIGNS === 0) visitor.work(SIGNS)
    if (visitor.isPaused) yield
    signs.lastIndex = end
  }
}

/** Where to go on behind what may begin a comment. */
function commentEnd(text: string, start: number): number {
  const second = text[start] === '#' ? '/' : text[start + 1]
  if (second !== '*' && second !== '/') return start + 1
  const end = second === '*' ? text.indexOf('*/', start + 2) : text.indexOf('\n', start + 1)
  return end < 0 ? text.length : end + 1
}
