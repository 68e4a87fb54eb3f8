import { PART } from '../canonicalise/in-parts.ts'
import { decodeUrl } from '../canonicalise/url.ts'
import type { Place } from '../value/reading.ts'
import type { Steps } from '../value/steps.ts'
import type { Locator, ValueVisitor } from '../value/value-visitor.ts'

/** The end of a comment or a tag, in which the comma between two values is lost. */
const CLOSING = /(?:\*|%2a)(?:\/|%2f)|>|%3e/i
/** What begins or ends one. */
const MARK = /(?:\*|%2a)(?:\/|%2f)|(?:\/|%2f)(?:\*|%2a)|[<>]|%3[ce]/gi

const ANY_MARK = new RegExp(MARK, 'i')

/** What the values of one name come to. */
interface JoinedValues {
  /** As first spelled. */
  readonly name: string
  text: string
  count: number
  hasClosing: boolean
  /** Whether the last value leaves a comment or a tag open. */
  isOpen: boolean
}

/**
 * Visits the values of each repeated name as one text with commas: ASP.NET gives it to handlers so, and
 * JavaScript makes it of a list (HTTP parameter pollution; Carettoni and di Paola, 2009). Of each name only
 * the values that begin, end or stand inside a comment or a tag: any other one is read by itself, and however
 * many of them are sent, those that belong together stay together. Linear.
 */
export function* visitJoined(text: string, base: string, place: Place, visitor: ValueVisitor): Steps {
  if (!text.includes('&') || !CLOSING.test(text)) return
  const joined = new Joined()
  let pause = PART
  for (let start = 0; start < text.length; ) {
    const ampersand = text.indexOf('&', start)
    const end = ampersand < 0 ? text.length : ampersand
    joined.add(text.slice(start, end))
    start = end + 1
    if (start < pause) continue
    pause = start + PART
    visitor.work(PART >> 2)
    if (visitor.isPaused) yield
  }
  for (const [lowerName, { name, text: values, count, hasClosing }] of joined.byName) {
    if (count < 2 || !hasClosing) continue
    const locator: Locator = { location: () => `${base}.${name.slice(0, 64)}`, name: () => lowerName }
    if (!visitor.value(values, place, locator)) return
    if (visitor.isPaused) yield
  }
}

/** The joined values of each name, by the name in lower case. */
class Joined {
  readonly byName = new Map<string, JoinedValues>()
  /** Names whose last value leaves a comment or a tag open. */
  #open = 0

  /** @param pair as it was sent */
  add(pair: string): void {
    const last = lastMark(pair)
    if (last === undefined && this.#open === 0) return
    const equals = pair.indexOf('=')
    if (equals < 0) return
    const name = decodeUrl(pair.slice(0, equals), true)
    const lowerName = name.toLowerCase()
    const known = this.byName.get(lowerName)
    if (last === undefined && known?.isOpen !== true) return
    const value = decodeUrl(pair.slice(equals + 1), true)
    const joined = known ?? { name, text: value, count: 0, hasClosing: false, isOpen: false }
    if (known === undefined) this.byName.set(lowerName, joined)
    else joined.text += `,${value}`
    joined.count++
    joined.hasClosing ||= CLOSING.test(pair)
    const isOpen = last === undefined || !CLOSING.test(last)
    this.#open += Number(isOpen) - Number(joined.isOpen)
    joined.isOpen = isOpen
  }
}

function lastMark(pair: string): string | undefined {
  if (!ANY_MARK.test(pair)) return undefined
  let last: string | undefined
  for (const [mark] of pair.matchAll(MARK)) last = mark
  return last
}
