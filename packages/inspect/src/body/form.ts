import { decodeInParts, PART } from '../canonicalise/in-parts.ts'
import { decodeUrl } from '../canonicalise/url.ts'
import type { Place } from '../value/reading.ts'
import type { Steps } from '../value/steps.ts'
import type { Locator, ValueVisitor } from '../value/value-visitor.ts'
import { visitJoined } from './joined-values.ts'

const PERCENT = 37

function decodeForm(part: string): string {
  return decodeUrl(part, true)
}

/**
 * Walks `name=value` pairs of a query or a form (WHATWG URL Standard section 5.1), each decoded once, `+`
 * as a space. Pairs without `=` count as a name. Linear.
 * @param base `query` or `body`
 */
export function* visitForm(text: string, base: string, place: Place, visitor: ValueVisitor): Steps {
  const pair = new Pair(base, place, visitor)
  let start = 0
  while (start <= text.length) {
    const ampersand = text.indexOf('&', start)
    const end = ampersand < 0 ? text.length : ampersand
    if (end > start) {
      const sent = text.slice(start, end)
      const isSimple = sent.length <= PART && !sent.includes(';')
      const isWanted = isSimple ? pair.visit(sent) : yield* visitPieces(sent, pair, visitor)
      if (!isWanted) return
      if (visitor.isPaused) yield
    }
    if (ampersand < 0) break
    start = end + 1
  }
  yield* visitJoined(text, base, place, visitor)
}

/**
 * Visits a pair that is long or has a semicolon, which Plack, Rack below 3.0 and Python below 3.9.2 take
 * for an ampersand (HTML 4.01 appendix B.2.2): what stands behind one is a pair too. Browsers escape those of
 * a text.
 * @returns false to end the walk
 */
function* visitPieces(sent: string, pair: Pair, visitor: ValueVisitor): Steps<boolean> {
  for (let from = 0; ; ) {
    const semicolon = sent.indexOf(';', from)
    const piece = from === 0 ? sent : sent.slice(from, semicolon < 0 ? sent.length : semicolon)
    // Behind a semicolon only what has a value: most semicolons are those of a text.
    const isPair = from === 0 || piece.includes('=')
    if (isPair && !(piece.length <= PART ? pair.visit(piece) : yield* pair.visitLong(piece))) return false
    if (visitor.isPaused) yield
    if (semicolon < 0) return true
    from = semicolon + 1
  }
}

/** The pair at hand. One object for the whole walk. */
class Pair implements Locator {
  readonly #place: Place
  readonly #visitor: ValueVisitor
  readonly #base: string
  readonly #asName: Locator = { location: () => `${this.location()}#name`, name: () => this.name() }
  #name = ''

  constructor(base: string, place: Place, visitor: ValueVisitor) {
    this.#base = base
    this.#place = place
    this.#visitor = visitor
  }

  location(): string {
    return `${this.#base}.${this.#name.slice(0, 64)}`
  }

  name(): string {
    return this.#name.toLowerCase()
  }

  /** @returns false to end the walk */
  visit(sent: string): boolean {
    const equals = sent.indexOf('=')
    if (equals < 0) return this.#tell(decodeForm(sent), undefined)
    return this.#tell(decodeForm(sent.slice(0, equals)), decodeForm(sent.slice(equals + 1)))
  }

  /** As `visit`, for a pair that takes long to decode. */
  *visitLong(sent: string): Steps<boolean> {
    const equals = sent.indexOf('=')
    const end = equals < 0 ? sent.length : equals
    const name = yield* decodeInParts(sent.slice(0, end), PERCENT, decodeForm, this.#visitor)
    if (equals < 0) return this.#tell(name, undefined)
    return this.#tell(name, yield* decodeInParts(sent.slice(end + 1), PERCENT, decodeForm, this.#visitor))
  }

  #tell(name: string, value: string | undefined): boolean {
    this.#name = name
    if (!this.#visitor.value(name, 'name', this.#asName)) return false
    // A pair without "=" may be the whole payload: `/?<script>`.
    if (value === undefined) return this.#visitor.value(name, this.#place, this.#asName)
    return this.#visitor.value(value, this.#place, this)
  }
}
