import { mayHoldDocument } from '../body/may-hold-document.ts'
import { EffortMeter } from '../bounds/effort-meter.ts'
import { ENOUGH, PER_HIT, PER_READING, PER_VALUE, QUOTED, UNITS_OF_DECODING } from '../bounds/effort-units.ts'
import { DecodingWalk } from '../canonicalise/decoding-walk.ts'
import { Clearance, ENCODED } from '../clearance/clearance.ts'
import { clearedAtOnce, isClearedByLack } from '../clearance/cleared-text.ts'
import { commonName } from '../clearance/common-value.ts'
import { MatchRecorder } from '../matches/match-recorder.ts'
import { misfit } from '../matches/misfit.ts'
import type { Hit, RuleSet } from '../matching/rule-set.ts'
import type { Finding, Inspection } from '../rule/match.ts'
import type { InspectorOptions } from '../settings/inspector-options.ts'
import { couldAct, isUngatedAction, UNGATED } from '../sinks/could-act.ts'
import { LONGEST_AT_ONCE } from '../text/long-text.ts'
import { Look, type Visit } from '../text/look.ts'
import { SeenTexts } from '../text/seen-texts.ts'
import { type Features, scanFeatures, seen } from '../value/features.ts'
import { fitsType, isStrictType, isUnreadType, type ParameterType } from '../value/parameter-type.ts'
import type { Place, Reading } from '../value/reading.ts'
import type { Steps } from '../value/steps.ts'
import { THRESHOLDS } from '../value/thresholds.ts'
import { at, type Locator, type PartVisitor, type TextPart } from '../value/value-visitor.ts'
import { documentIn, FileValues } from './inner-document.ts'
import type { OngoingInspection } from './ongoing-inspection.ts'
import { PlainTexts } from './plain-texts.ts'
import { type Preparing, prepare, prepareLong } from './preparation.ts'

const DONE = Number.MAX_SAFE_INTEGER
/** Of what is not looked into. */
const MAX_NESTING = Number.MAX_SAFE_INTEGER
const TOO_COSTLY = 'costs more to check than one request may'

/**
 * Collects what the values of one request give rise to. Most values are cleared by one scan; the rest are
 * decoded, read by the rules, and what hits is weighed by the setting the value
 * stands in. When a slice is used up, what is at work waits on a stack: a document below the value of it
 * that is being looked at, so that it goes on when that is done.
 */
export class Inspector implements Preparing, PartVisitor, OngoingInspection {
  readonly #options: InspectorOptions
  readonly #meter: EffortMeter
  readonly #matches: MatchRecorder
  readonly #stack: (Look | Visit)[] = []
  #values = 0
  readonly #seen: SeenTexts
  #nesting = 0
  readonly #files = new FileValues()
  /** What the scan of the value at hand saw. */
  readonly #scanned: Features = { chars: 0, words: 0, holds: 0 }
  #isScanned = false
  readonly #plain: PlainTexts
  #mayAct = false
  /** The value at hand: rules report to one function, so that a reading costs no closure. */
  #looking: Look | undefined
  readonly #found = (hit: Hit): void => {
    this.#meter.spend(PER_HIT)
    if (this.#looking !== undefined) this.#matches.note(hit, this.#looking)
  }

  constructor(options: InspectorOptions) {
    this.#options = options
    const { bounds, cpu, startUp } = options
    this.#matches = new MatchRecorder(options)
    this.#seen = new SeenTexts(options.except.length === 0 ? 'hits' : 'clean')
    this.#meter = new EffortMeter(bounds.effort, cpu && { milliseconds: bounds.cpu, cpu, startUp })
    this.#plain = new PlainTexts(options.rules, this.#meter, this.#seen)
  }

  get rules(): RuleSet {
    return this.#options.rules
  }

  get meter(): EffortMeter {
    return this.#meter
  }

  get isPaused(): boolean {
    return this.#meter.isUp
  }

  get mayAct(): boolean {
    return this.#mayAct || this.#matches.isBlocking || !this.#matches.isWhole
  }

  /** Whether everything that was to be read was, and no rule hit anything, whether or not it would count. */
  get isSpotless(): boolean {
    return (
      this.#stack.length === 0 &&
      this.#matches.hits === 0 &&
      this.#matches.isWhole &&
      this.#matches.cuts === 0
    )
  }

  /** Takes note of a text that a sink could meet: a value, or the path once it is decoded. */
  weighAction(text: string): void {
    this.#mayAct ||= couldAct(text)
  }

  /** Takes note that something besides those values could act. */
  noteAction(): void {
    this.#mayAct = true
  }

  value(text: string, place: Place, locator: Locator): boolean {
    return this.clears(text, place) || this.look(text, place, locator)
  }

  /**
   * The first half of `value`, which needs no locator: counts a value, and says whether one scan is enough
   * for it. If not, `look` at it.
   */
  clears(text: string, place: Place): boolean {
    const { bounds, types } = this.#options
    this.#isScanned = false
    if (++this.#values > bounds.values) return false
    if (types !== undefined && place !== 'name') return false
    return text === '' || this.#isClear(text, place)
  }

  get parts(): PartVisitor {
    return this
  }

  clearsPart(part: TextPart, place: Place): boolean {
    const { bounds, types } = this.#options
    this.#isScanned = false
    if (++this.#values > bounds.values) return false
    if (types !== undefined && place !== 'name') return false
    const length = part.end - part.start
    if (length === 0) return true
    if (length > THRESHOLDS.window) return false
    part.scan()
    if (this.#isScanClear(length, place)) {
      // No string is made only to see whether there is a dash behind a space.
      this.#mayAct ||= (seen.chars & UNGATED) !== 0
      return true
    }
    return this.#isTextClear(part.toString(), place)
  }

  #isClear(text: string, place: Place): boolean {
    if (text.length > THRESHOLDS.window) return false
    scanFeatures(text, 0, text.length)
    if (!this.#isScanClear(text.length, place)) return this.#isTextClear(text, place)
    this.#mayAct ||= (seen.chars & UNGATED) !== 0 && isUngatedAction(text)
    return true
  }

  /** Takes note of a scan. @returns whether what it saw is enough */
  #isScanClear(length: number, place: Place): boolean {
    const { chars, words, holds } = seen
    this.#scanned.chars = chars
    this.#scanned.words = words
    this.#scanned.holds = holds
    this.#isScanned = true
    this.#meter.spend(length + PER_VALUE)
    return place !== 'file-name' && (chars & ENCODED) === 0 && this.#options.rules.isClear(chars, words)
  }

  /** Whether a text that was scanned is one that no rule can find anything in. */
  #isTextClear(text: string, place: Place): boolean {
    const { rules } = this.#options
    const cleared = clearedAtOnce(text, this.#scanned, place, rules)
    if (cleared !== undefined) {
      if (cleared === 'acting') this.#mayAct = true
      return true
    }
    this.#meter.spend(text.length)
    const isClear =
      (this.#isDecided ? undefined : this.#plain.isClear(text, place, this.#scanned)) ??
      isClearedByLack(text, this.#scanned, place, rules)
    if (isClear) this.#mayAct ||= couldAct(text)
    return isClear
  }

  /** The second half of `value`. @returns false to end the walk */
  look(text: string, place: Place, locator: Locator): boolean {
    if (this.#values > this.#options.bounds.values) {
      this.tooBig('bounds/values', locator.location(), `more than ${this.#options.bounds.values} values`)
      return false
    }
    if (this.#meter.isOver || this.#isDecided) return false
    this.weighAction(text)
    const { types } = this.#options
    const type = place === 'name' ? undefined : types?.typeOf(locator.location())
    if (type !== undefined) {
      if (isUnreadType(type)) return true
      if (!fitsType(type, text)) this.add(misfit(type, text, locator.location()))
      if (isStrictType(type) && fitsType(type, text) && type !== 'word') return true
    }
    if (types !== undefined && this.#isClear(text, place)) return true
    this.#lookUnlessKnown(text, place, locator, type)
    return true
  }

  /** Visits the values of a document, now or when what is before it is done; below what they begin. */
  visit(steps: Steps<unknown>, location: string): void {
    const { length } = this.#stack
    const nesting = this.#nesting
    if (this.#meter.isUp || steps.next().done !== true)
      this.#stack.splice(length, 0, { kind: 'visit', steps, location, nesting })
  }

  /** Applications ask for the same parameters and words over and over: those are looked at once. */
  #lookUnlessKnown(text: string, place: Place, locator: Locator, type: ParameterType | undefined): void {
    const name = type === undefined ? commonName(text, place, locator) : undefined
    const known = Clearance.of(this.#options.rules).parameters
    if (name !== undefined && known.has(name, text)) return
    if (type === undefined && this.#seen.has(text, place, locator)) return
    const { hits, weighed, cuts } = this.#matches
    const waiting = this.#stack.length
    const look = this.#look(text, place, locator, type)
    // A walk that was cut short has not seen every reading: what it calls clean must not be remembered.
    const isSeenWhole = this.#stack.length === waiting && this.#matches.cuts === cuts && !this.#meter.isOver
    if (!isSeenWhole || this.#isDecided) return
    if (this.#matches.hits === hits && name !== undefined) known.add(name, text)
    else if (type === undefined) this.#seen.add(look, this.#matches.weighed !== weighed)
  }

  /** Runs the rules of some families over a text as it is, less its padding. */
  whole(text: string, location: string, families: readonly string[]): void {
    const look = new Look({
      text,
      place: 'body',
      locator: at(location),
      type: undefined,
      nesting: MAX_NESTING,
      scanned: undefined,
      setting: 'plain',
    })
    look.families = families
    look.walk = new DecodingWalk(text, { place: 'body', name: '', pieces: 'pass over', decodings: 'plain' })
    const nesting = this.#nesting
    this.#begin(look)
    // Documents in the values of this one are still to be read.
    this.#nesting = nesting
  }

  tooBig(rule: string, location: string, detail: string): void {
    this.#matches.tooBig(rule, location, detail)
  }

  work(characters: number): void {
    this.#meter.spend(characters * UNITS_OF_DECODING)
  }

  /** A match that no reading stands for. */
  add(match: Finding): void {
    this.#matches.add(match)
  }

  /** A request that is refused whatever else is found in it, and cost much. */
  get #isDecided(): boolean {
    return this.#matches.isBlocking && (this.#meter.spent > ENOUGH || this.#matches.isFull)
  }

  get spent(): number {
    return this.#meter.spent
  }

  advance(milliseconds: number, now: () => number): boolean {
    if (this.#stack.length === 0) return true
    if (milliseconds <= 0) return false
    this.#meter.slice(milliseconds, now)
    return this.#advance()
  }

  finish(): Inspection {
    if (this.#stack.length > 0) {
      this.#meter.slice(Number.POSITIVE_INFINITY, () => 0)
      while (!this.#advance());
    }
    if (this.#meter.close() && this.#matches.isWhole) this.tooBig('bounds/effort', 'body', TOO_COSTLY)
    return this.#matches.verdict()
  }

  #advance(): boolean {
    for (let work = this.#stack.at(-1); work !== undefined; work = this.#stack.at(-1)) {
      if (this.#meter.isOver) {
        const location = work.kind === 'look' ? work.locator.location() : work.location
        this.#stack.length = 0
        this.tooBig('bounds/effort', location, TOO_COSTLY)
        return true
      }
      if (this.#isDecided) {
        this.#stack.length = 0
        return true
      }
      if (this.#meter.isUp) return false
      const place = this.#stack.length - 1
      if (work.kind === 'visit') this.#nesting = work.nesting
      const isDone = work.kind === 'look' ? this.#continue(work) : work.steps.next().done === true
      // What was begun meanwhile lies above it.
      if (isDone) this.#stack.splice(place, 1)
    }
    return true
  }

  #look(text: string, place: Place, locator: Locator, type: ParameterType | undefined): Look {
    const scanned = this.#isScanned ? { ...this.#scanned } : undefined
    const look = new Look({ text, place, locator, type, nesting: this.#nesting, scanned })
    this.#begin(look)
    return look
  }

  /**
   * Looks at a value, now or when the next slice begins. The document that it stands in waits for it, so
   * that its locator keeps naming it.
   */
  #begin(look: Look): void {
    if (this.#meter.isUp || !this.#continue(look)) this.#stack.push(look)
  }

  /**
   * The walk over a value's readings. @returns undefined when there is nothing to read, `later` when
   * preparing it took the rest of the slice
   */
  #walkOf(look: Look): DecodingWalk | 'later' | undefined {
    if (look.walk !== undefined) return look.walk
    if (look.text.length <= LONGEST_AT_ONCE) {
      prepare(look, this.#files, this)
      return look.walk
    }
    look.preparing ??= prepareLong(look, this.#files, this)
    while (!this.#meter.isUpNow()) if (look.preparing.next().done === true) return look.walk
    return 'later'
  }

  /** The next reading. Few characters may unpack to a long one, whether or not a rule runs over it. */
  #next(walk: DecodingWalk): Reading | undefined {
    const reading = walk.next()
    if (reading === undefined) return undefined
    const { length } = reading.text
    this.#meter.spend(length > LONGEST_AT_ONCE ? length + PER_READING : PER_READING)
    return reading
  }

  /** @returns whether the value was looked at to its end */
  #continue(look: Look): boolean {
    this.#nesting = look.nesting
    const walk = this.#walkOf(look)
    if (walk === 'later') return false
    if (walk === undefined) return true
    this.#looking = look
    for (;;) {
      look.reading ??= this.#next(walk)
      const { reading } = look
      if (reading === undefined) break
      if (!this.#read(reading, look, walk)) return false
      look.reading = undefined
      look.rule = 0
      if (this.#isDecided) return true
      if (this.#meter.isUp) return false
    }
    if (walk.isCut) this.tooBig('bounds/encodings', look.locator.location(), 'encoded too often to be read')
    return true
  }

  /** Holds a reading against the rules. @returns whether all have run */
  #read(reading: Reading, look: Look, walk: DecodingWalk): boolean {
    const { rules } = this.#options
    const isWhole = look.rule === 0 && !reading.isPiece
    // What a document quotes of JSON is quoted like the rest of it.
    if (isWhole && reading.fromStart && mayHoldDocument(reading.text) && !look.isDocument)
      this.lookInside(reading.text, look)
    this.#looking = look
    if (this.#meter.spent > QUOTED && this.#isQuoting(look)) look.isDoubted = true
    const which = look.families ?? (look.isDoubted ? 'certain' : 'all')
    look.rule = rules.run(reading, this.#found, this.#meter, which, look.rule)
    look.isPlaceAsked ||= rules.isPlaced
    if (isWhole && !rules.couldHitPiece) walk.passOverPieces()
    return look.rule === DONE
  }

  /** Whether nothing that is quotable counts where a value stands. */
  #isQuoting(look: Look): boolean {
    return this.#options.level === 1 && look.isDocument
  }

  /** A JSON or GraphQL document inside a value is walked like a body. */
  lookInside(text: string, look: Look): void {
    const isTooDeep = this.#nesting >= THRESHOLDS.nestedDocuments
    const steps = documentIn(text, look, { isTooDeep, depth: this.#options.bounds.depth, visitor: this })
    if (steps === undefined) return
    const nesting = this.#nesting++
    this.visit(steps, look.locator.location())
    this.#nesting = nesting
  }
}
