import { isGraphql, visitGraphql } from './body/graphql.ts'
import { visitJson } from './body/json.ts'
import { at, type Locator, type ValueVisitor } from './body/value-visitor.ts'
import type { Bounds } from './bounds.ts'
import { decodeBase64, isBase64Value } from './canonicalise/base64.ts'
import { collapsePadding } from './canonicalise/collapse.ts'
import { DecodingWalk } from './canonicalise/decoding-walk.ts'
import { Clearance } from './clearance.ts'
import { EffortMeter } from './effort-meter.ts'
import type { ExceptionTest } from './exception.ts'
import { type Level, thresholdOf } from './family.ts'
import { CHAR, scanFeatures, seen } from './features.ts'
import { CLEAN, type Inspection, type Match } from './match.ts'
import type { OngoingInspection } from './ongoing-inspection.ts'
import { fitsType, isStrictType, isUnreadType, type ParameterType } from './parameter-type.ts'
import type { ParameterTypes } from './parameter-types.ts'
import type { Place, Reading } from './reading.ts'
import type { Hit, RuleSet } from './rule-set.ts'
import { THRESHOLDS } from './thresholds.ts'
import { settingOf, type ValueSetting } from './value-setting.ts'
import { weigh } from './weigh.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

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
/** Serialised objects of Java, Python and Ruby, by how their base64 begins. */
const SERIALISED = /^(?:rO0AB|KztAAU|Cs7QAF|gAS[VW]|BAh[7bJsS]|AAEAAAD)/
const DONE = Number.MAX_SAFE_INTEGER
/** Of what is not looked into. */
const MAX_NESTING = Number.MAX_SAFE_INTEGER

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
  /** What is known about the route's parameters; undefined: nothing. */
  readonly types: ParameterTypes | undefined
  /** See `InspectedRequest`. */
  readonly ownPort: number | undefined
  /** `POST /posts`, for the text of exceptions. */
  readonly route: () => string
}

/** A value that is being looked at: where the walk over its readings stands. */
interface Look {
  readonly walk: DecodingWalk
  readonly locator: Locator
  readonly setting: ValueSetting
  readonly nesting: number
  /** The families whose rules count; undefined: all. */
  readonly families: readonly string[] | undefined
  reading: Reading | undefined
  /** The rule to go on with. */
  rule: number
}

/**
 * Collects what the values of one request give rise to. Most values are cleared by one scan; the rest are decoded, read by the rules, and what hits is weighed by the setting the value
 * stands in. Work that does not fit into the first slice waits in a queue that `advance` works off.
 */
export class Inspector implements ValueVisitor, OngoingInspection {
  readonly #options: InspectorOptions
  readonly #meter: EffortMeter
  readonly #matches: Match[] = []
  #waiting: Look[] | undefined
  #values = 0
  #nesting = 0
  #tooBig = false
  /** What rules said, whether or not it counted. */
  #hits = 0
  /** The value at hand: rules report to one function, so that a reading costs no closure. */
  #looking: Look | undefined
  readonly #found = (hit: Hit): void => {
    const look = this.#looking
    if (look?.reading === undefined || look.families?.includes(hit.rule.family) === false) return
    this.#note(hit, look.reading, look.locator, look.setting)
  }

  constructor(options: InspectorOptions) {
    this.#options = options
    this.#meter = new EffortMeter(options.bounds.effort)
  }

  get rules(): RuleSet {
    return this.#options.rules
  }

  get meter(): EffortMeter {
    return this.#meter
  }

  value(text: string, place: Place, locator: Locator): boolean {
    return this.clears(text, place) || this.look(text, place, locator)
  }

  /** The first half of `value`, which needs no locator: counts a value, and says whether one scan is enough for it. If not, `look` at it. */
  clears(text: string, place: Place): boolean {
    const { rules, bounds, types } = this.#options
    if (++this.#values > bounds.values) return false
    if (types !== undefined && place !== 'name') return false
    if (text === '') return true
    return this.#isClear(text, place, rules)
  }

  #isClear(text: string, place: Place, rules: RuleSet): boolean {
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
    if (this.#meter.isOver) return false
    const { types, rules } = this.#options
    const type = place === 'name' ? undefined : types?.typeOf(locator.location())
    if (type !== undefined) {
      if (isUnreadType(type)) return true
      if (!fitsType(type, text)) this.#misfit(type, text, locator)
      if (isStrictType(type) && fitsType(type, text) && type !== 'word') return true
    }
    if (types !== undefined && this.#isClear(text, place, rules)) return true
    this.#lookUnlessKnown(text, place, locator, type)
    return true
  }

  #misfit(type: ParameterType, text: string, locator: Locator): void {
    this.add({
      rule: `parameter/${type}`,
      family: 'parameter',
      location: locator.location(),
      score: 6,
      span: text.slice(0, THRESHOLDS.span),
    })
  }

  /** Applications ask for the same parameters, and many of the same words, over and over: those are looked at once. */
  #lookUnlessKnown(text: string, place: Place, locator: Locator, type: ParameterType | undefined): void {
    const name = type === undefined ? commonName(text, place, locator) : undefined
    if (name === undefined) {
      this.#look(text, place, locator, type)
      return
    }
    const known = Clearance.of(this.#options.rules).parameters
    if (known.has(name, text)) return
    const hits = this.#hits
    const waiting = this.#waiting?.length
    this.#look(text, place, locator, type)
    // A walk that was cut short has not seen every reading: what it calls clean must not be remembered.
    const isSeenWhole =
      this.#waiting?.length === waiting && !this.#tooBig && this.#matches.length < THRESHOLDS.matches
    if (this.#hits === hits && isSeenWhole) known.add(name, text)
  }

  /** Runs the rules of some families over a text as it is. */
  whole(text: string, location: string, families: readonly string[]): void {
    const walk = new DecodingWalk(text, { place: 'body', name: '', pieces: 'pass over' })
    const look: Look = {
      walk,
      locator: at(location),
      setting: 'plain',
      nesting: MAX_NESTING,
      families,
      reading: undefined,
      rule: 0,
    }
    if ((this.#waiting?.length ?? 0) > 0 || !this.#continue(look)) this.#wait(look)
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

  get spent(): number {
    return this.#meter.spent
  }

  advance(milliseconds: number, now: () => number): boolean {
    if (this.#waiting === undefined || this.#waiting.length === 0) return true
    if (milliseconds <= 0) return false
    this.#meter.slice(milliseconds, now)
    return this.#advance()
  }

  finish(): Inspection {
    this.#meter.slice(Number.POSITIVE_INFINITY, () => 0)
    while (!this.#advance());
    return this.#result()
  }

  #advance(): boolean {
    for (let look = this.#waiting?.pop(); look !== undefined; look = this.#waiting?.pop()) {
      const isDone = this.#continue(look)
      if (this.#meter.isOver) {
        this.#waiting = undefined
        this.tooBig('bounds/effort', look.locator.location(), 'costs more to check than one request may')
        return true
      }
      if (!isDone) {
        this.#waiting?.push(look)
        return false
      }
    }
    return true
  }

  #result(): Inspection {
    if (this.#matches.length === 0) return CLEAN
    const matches = [...this.#matches].sort((a, b) => b.score - a.score)
    const threshold = thresholdOf(this.#options.level)
    const blocked = matches.some(match => match.family !== 'bounds' && match.score >= threshold)
    return { verdict: blocked ? 'block' : this.#tooBig ? 'too-big' : 'pass', matches }
  }

  #look(text: string, place: Place, locator: Locator, type: ParameterType | undefined): void {
    const name = locator.name()
    const value = this.#prepared(text, place, locator)
    if (value === undefined) return
    const setting = settingOf(value, place, name, type)
    const pieces = setting === 'document' || setting === 'text' ? 'pass over' : 'read'
    const look: Look = {
      walk: new DecodingWalk(value, { place, name, pieces }),
      locator,
      setting,
      nesting: this.#nesting,
      families: undefined,
      reading: undefined,
      rule: 0,
    }
    if ((this.#waiting?.length ?? 0) > 0 || !this.#continue(look)) this.#wait(look)
  }

  /** The locator of a walk names another place once the walk has gone on. */
  #wait(look: Look): void {
    const location = look.locator.location()
    const name = look.locator.name()
    this.#waiting ??= []
    this.#waiting.push({ ...look, locator: { location: () => location, name: () => name } })
  }

  /**
   * What is to be read of a value: of base64, what it stands for; of a very long value, what is left without its padding.
   * @returns undefined when there is nothing to read: the base64 of bytes that are no text
   */
  #prepared(text: string, place: Place, locator: Locator): string | undefined {
    if (isBase64Value(text)) {
      if (SERIALISED.test(text)) return text
      const decoded = decodeBase64(text)
      if (decoded === undefined || decoded.length <= THRESHOLDS.file || !isBody(place)) return decoded
      return `${decoded.slice(0, THRESHOLDS.window)}\n${decoded.slice(-THRESHOLDS.window)}`
    }
    if (text.length <= THRESHOLDS.window) return text
    if (settingOf(text, place, locator.name(), undefined) !== 'document')
      this.#lookInside(text, place, locator)
    return collapsePadding(text)
  }

  /** @returns whether the value was looked at to its end */
  #continue(look: Look): boolean {
    const { rules } = this.#options
    this.#nesting = look.nesting
    this.#looking = look
    for (;;) {
      look.reading ??= look.walk.next()
      const { reading } = look
      if (reading === undefined) break
      look.rule = rules.run(reading, this.#found, this.#meter, look.rule)
      if (look.rule !== DONE) return false
      // What a document quotes of JSON is quoted like the rest of it.
      if (reading.fromStart && look.setting !== 'document')
        this.#lookInside(reading.text, reading.place, look.locator)
      look.reading = undefined
      look.rule = 0
      this.#looking = look
      if (this.#matches.length >= THRESHOLDS.matches) return true
      if (this.#meter.isUp) return false
    }
    if (look.walk.isCut)
      this.tooBig('bounds/encodings', look.locator.location(), 'encoded too often to be read')
    return true
  }

  /** A JSON or GraphQL document inside a value is walked like a body. */
  #lookInside(text: string, place: Place, locator: Locator): void {
    if (this.#nesting >= THRESHOLDS.nestedDocuments || place === 'name') return
    const first = charCodeAt.call(text, 0)
    if (locator.name() === 'query' && isGraphql(text)) {
      this.#nesting++
      visitGraphql(text, locator.location(), this, place)
      this.#nesting--
      return
    }
    if (first !== 123 && first !== 91) return
    if (!/^[[{]\s{0,32}["[{]/.test(text)) return
    this.#nesting++
    visitJson(text, locator.location(), this.#options.bounds.depth, this, place)
    this.#nesting--
  }

  #note(hit: Hit, reading: Reading, locator: Locator, setting: ValueSetting): void {
    this.#hits++
    const { rule, span } = hit
    const id = span.id ?? rule.id
    const location = locator.location()
    if (id.startsWith('bounds/')) {
      this.tooBig(id, location, 'too intricate to be read to its end')
      return
    }
    const { level } = this.#options
    const isEscaped = reading.isEscaped && isBody(reading.place)
    const score = weigh(rule, id, span, setting, level, isEscaped)
    if (score < thresholdOf(level) - 1 || this.#isExcepted(id, location)) return
    if ((rule.family === 'ssrf' || rule.family === 'rfi') && this.#isOwnAddress(reading.text)) return
    const threshold = thresholdOf(level)
    const isDocument = setting === 'document'
    const passesAsText = isDocument && weigh(rule, id, span, 'text', level, isEscaped) < threshold
    this.#push({
      rule: id,
      family: rule.family,
      location,
      score,
      span: reading.text.slice(span.start, Math.min(span.end, span.start + THRESHOLDS.span)),
      exception:
        passesAsText || (isDocument && score < threshold)
          ? this.#typeSetting(location)
          : this.#exception(id, location),
      ...(passesAsText && { type: 'text' as const }),
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
    if (this.#matches.length < THRESHOLDS.matches) {
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
    return `inspect: { except: [{ rule: '${rule}', parameter: '${plain(location)}', route: '${this.#options.route()}' }] }`
  }

  /** What ends the doubt about a long text: its parameter's type. */
  #typeSetting(location: string): string {
    return `routes: { '${this.#options.route()}': { inspect: { parameters: { '${plain(location)}': 'text' } } } }`
  }
}

function isBody(place: Place): boolean {
  return place === 'body' || place === 'form'
}

function plain(location: string): string {
  return location.replace(/[^\w.#@*-]/g, '').slice(0, 120)
}
