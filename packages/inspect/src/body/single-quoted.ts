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
 * Walks the strings in single quotes of what is nearly JSON, which Newtonsoft.Json, Gson, fastjson, org.json
 * and JSON5 read like those in double quotes. Comments are passed over. Linear.
 */
export function* visitSingleQuoted(text: string, visitor: ValueVisitor): Steps {
  const locator = at('body')
  const signs = /["'/]/g
  let count = 0
  for (let found = signs.exec(text); found !== null; found = signs.exec(text)) {
    const [sign] = found
    const start = signs.lastIndex
    const end = sign === '/' ? commentEnd(text, found.index) : quotedEnd(text, start, sign) + 1
    if (sign === "'" && end - start > SHORTEST) {
      const value = yield* decodeInParts(text.slice(start, end - 1), BACKSLASH, unescapeOddly, visitor)
      if (!visitor.value(value, 'body', locator)) return
    }
    if (++count % SIGNS === 0) visitor.work(SIGNS)
    if (visitor.isPaused) yield
    signs.lastIndex = end
  }
}

/** Where to go on behind a slash. */
function commentEnd(text: string, slash: number): number {
  const second = text[slash + 1]
  if (second !== '*' && second !== '/') return slash + 1
  const end = second === '*' ? text.indexOf('*/', slash + 2) : text.indexOf('\n', slash + 2)
  return end < 0 ? text.length : end + 1
}
