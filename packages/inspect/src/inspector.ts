import { visitJson } from './body/json.ts'
import { at, type Locator, type ValueVisitor } from './body/value-visitor.ts'
import type { Bounds } from './bounds.ts'
import { visitDecodings } from './canonicalise/decodings.ts'
import { Clearance } from './clearance.ts'
import type { ExceptionTest } from './exception.ts'
import { type Level, thresholdOf } from './family.ts'
import { CHAR, scanFeatures, seen } from './features.ts'
import { CLEAN, type Inspection, type Match } from './match.ts'
import type { Place, Reading } from './reading.ts'
import type { Hit, RuleSet } from './rule-set.ts'
import { isQuoted, QUOTED_DISCOUNT } from './setting.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

const MAX_MATCHES = 32
const MAX_SPAN = 120
const MAX_NESTING = 3
const ENCODED =
  CHAR.percent |
  CHAR.ampersand |
  CHAR.backslash |
  CHAR.base64 |
  CHAR.wide |
  CHAR.control |
  CHAR.plus |
  CHAR.run

const WORDS_ONLY = CHAR.plus | CHAR.space
const COMMON_WORD = /^[a-z]{1,16}$/
const COMMON_NAME = /^[\w.-]{1,32}$/

/**
 * Under which name a clean value may be remembered: none for the name of a query parameter, such a name for a short word. Undefined for
 * everything that could be a secret or is hardly ever sent twice.
 */
function commonName(text: string, place: Place, locator: Locator): string | undefined {
  if (place === 'name') return COMMON_NAME.test(text) ? '' : undefined
  if (place !== 'query' || !COMMON_WORD.test(text)) return undefined
  const name = locator.name()
  return COMMON_NAME.test(name) ? name : undefined
}

/** Words with a plus between them, as a form sends what was typed: decoded there is nothing but the words. */
function isWords(text: string): boolean {
  return /^[a-z0-9+ ]*$/.test(text)
}

const LOOPBACK_URL = /^https?:\/\/(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]):(\d{1,5})(?:\/|$)/

/** What an inspection is made with. */
export interface InspectorOptions {
  readonly rules: RuleSet
  readonly level: Level
  readonly bounds: Bounds
  readonly except: readonly ExceptionTest[]
  /** See `InspectedRequest`. */
  readonly ownPort: number | undefined
  /** `POST /posts`, for the text of exceptions. */
  readonly route: () => string
}

/**
 * Collects what the values of one request give rise to. Most values are cleared by one scan; the rest are decoded, read by the rules, and what hits is weighed by the setting it stands
 * in. Several rules of one family in one value add up to at most one point more than the best of them.
 */
export class Inspector implements ValueVisitor {
  readonly #options: InspectorOptions
  readonly #matches: Match[] = []
  #values = 0
  #nesting = 0
  #tooBig = false
  /** What rules said, whether or not it counted. */
  #hits = 0

  constructor(options: InspectorOptions) {
    this.#options = options
  }

  get rules(): RuleSet {
    return this.#options.rules
  }

  value(text: string, place: Place, locator: Locator): boolean {
    return this.clears(text, place) || this.look(text, place, locator)
  }

  /** The first half of `value`, which needs no locator: counts a value, and says whether one scan is enough for it. If not, `look` at it. */
  clears(text: string, place: Place): boolean {
    const { rules, bounds } = this.#options
    if (++this.#values > bounds.values) return false
    if (text === '') return true
    scanFeatures(text, 0, text.length)
    const { chars, words } = seen
    if (place !== 'file-name') {
      if ((chars & ENCODED) === 0 && rules.isClear(chars, words)) return true
      if (Clearance.of(rules).opaque.has(text, chars, words)) return true
    }
    return (chars & ~WORDS_ONLY) === 0 && isWords(text) && rules.isClear(0, words)
  }

  /** The second half of `value`. @returns false to end the walk */
  look(text: string, place: Place, locator: Locator): boolean {
    if (this.#values > this.#options.bounds.values) {
      this.tooBig('bounds/values', locator.location(), `more than ${this.#options.bounds.values} values`)
      return false
    }
    this.#lookUnlessKnown(text, place, locator)
    return true
  }

  /** Applications ask for the same parameters, and many of the same words, over and over: those are looked at once. */
  #lookUnlessKnown(text: string, place: Place, locator: Locator): void {
    const name = commonName(text, place, locator)
    if (name === undefined) {
      this.#look(text, place, locator)
      return
    }
    const known = Clearance.of(this.#options.rules).parameters
    if (known.has(name, text)) return
    const hits = this.#hits
    this.#look(text, place, locator)
    // A walk that was cut short has not seen every reading: what it calls clean must not be remembered.
    if (this.#hits === hits && !this.#tooBig && this.#matches.length < MAX_MATCHES) known.add(name, text)
  }

  /** Runs the rules of some families over a text as it is. */
  whole(text: string, location: string, families: readonly string[]): void {
    const locator = at(location)
    visitDecodings(text, 'body', '', reading => {
      this.#options.rules.run(reading, hit => {
        if (families.includes(hit.rule.family)) this.#note(hit, reading, locator, undefined)
      })
      return false
    })
  }

  tooBig(rule: string, location: string, detail: string): void {
    if (this.#isExcepted(rule, location)) return
    this.#tooBig = true
    this.#push({
      rule,
      family: 'bounds',
      location,
      score: 10,
      span: detail,
      exception: this.#exception(rule, location),
    })
  }

  /** A match that no reading stands for. */
  add(match: Omit<Match, 'exception'>): void {
    if (!this.#isExcepted(match.rule, match.location)) {
      this.#push({ ...match, exception: this.#exception(match.rule, match.location) })
    }
  }

  result(): Inspection {
    if (this.#matches.length === 0) return CLEAN
    const matches = [...this.#matches].sort((a, b) => b.score - a.score)
    const threshold = thresholdOf(this.#options.level)
    const blocked = matches.some(match => match.family !== 'bounds' && match.score >= threshold)
    return { verdict: blocked ? 'block' : this.#tooBig ? 'too-big' : 'pass', matches }
  }

  #look(text: string, place: Place, locator: Locator): void {
    const done = visitDecodings(text, place, locator.name(), reading => {
      this.#options.rules.run(reading, hit => this.#note(hit, reading, locator, text))
      if (reading.fromStart) this.#lookInside(reading, locator)
      return this.#matches.length >= MAX_MATCHES
    })
    if (!done) this.tooBig('bounds/encodings', locator.location(), 'encoded too often to be read')
  }

  /** A JSON document inside a value is walked like a body. */
  #lookInside(reading: Reading, locator: Locator): void {
    if (this.#nesting >= MAX_NESTING || (reading.chars & CHAR.quote) === 0 || reading.place === 'name') return
    const first = charCodeAt.call(reading.text, 0)
    if (first !== 123 && first !== 91) return
    if (!/^[[{]\s{0,32}["[{]/.test(reading.text)) return
    this.#nesting++
    visitJson(reading.text, locator.location(), this.#options.bounds.depth, this)
    this.#nesting--
  }

  #note(hit: Hit, reading: Reading, locator: Locator, value: string | undefined): void {
    this.#hits++
    const { rule, span } = hit
    const id = span.id ?? rule.id
    const location = locator.location()
    let score = span.score ?? rule.score
    if (
      rule.quotable &&
      score < 10 &&
      this.#options.level === 1 &&
      isTalkedAbout(reading, value, span.start, span.end)
    ) {
      score = Math.max(1, score - QUOTED_DISCOUNT)
    }
    if (id.startsWith('bounds/')) {
      this.tooBig(id, location, 'too intricate to be read to its end')
      return
    }
    if (score < thresholdOf(this.#options.level) - 1 || this.#isExcepted(id, location)) return
    if ((rule.family === 'ssrf' || rule.family === 'rfi') && this.#isOwnAddress(reading.text)) return
    this.#push({
      rule: id,
      family: rule.family,
      location,
      score,
      span: reading.text.slice(span.start, Math.min(span.end, span.start + MAX_SPAN)),
      exception: this.#exception(id, location),
    })
  }

  #push(match: Match): void {
    const same = this.#matches.findIndex(
      other => other.rule === match.rule && other.location === match.location,
    )
    if (same >= 0) {
      if ((this.#matches[same]?.score ?? 0) < match.score) this.#matches[same] = match
      return
    }
    if (this.#matches.length < MAX_MATCHES) {
      this.#matches.push(match)
      return
    }
    const weakest = this.#matches.reduce(
      (low, other, index) => (other.score < (this.#matches[low]?.score ?? 0) ? index : low),
      0,
    )
    if ((this.#matches[weakest]?.score ?? 0) < match.score) this.#matches[weakest] = match
  }

  #isExcepted(rule: string, location: string): boolean {
    for (const test of this.#options.except) if (test(rule, location)) return true
    return false
  }

  #isOwnAddress(url: string): boolean {
    const port = this.#options.ownPort
    return port !== undefined && Number(LOOPBACK_URL.exec(url)?.[1]) === port
  }

  #exception(rule: string, location: string): string {
    const parameter = location.replace(/[^\w.#@*-]/g, '').slice(0, 120)
    return `inspect: { except: [{ rule: '${rule}', parameter: '${parameter}', route: '${this.#options.route()}' }] }`
  }
}

/** Whether a span is quoted, in the reading or, where the reading is no other text, in the whole value. */
function isTalkedAbout(reading: Reading, value: string | undefined, start: number, end: number): boolean {
  if (isQuoted(reading.text, start, end)) return true
  if (value === undefined || value === reading.text) return false
  const found = value.indexOf(reading.text.slice(start, Math.min(end, start + 40)))
  return found >= 0 && isQuoted(value, found, found + end - start)
}
