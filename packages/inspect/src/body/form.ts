import { decodeInParts } from '../canonicalise/in-parts.ts'
import { decodeUrl } from '../canonicalise/url.ts'
import type { Place } from '../reading.ts'
import type { Steps } from './steps.ts'
import type { Locator, ValueVisitor } from './value-visitor.ts'

const PERCENT = 37

function decodeForm(part: string): string {
  return decodeUrl(part, true)
}

/**
 * Walks `name=value` pairs of a query or a form (WHATWG URL Standard section 5.1), each decoded once, `+` as a space. Pairs without `=` count as a name. Linear.
 * @param base `query` or `body`
 */
export function* visitForm(text: string, base: string, place: Place, visitor: ValueVisitor): Steps {
  let name = ''
  const locator: Locator = {
    location: () => `${base}.${name.slice(0, 64)}`,
    name: () => name.toLowerCase(),
  }
  const asName: Locator = {
    location: () => `${base}.${name.slice(0, 64)}#name`,
    name: () => name.toLowerCase(),
  }
  let start = 0
  while (start <= text.length) {
    const ampersand = text.indexOf('&', start)
    const end = ampersand < 0 ? text.length : ampersand
    if (end > start) {
      const equals = text.indexOf('=', start)
      const split = equals < 0 || equals > end ? end : equals
      name = yield* decodeInParts(text.slice(start, split), PERCENT, decodeForm, visitor)
      // A pair without "=" may be the whole payload: `/?<script>`.
      if (!visitor.value(name, 'name', asName)) return
      if (split === end) {
        if (!visitor.value(name, place, asName)) return
      } else {
        const value = yield* decodeInParts(text.slice(split + 1, end), PERCENT, decodeForm, visitor)
        if (!visitor.value(value, place, locator)) return
      }
      if (visitor.isPaused) yield
    }
    if (ampersand < 0) return
    start = end + 1
  }
}
