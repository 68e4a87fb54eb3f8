import { decodeEntities } from '../canonicalise/entities.ts'
import { decodeInParts, PART } from '../canonicalise/in-parts.ts'
import type { Steps } from '../value/steps.ts'
import type { Locator, ValueVisitor } from '../value/value-visitor.ts'
import { ElementTexts } from './element-texts.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const NAME = /^[\w:.-]{1,64}/
/** Elements of a page that have no end. */
const EMPTY = /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$/i
const LAST_NAME = /[\w:.-]{1,64}\s{0,16}$/
/** Characters before an equals sign among which the attribute's name is looked for. */
const BEFORE = 96
const AMPERSAND = 38

/**
 * Walks text, attribute values and CDATA of an XML document, leniently: what is not markup is text.
 * Declarations and comments are skipped here; the rules about them look at the whole
 * text. Linear.
 * @param kind of a `page`, elements without an end (`<br>`, `<p>`) do not contain each other, so that its
 * depth says nothing
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one linear pass; each case is one kind of markup.
export function* visitXml(
  text: string,
  depth: number,
  visitor: ValueVisitor,
  kind: 'xml' | 'page' = 'xml',
): Steps {
  const path: string[] = []
  const locator: Locator = {
    location: () => ['body', ...path.slice(0, 16)].join('.'),
    name: () => (path.at(-1) ?? '').toLowerCase(),
  }
  const texts = new ElementTexts()
  const tagEnd = new TagEnd(text)
  /** @returns false to end the walk */
  const tell = (joined: string | undefined): boolean =>
    joined === undefined || visitor.value(joined, 'body', locator)
  let at = 0
  while (at < text.length) {
    if (visitor.isPaused) yield
    const open = text.indexOf('<', at)
    const content = open < 0 ? text.slice(at) : text.slice(at, open)
    if (content !== '') {
      const decoded =
        content.length <= PART
          ? decodeEntities(content)
          : yield* decodeInParts(content, AMPERSAND, decodeEntities, visitor)
      texts.add(decoded)
    }
    if (open < 0) break
    if (text.startsWith('<![CDATA[', open)) {
      const end = indexOrEnd(text, ']]>', open)
      texts.add(text.slice(open + 9, end))
      at = end + 3
      continue
    }
    if (text.startsWith('<!--', open)) {
      const close = text.indexOf('-->', open + 4)
      at = close < 0 ? text.length : close + 3
      continue
    }
    tagEnd.begin(open + 1)
    while (!tagEnd.advance()) {
      visitor.work(PART >> 3)
      if (visitor.isPaused) yield
    }
    const close = tagEnd.at
    visitor.work(TAG + (((close - open) % PART) >> 3))
    const tag = text.slice(open + 1, close)
    at = close + 1
    // A lenient parser reads a broken section of character data all the same.
    if (tag.startsWith('![') && !visitor.value(tag, 'body', locator)) return
    if (tag.startsWith('!') || tag.startsWith('?')) continue
    if (tag.startsWith('/')) {
      if (!tell(texts.close())) return
      path.pop()
      continue
    }
    const name = NAME.exec(tag)?.[0] ?? ''
    path.push(name)
    texts.open(depth)
    if (path.length > depth && kind === 'page') path.shift()
    if (path.length > depth) {
      visitor.tooBig('bounds/depth', locator.location(), `more than ${depth} levels`)
      return
    }
    if (!(yield* visitAttributes(tag, locator, visitor))) return
    if (tag.endsWith('/') || (kind === 'page' && EMPTY.test(name))) {
      texts.close()
      path.pop()
    }
  }
  // Those that have no end, and what stands outside of all.
  for (let open = path.length; open >= 0; open--) {
    if (!tell(texts.close())) return
    path.pop()
  }
  tell(texts.all())
}

/** @returns false to end the walk */
function* visitAttributes(tag: string, element: Locator, visitor: ValueVisitor): Steps<boolean> {
  let attribute = ''
  const locator: Locator = {
    location: () => `${element.location()}@${attribute}`,
    name: () => attribute.toLowerCase(),
  }
  for (let equals = tag.indexOf('='); equals >= 0; ) {
    let start = equals + 1
    while (charCodeAt.call(tag, start) <= 32) start++
    const quote = charCodeAt.call(tag, start)
    if (quote !== 34 && quote !== 39) {
      equals = tag.indexOf('=', start)
      continue
    }
    const closing = tag.indexOf(quote === 34 ? '"' : "'", start + 1)
    const close = closing < 0 ? tag.length : closing
    attribute = nameBefore(tag, equals)
    const raw = tag.slice(start + 1, close)
    const value =
      raw.length <= PART ? decodeEntities(raw) : yield* decodeInParts(raw, AMPERSAND, decodeEntities, visitor)
    if (!visitor.value(attribute, 'name', locator) || !visitor.value(value, 'body', locator)) return false
    if (visitor.isPaused) yield
    equals = tag.indexOf('=', close)
  }
  return true
}

/** The name of the attribute whose equals sign stands there. */
function nameBefore(tag: string, equals: number): string {
  return LAST_NAME.exec(tag.slice(Math.max(0, equals - BEFORE), equals))?.[0].trim() ?? ''
}

/** What reading a tag costs besides its length, in characters that are decoded. */
const TAG = 16

/**
 * Looks for the `>` that closes a tag, not one inside the value of an attribute; the end of the text where
 * none is. Elsewhere a quote opens nothing: in instructions, in the comments of a DTD and in broken tags it
 * has no end either, and would hide what follows. The rest of a declaration that ends too early is read as
 * text.
 */
class TagEnd {
  /** Where it is, once `advance` has found it. */
  at = 0
  readonly #text: string
  #quote = 0
  #before = 0

  constructor(text: string) {
    this.#text = text
  }

  /** @param from behind the `<` */
  begin(from: number): void {
    this.at = from
    this.#quote = 0
    this.#before = 0
    const first = charCodeAt.call(this.#text, from)
    if (first === EXCLAMATION || first === QUESTION) this.at = indexOrEnd(this.#text, '>', from)
  }

  /** Looks at the next `PART` characters at most. @returns whether it was found */
  advance(): boolean {
    const text = this.#text
    const end = Math.min(text.length, this.at + PART)
    let quote = this.#quote
    let before = this.#before
    let at = this.at
    for (; at < end; at++) {
      const code = charCodeAt.call(text, at)
      if (quote !== 0) {
        if (code === quote) quote = 0
      } else if (before === EQUALS && (code === 34 || code === 39)) quote = code
      else if (code === GREATER) break
      if (code > 32) before = code
    }
    this.at = at
    this.#quote = quote
    this.#before = before
    return at < end || end === text.length
  }
}

function indexOrEnd(text: string, sign: string, from: number): number {
  const found = text.indexOf(sign, from)
  return found < 0 ? text.length : found
}

const GREATER = 62
const EXCLAMATION = 33
const EQUALS = 61
const QUESTION = 63
