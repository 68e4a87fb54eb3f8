import { decodeInParts } from '../canonicalise/in-parts.ts'
import type { Place } from '../value/reading.ts'
import type { Steps } from '../value/steps.ts'
import { FETCHED, SHELL_PROGRAM, WINDOWS_PROGRAM } from '../value/value-setting.ts'
import type { ValueVisitor } from '../value/value-visitor.ts'
import { isShortJson } from './json-grammar.ts'
import { JsonPath } from './json-path.ts'
import { hasOddEscape, JsonString, unescapeJson, unescapeOddly } from './json-string.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const QUOTE = 34
const BACKSLASH = 92

/**
 * Walks every string of a JSON text, keys too, without building it: duplicate keys are all seen (parsers
 * differ in which they keep), malformed documents are read as far as
 * quotes go, and depth costs a stack entry instead of a call. Strings that one scan clears are not even
 * made. Linear.
 * @returns `broken` when there is something outside the strings that no JSON text has: it is then no
 * document, or not only one
 * @param base where the document stands: `body`, `query.filter`
 * @param place of its strings: those of a document inside a query are part of the query
 */
export function* visitJson(
  text: string,
  base: string,
  depth: number,
  visitor: ValueVisitor,
  place: Place = 'body',
): Steps<'read' | 'broken' | 'ended'> {
  const walk = new JsonWalk(text, new JsonPath(base), depth, visitor, place)
  for (;;) {
    const state = walk.advance()
    if (state === 'long') {
      if (!(yield* tellLong(walk, visitor))) return 'ended'
    } else if (state !== 'paused') return state
    if (visitor.isPaused) yield
  }
}

/** Tells a long string as every parser reads it, and as lenient ones do. @returns false to end the walk */
function* tellLong(walk: JsonWalk, visitor: ValueVisitor): Steps<boolean> {
  const raw = walk.string.toString()
  const value = yield* decodeInParts(raw, BACKSLASH, unescapeJson, visitor)
  if (!walk.tell(value)) return false
  if (visitor.isPaused) yield
  const odd = raw.includes('\\') ? yield* oddReading(raw, value, visitor) : value
  return odd === value || walk.tell(odd)
}

/** What lenient parsers read in a long string; its value where that is the same. */
function* oddReading(raw: string, value: string, visitor: ValueVisitor): Steps<string> {
  let isOdd = false
  const note = (part: string): string => {
    isOdd ||= hasOddEscape(part)
    return ''
  }
  yield* decodeInParts(raw, BACKSLASH, note, visitor)
  return isOdd ? yield* decodeInParts(raw, BACKSLASH, unescapeOddly, visitor) : value
}

/** Where a walk over the strings of a JSON text stands. A class because generators take longer to do it. */
class JsonWalk {
  readonly string: JsonString
  readonly #text: string
  readonly #path: JsonPath
  readonly #depth: number
  readonly #visitor: ValueVisitor
  readonly #place: Place
  #at = 0
  #isBroken = false
  /** Whether the string at hand is a name. */
  #isName = false
  /** Whether the string before, in the same list, has a shell take the next one for a program (`-c`). */
  #nextName = ''

  constructor(text: string, path: JsonPath, depth: number, visitor: ValueVisitor, place: Place) {
    this.string = new JsonString(text)
    this.#text = text
    this.#path = path
    this.#depth = depth
    this.#visitor = visitor
    this.#place = place
  }

  /** @returns `long` at a string that is to be decoded in parts and told then */
  advance(): 'read' | 'broken' | 'ended' | 'paused' | 'long' {
    const text = this.#text
    const { length } = text
    let at = this.#at
    while (at < length) {
      const code = charCodeAt.call(text, at)
      if (code === QUOTE) {
        const state = this.#string(at + 1)
        if (state !== 'told') return state
        if (this.#visitor.isPaused) return 'paused'
        at = this.#at
        continue
      }
      if (!this.#sign(code)) return 'ended'
      at++
    }
    this.#at = at
    return this.#isBroken ? 'broken' : 'read'
  }

  /** Tells the visitor the string at hand. @returns false to end the walk */
  tell(value: string): boolean {
    const path = this.#path
    if (this.#isName) path.key = value
    const locator = this.#isName ? path.asName : path
    const place = this.#isName ? 'name' : this.#place
    const { parts } = this.#visitor
    return parts !== undefined && this.string.isPlain
      ? parts.look(value, place, locator)
      : this.#visitor.value(value, place, locator)
  }

  /** @param start where it begins, behind its quote */
  #string(start: number): 'told' | 'ended' | 'long' {
    const { string } = this
    string.open(start)
    this.#at = string.end + 1
    const { inObject } = this.#path
    this.#isName = inObject && isKey(this.#text, this.#at)
    if (!inObject) this.#nameItem()
    const { parts } = this.#visitor
    if (
      parts !== undefined &&
      string.isPlain &&
      parts.clearsPart(string, this.#isName ? 'name' : this.#place)
    ) {
      if (this.#isName) this.#path.nameBy(string)
      return 'told'
    }
    if (string.isLong) return 'long'
    const raw = string.toString()
    const isWanted = hasOddEscape(raw)
      ? this.tell(unescapeOddly(raw)) && this.tell(unescapeJson(raw))
      : this.tell(unescapeJson(raw))
    return isWanted ? 'told' : 'ended'
  }

  /** An item of a list has no name, but for what is handed to a shell, or fetched. */
  #nameItem(): void {
    const { start, end } = this.string
    const before = this.#nextName
    if (before !== '' || this.#path.key !== '') this.#path.key = before
    if (this.string.isPlain) this.#nextName = nameBehind(this.#text, start, end, before)
    else {
      const option = unescapeJson(this.#text.slice(start, Math.min(end, start + LONGEST_OPTION)))
      this.#nextName = nameBehind(option, 0, option.length, before)
    }
  }

  /** A character outside the strings. @returns false to end the walk */
  #sign(code: number): boolean {
    const path = this.#path
    switch (code) {
      case 123: // {
      case 91: // [
        this.#nextName = ''
        if (path.depth >= this.#depth) {
          this.#visitor.tooBig('bounds/depth', path.location(), `more than ${this.#depth} levels`)
          return false
        }
        path.enter(code === 91)
        return true
      case 125: // }
      case 93: // ]
        this.#nextName = ''
        path.leave()
        return true
      case 44: // ,
        path.next()
        return true
      default:
        if (!isLiteral(code)) this.#isBroken = true
        return true
    }
  }
}

/** Of one that is written in escapes of six characters. */
const LONGEST_OPTION = 25

/**
 * The name of an item behind another one of a list; empty for none. A shell takes a program behind `-c`
 * (POSIX.1-2024, sh), also among other options, the one of Windows behind `/c`; and a program that fetches
 * takes an address, behind its options.
 */
function nameBehind(text: string, start: number, end: number, before: string): string {
  const length = end - start
  const first = length === 0 ? 0 : charCodeAt.call(text, start)
  if (before === FETCHED && first === DASH) return FETCHED
  if (length < 2 || length > 4) return ''
  const last = charCodeAt.call(text, end - 1)
  if (first === DASH) return last === LETTER_C ? SHELL_PROGRAM : ''
  if (first === SLASH) return length === 2 && (last | 32) === LETTER_C ? WINDOWS_PROGRAM : ''
  if (length !== 4 || (first !== LETTER_W && first !== LETTER_C)) return ''
  const program = text.slice(start, end)
  return program === 'wget' || program === 'curl' ? FETCHED : ''
}
const DASH = 45
const SLASH = 47
const LETTER_C = 99
const LETTER_W = 119

/**
 * Characters that a JSON text has outside its strings: of numbers, of `true`, `false` and `null`, white
 * space and the colon.
 */
function isLiteral(code: number): boolean {
  return code <= 58 ? code >= 43 || code <= 32 : LITERAL.has(code)
}

const LITERAL: ReadonlySet<number> = new Set([...'truefalsnE'].map(letter => letter.charCodeAt(0)))

/** Whether a text begins as a JSON object or array does. */
export function startsLikeJson(text: string): boolean {
  const first = charCodeAt.call(text, 0)
  return (first === 123 || first === 91) && /^[[{]\s{0,32}["[{]/.test(text)
}

/** Longer documents are not parsed to know that they are some. */
const LONGEST_PARSED = 262_144
/** Of these a body can hold many, and none of them is nested too deep to be read by calls. */
const SHORT = 1_024

/** Whether a text is JSON to its last character. */
export function isJson(text: string): boolean {
  if (text.length > LONGEST_PARSED) return false
  if (text.length <= SHORT) return isShortJson(text)
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function isKey(text: string, from: number): boolean {
  let at = from
  while (charCodeAt.call(text, at) <= 32) at++
  return charCodeAt.call(text, at) === 58
}
