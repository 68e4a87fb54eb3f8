import { decodeInParts, PART } from '../canonicalise/in-parts.ts'
import { CharacterCodes, MOST_COPIED } from '../value/character-codes.ts'
import type { Place } from '../value/reading.ts'
import type { Steps } from '../value/steps.ts'
import { at, type Locator, type ValueVisitor } from '../value/value-visitor.ts'
import { unescapeJson } from './json-string.ts'

const DOCUMENT =
  /^[\s,]{0,64}(?:\{[\s,]{0,64}(?:\.{3}|[a-z_]\w{0,64}[\s,]{0,16}[({:}\s,@])|(?:query|mutation|subscription|fragment)\b[^{]{0,512}\{)/i
const QUOTE = 34
const BACKSLASH = 92
const NEWLINE = 10
const BLOCK = '"""'

/** Whether a text is a GraphQL document (GraphQL October 2021, section 2). */
export function isGraphql(text: string): boolean {
  return DOCUMENT.test(text) && !/^\s{0,64}\{\s{0,64}"/.test(text)
}

/**
 * What stands outside the strings and comments of a document (GraphQL October 2021, section 2.1). An object
 * never begins with a variable.
 */
const TOKENS = /^(?:[\w\s,.!&():=@[\]{|}+\ufeff-]|(?<!\{\s{0,8})\$(?=[a-z_]))*$/i
const COMMENT = /#[^\r\n]*/g

/**
 * Walks the string literals of a GraphQL document, and its comments: its braces and colons are syntax, only
 * strings carry values. A string that nothing closes goes to the end of its line, a block string to the end
 * of the text. Linear.
 * @returns `broken` when there is something outside of both that no document has: a text that only begins
 * like one, or JSON with names or strings that stand in no double quotes
 */
export function* visitGraphql(
  text: string,
  location: string,
  visitor: ValueVisitor,
  place: Place = 'body',
): Steps<'read' | 'broken' | 'ended'> {
  const locator = at(location)
  const depth = new Depth()
  if (attemptsMany(text) && !visitor.value(MANY_ATTEMPTS, place, locator)) return 'ended'
  let isBroken = false
  let from = 0
  for (let open = text.indexOf('"'); ; open = text.indexOf('"', from)) {
    const outside = text.slice(from, open < 0 ? text.length : open)
    // So much syntax between two strings is read as a text as well, in slices.
    isBroken ||= outside.length > PART || !TOKENS.test(outside.replace(COMMENT, ''))
    if (!tellOutside(outside, depth, locator, place, visitor)) return 'ended'
    if (open < 0) return isBroken ? 'broken' : 'read'
    const { start, end, next } = literalAt(text, open)
    const value = yield* decodeInParts(text.slice(start, end), BACKSLASH, unescapeJson, visitor)
    if (value !== '' && !visitor.value(value, place, locator)) return 'ended'
    if (visitor.isPaused) yield
    from = next
  }
}

/** What is asked of a password, a code or a token, and a field that costs a document nothing to repeat. */
const ATTEMPT =
  /\b\w{1,64}\s{0,8}:\s{0,8}(?:(?:log_?in|sign_?in|authenticate|token_?auth|(?:check|verify|validate|redeem|apply)_?\w{0,24}(?:code|otp|pin|token|password|coupon|voucher))\w{0,24}\s{0,8}\(|__typename\b)/gi
const MANY = 5
/** What the rules are shown for such a document. */
export const MANY_ATTEMPTS = 'a:login( b:login( c:login( d:login('
/** Names of types, which a client may ask for under names of its own: so many nobody does. */
const MANY_NAMES = 24

/** Whether a document makes one attempt under many names, past what counts requests. */
function attemptsMany(text: string): boolean {
  let attempts = 0
  let names = 0
  for (const { 0: found } of text.matchAll(ATTEMPT)) {
    if (found.endsWith('(')) attempts++
    else names++
    if (attempts === MANY || names === MANY_NAMES) return true
  }
  return false
}

/** What stands outside of strings: how deep it goes, and its comments. @returns false to end the walk */
function tellOutside(
  outside: string,
  depth: Depth,
  locator: Locator,
  place: Place,
  visitor: ValueVisitor,
): boolean {
  if (depth.isPassedBy(outside)) {
    visitor.tooBig('bounds/depth', locator.location(), `fields in more than ${DEEPEST} levels`)
    return false
  }
  return commentsOf(outside).every(comment => visitor.value(comment, place, locator))
}

/** Levels of fields: a client that asks for the whole schema goes 15 deep. */
const DEEPEST = 40

/** How deep the fields of a document go. */
class Depth {
  #level = 0

  /** Whether they go too deep, read on with what stands outside of its strings. */
  isPassedBy(outside: string): boolean {
    if (!outside.includes('{') && !outside.includes('}')) return false
    for (const [brace] of outside.replace(COMMENT, '').matchAll(/[{}]/g)) {
      this.#level = brace === '{' ? this.#level + 1 : Math.max(0, this.#level - 1)
      if (this.#level > DEEPEST) return true
    }
    return false
  }
}

/** What stands between the quotes of a string or a block string, and where the document goes on. */
function literalAt(text: string, open: number): { start: number; end: number; next: number } {
  const isBlock = text.startsWith(BLOCK, open)
  const { length } = isBlock ? BLOCK : '"'
  const start = open + length
  const end = isBlock ? blockEnd(text, start) : stringEnd(text, start)
  return { start, end, next: end + length }
}

function commentsOf(outside: string): readonly string[] {
  return outside.length <= PART && outside.includes('#') ? (outside.match(COMMENT) ?? []) : []
}

function blockEnd(text: string, start: number): number {
  const close = text.indexOf(BLOCK, start)
  return close < 0 ? text.length : close
}

/** Characters that are copied at first: most strings are shorter. */
const FIRST_COPY = 64
const copied = new CharacterCodes()

/** Where a string ends: at its quote, or before the end of the line or text. */
function stringEnd(text: string, start: number): number {
  let at = start
  for (let most = FIRST_COPY; at < text.length; most = Math.min(most * 4, MOST_COPIED - 1)) {
    const length = Math.min(text.length - at, most)
    // And the one behind them: a backslash may be the last.
    const sign = endAmong(copied.copy(text, at, Math.min(text.length, at + length + 1)), length)
    if (sign < length) return at + sign
    at += sign
  }
  return text.length
}

/** Where among so many characters a string ends; behind them where it goes on. */
function endAmong(codes: Uint16Array, length: number): number {
  let at = 0
  while (at < length) {
    const code = codes[at]
    if (code === QUOTE || code === NEWLINE) return at
    at += code === BACKSLASH && codes[at + 1] !== NEWLINE ? 2 : 1
  }
  return at
}
