import { decodeInParts, PART } from '../canonicalise/in-parts.ts'
import type { Place } from '../reading.ts'
import type { Steps } from './steps.ts'
import type { Locator, ValueVisitor } from './value-visitor.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const QUOTE = 34
const BACKSLASH = 92

/**
 * Walks every string of a JSON text, keys too, without building it: duplicate keys are all seen (parsers
 * differ in which they keep), malformed documents are read as far as
 * quotes go, and depth costs a stack entry instead of a call. Linear.
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
  const path = new JsonPath(base)
  let at = 0
  let isBroken = false
  while (at < text.length) {
    switch (charCodeAt.call(text, at)) {
      case QUOTE: {
        const end = stringEnd(text, at + 1)
        const raw = text.slice(at + 1, end)
        const value =
          raw.length <= PART ? unescapeJson(raw) : yield* decodeInParts(raw, BACKSLASH, unescapeJson, visitor)
        at = end + 1
        if (path.inObject && isKey(text, at)) {
          path.key = value
          if (!visitor.value(value, 'name', path.asName)) return 'ended'
        } else if (!visitor.value(value, place, path)) return 'ended'
        if (visitor.isPaused) yield
        continue
      }
      case 123: // {
      case 91: // [
        if (path.depth >= depth) {
          visitor.tooBig('bounds/depth', path.location(), `more than ${depth} levels`)
          return 'ended'
        }
        path.enter(charCodeAt.call(text, at) === 91)
        break
      case 125: // }
      case 93: // ]
        path.leave()
        break
      case 44: // ,
        path.next()
        break
      default:
        isBroken ||= !isLiteral(charCodeAt.call(text, at))
    }
    at++
  }
  return isBroken ? 'broken' : 'read'
}

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

/** Whether a text is JSON to its last character. */
export function isJson(text: string): boolean {
  if (text.length > LONGEST_PARSED) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function stringEnd(text: string, from: number): number {
  let end = text.indexOf('"', from)
  while (end > 0 && charCodeAt.call(text, end - 1) === BACKSLASH) {
    let slashes = 1
    while (charCodeAt.call(text, end - 1 - slashes) === BACKSLASH && end - 1 - slashes >= from) slashes++
    if (slashes % 2 === 0) break
    end = text.indexOf('"', end + 1)
  }
  return end < 0 ? text.length : end
}

function isKey(text: string, from: number): boolean {
  let at = from
  while (charCodeAt.call(text, at) <= 32) at++
  return charCodeAt.call(text, at) === 58
}

/** Undoes the escapes of a JSON or GraphQL string; what is no such string is undone as far as it goes. */
export function unescapeJson(raw: string): string {
  if (!raw.includes('\\')) return raw
  try {
    const value: unknown = JSON.parse(`"${raw.replace(/[\u0000-\u001f]/g, ' ')}"`)
    return typeof value === 'string' ? value : raw
  } catch {
    return raw.replace(/\\n/g, '\n').replace(/\\(["\\/])/g, '$1')
  }
}

/** Where the walk stands. One object for the whole walk. */
class JsonPath implements Locator {
  readonly #base: string
  readonly #keys: string[] = []
  readonly #indices: number[] = []
  key = ''
  #index = -1
  readonly asName: Locator = { location: () => `${this.location()}#name`, name: () => this.parents() }

  constructor(base: string) {
    this.#base = base
  }

  get depth(): number {
    return this.#keys.length
  }

  get inObject(): boolean {
    return this.#index < 0
  }

  enter(isArray: boolean): void {
    this.#keys.push(this.key)
    this.#indices.push(this.#index)
    this.#index = isArray ? 0 : -1
    this.key = ''
  }

  leave(): void {
    this.key = this.#keys.pop() ?? ''
    this.#index = this.#indices.pop() ?? -1
  }

  next(): void {
    if (this.#index >= 0) this.#index++
  }

  location(): string {
    let path = this.#base
    for (let i = 1; i < Math.min(this.#keys.length, 16); i++) path += part(this.#keys[i], this.#indices[i])
    return this.#keys.length === 0 ? path : path + part(this.key, this.#index)
  }

  name(): string {
    return this.key.toLowerCase()
  }

  /** The names above the one at hand, dotted, in lower case: what an operator stands under. */
  parents(): string {
    const location = this.location()
    return location.slice(0, Math.max(0, location.lastIndexOf('.'))).toLowerCase()
  }
}

function part(key: string | undefined, index: number | undefined): string {
  if (index !== undefined && index >= 0) return `.${index}`
  return `.${(key ?? '').slice(0, 64)}`
}
