import { decodeInParts } from '../canonicalise/in-parts.ts'
import type { Steps } from '../value/steps.ts'
import type { ValueVisitor } from '../value/value-visitor.ts'

const AMPERSAND = 38
/** What stands between a number and its semicolon, which fast-xml-parser passes over. */
const LOOSE_NUMBER = /&#(x[\da-f]{1,6}|\d{1,7})(?![\da-f;])[^;&<]{1,8};/gi
/** A sign that begins no reference, or one without an end. */
const BROKEN = /&(?:#x?;|#(?:x[\da-f]{0,7}|\d{0,7})(?![\da-fx;])|(?![#\w]))/gi
/** A reference to a control character, which no document holds (XML 1.0 section 2.2). */
const FORBIDDEN = /&#(?:x0{0,4}(?:[0-8bcef]|1[\da-f])|0{0,4}(?:[0-8]|1[124-9]|2\d|3[01]));/gi
/** Of the names of entities, those that need no declaration are kept (XML 1.0 section 4.6). */
const UNDECLARED = /&(?!(?:amp|lt|gt|quot|apos);)[a-z_][\w.-]{0,40};?/gi
/** A tag that another one interrupts, and what begins none. */
const INTERRUPTED = /<(?:[\w:./-]{0,64}\s{0,8}(?=<)|(?=[\s&\d=]))/g

/**
 * A document as a parser reads it that recovers (libxml2 by `recover`, which Nokogiri takes by default): what
 * is broken is left out. Linear.
 * @returns the document itself where nothing is
 */
export function* recoveredXml(text: string, visitor: ValueVisitor): Steps<string> {
  const declares = text.includes('<!ENTITY')
  const recover = (part: string): string => {
    const known = part
      .replace(LOOSE_NUMBER, '&#$1;')
      .replace(BROKEN, '')
      .replace(FORBIDDEN, '')
      .replace(INTERRUPTED, '')
    return declares ? known : known.replace(UNDECLARED, '')
  }
  return yield* decodeInParts(text, AMPERSAND, recover, visitor)
}
