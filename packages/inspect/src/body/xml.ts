import { decodeEntities } from '../canonicalise/entities.ts'
import type { Locator, ValueVisitor } from './value-visitor.ts'

const NAME = /^[\w:.-]{1,64}/
const ATTRIBUTE = /([\w:.-]{1,64})\s{0,16}=\s{0,16}(?:"([^"]*)"|'([^']*)')/g

/**
 * Walks text, attribute values and CDATA of an XML document, leniently: what is no markup is text. Declarations and comments are skipped here; the rules about them look at the whole
 * text. Linear.
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one linear pass; each case is one kind of markup.
export function visitXml(text: string, depth: number, visitor: ValueVisitor): void {
  const path: string[] = []
  let attribute = ''
  const locator: Locator = {
    location: () => ['body', ...path.slice(0, 16)].join('.'),
    name: () => (path.at(-1) ?? '').toLowerCase(),
  }
  const asAttribute: Locator = {
    location: () => `${locator.location()}@${attribute}`,
    name: () => attribute.toLowerCase(),
  }
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('<', at)
    const content = open < 0 ? text.slice(at) : text.slice(at, open)
    if (content.trim() !== '' && !visitor.value(decodeEntities(content), 'body', locator)) return
    if (open < 0) return
    if (text.startsWith('<![CDATA[', open)) {
      const close = text.indexOf(']]>', open)
      const end = close < 0 ? text.length : close
      if (!visitor.value(text.slice(open + 9, end), 'body', locator)) return
      at = end + 3
      continue
    }
    if (text.startsWith('<!--', open)) {
      const close = text.indexOf('-->', open + 4)
      at = close < 0 ? text.length : close + 3
      continue
    }
    const close = tagEnd(text, open + 1)
    const tag = text.slice(open + 1, close)
    at = close + 1
    if (tag.startsWith('!') || tag.startsWith('?')) continue
    if (tag.startsWith('/')) {
      path.pop()
      continue
    }
    path.push(NAME.exec(tag)?.[0] ?? '')
    if (path.length > depth) {
      visitor.tooBig('bounds/depth', locator.location(), `more than ${depth} levels`)
      return
    }
    for (const found of tag.matchAll(ATTRIBUTE)) {
      attribute = found[1] ?? ''
      if (!visitor.value(attribute, 'name', asAttribute)) return
      if (!visitor.value(decodeEntities(found[2] ?? found[3] ?? ''), 'body', asAttribute)) return
    }
    if (tag.endsWith('/')) path.pop()
  }
}

/** The `>` that closes a tag, not one inside an attribute; the end of the text when there is none. */
function tagEnd(text: string, from: number): number {
  let quote = 0
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (quote !== 0) {
      if (code === quote) quote = 0
    } else if (code === 34 || code === 39) quote = code
    else if (code === 62) return at
  }
  return text.length
}
