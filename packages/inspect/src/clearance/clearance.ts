import { decodeUrl } from '../canonicalise/url.ts'
import type { RuleSet } from '../matching/rule-set.ts'
import { couldAct } from '../sinks/could-act.ts'
import { beginsLikeToken } from '../text/token-text.ts'
import { CharacterCodes } from '../value/character-codes.ts'
import { CHAR, scanCodes, seen } from '../value/features.ts'
import { THRESHOLDS } from '../value/thresholds.ts'
import { CleanSecrets, digestOf } from './clean-secrets.ts'
import { CleanValues } from './clean-values.ts'
import { HeadersInPlace } from './headers-in-place.ts'
import { OpaqueValues } from './opaque-value.ts'

/** What may stand for another text, so that one scan of it says nothing. */
export const ENCODED: number =
  CHAR.percent |
  CHAR.ampersand |
  CHAR.backslash |
  CHAR.base64 |
  CHAR.wide |
  CHAR.control |
  CHAR.plus |
  CHAR.run
/** Cookies that are cleared one by one; a header with more is looked at in full. */
const MAX_COOKIES = 64
/** A longer one is looked at in full too. */
const LONGEST_COOKIES = THRESHOLDS.window
/** The letter that base64 of an object begins with. */
const OBJECT_START = 101
const copied = new CharacterCodes()

/** What tells, for one set of rules, that a value needs no look. */
export class Clearance {
  /** Headers in which no rule finds anything, by where they stand in a request. */
  readonly inPlace: HeadersInPlace = new HeadersInPlace()
  /** Values of headers in which no rule finds anything, and which could act nowhere. */
  readonly headers: CleanValues = new CleanValues('few')
  /** Values of headers in which no rule finds anything, and which could act in a statement or a command. */
  readonly actingHeaders: CleanValues = new CleanValues('few')
  /** Names of query parameters, under the empty name, and common words under such a name. */
  readonly parameters: CleanValues = new CleanValues('many')
  readonly opaque: OpaqueValues
  /** JSON Web Tokens in which no rule finds anything, at the strictest level. */
  readonly tokens: CleanSecrets = new CleanSecrets()
  /** Cookies with their names in which no rule finds anything, and which could act nowhere. */
  readonly cookies: CleanSecrets = new CleanSecrets()
  /** The same of those which could act in a statement or a command. */
  readonly actingCookies: CleanSecrets = new CleanSecrets()
  /** The name of a host that was asked for last and is one: clients ask for few. */
  host = ''

  readonly rules: RuleSet

  private constructor(rules: RuleSet) {
    this.rules = rules
    this.opaque = new OpaqueValues(rules)
  }

  static #of = new WeakMap<RuleSet, Clearance>()
  static #lastRules: RuleSet | undefined
  static #last: Clearance | undefined

  /** The one of a set of rules. */
  static of(rules: RuleSet): Clearance {
    if (rules === Clearance.#lastRules && Clearance.#last !== undefined) return Clearance.#last
    const known = Clearance.#of.get(rules) ?? new Clearance(rules)
    Clearance.#of.set(rules, known)
    Clearance.#lastRules = rules
    Clearance.#last = known
    return known
  }

  /**
   * What a cookie header could do in which a full look would find nothing, pair by pair as it would read
   * them: sessions are random, so most are cleared by one scan, and what a framework signs or encrypts was
   * mostly looked at before. Undefined for one that needs a look.
   */
  clearedCookies(header: string): 'inert' | 'acting' | undefined {
    if (header.length > LONGEST_COOKIES) return undefined
    const codes = copied.copy(header, 0, header.length)
    let start = 0
    let found: 'inert' | 'acting' = 'inert'
    for (let cookies = 0; cookies < MAX_COOKIES; cookies++) {
      const semicolon = header.indexOf(';', start)
      const end = semicolon < 0 ? header.length : semicolon
      // What a long value decodes to takes longer to read than its digest, so that comes last.
      const isLong = end - start >= LONG_COOKIE
      if (!this.#clearsCookie(header, codes, start, end, !isLong)) {
        const known = this.#knownCookie(header.slice(start, end).trim())
        if (known === 'acting') found = 'acting'
        else if (known === undefined && !(isLong && this.#clearsCookie(header, codes, start, end, true)))
          return undefined
      }
      if (semicolon < 0) return found
      start = semicolon + 1
    }
    return undefined
  }

  /** What a cookie could do that was looked at before; undefined for one that is not known. */
  #knownCookie(pair: string): 'inert' | 'acting' | undefined {
    if (!isRememberedCookie(pair)) return undefined
    const digest = digestOf(pair)
    if (this.actingCookies.holds(digest)) return 'acting'
    return this.cookies.holds(digest) ? 'inert' : undefined
  }

  /**
   * Whether one scan clears the name and the value of a cookie.
   * @param decodes whether what the value decodes to may clear it too
   */
  #clearsCookie(header: string, codes: Uint16Array, start: number, end: number, decodes: boolean): boolean {
    const equals = header.indexOf('=', start)
    const hasValue = equals >= 0 && equals < end
    const nameEnd = hasValue ? equals : end
    const isName =
      this.#clears(header, codes, start, nameEnd, decodes) ||
      this.parameters.has('', header.slice(start, nameEnd).trim())
    return isName && (!hasValue || this.#clears(header, codes, equals + 1, end, decodes))
  }

  /** Remembers the cookies of a header that was looked at, and in which no rule found anything. */
  rememberCookies(header: string): void {
    // What is in quotes is read across semicolons.
    if (header.length > LONGEST_COOKIES || header.includes('"')) return
    for (const cookie of header.split(';')) {
      const pair = cookie.trim()
      if (isRememberedCookie(pair)) (couldCookieAct(pair) ? this.actingCookies : this.cookies).add(pair)
    }
  }

  /**
   * Whether one scan clears a part of a header, less the space around it, whatever it stands in but the name
   * of a file.
   */
  #clears(header: string, codes: Uint16Array, from: number, to: number, decodes: boolean): boolean {
    let start = from
    let end = to
    while (start < end && isSpace(codes[start] as number)) start++
    while (end > start && isSpace(codes[end - 1] as number)) end--
    if (start === end) return true
    if (codes[start] === OBJECT_START) {
      const value = header.slice(start, end)
      // A digest takes longer than looking for a dot.
      if (beginsLikeToken(value) && value.includes('.') && this.tokens.has(value)) return true
    }
    scanCodes(codes, start, end)
    const { chars, words } = seen
    return (
      ((chars & ENCODED) === 0 && this.rules.isClear(chars, words)) ||
      (decodes && this.opaque.has(header.slice(start, end), chars, words))
    )
  }
}

/** Scanning a shorter one takes no longer than a digest. */
const LEAST_COOKIE = 24
/** From here on a digest comes before decodings. */
const LONG_COOKIE = 256
const LONGEST_COOKIE = 4_096

function isRememberedCookie(pair: string): boolean {
  return pair.length >= LEAST_COOKIE && pair.length <= LONGEST_COOKIE
}

function couldCookieAct(pair: string): boolean {
  const text = pair.replace('=', ' ')
  return couldAct(text) || (text.includes('%') && couldAct(decodeUrl(text, false)))
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9
}
