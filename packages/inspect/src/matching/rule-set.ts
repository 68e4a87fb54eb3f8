import type { EffortMeter } from '../bounds/effort-meter.ts'
import type { RequiredOfText } from '../rule/required-text.ts'
import type { Rule, Span } from '../rule/rule.ts'
import type { Parts } from '../rule/searched-parts.ts'
import { CHAR, type Features } from '../value/features.ts'
import type { Place, Reading } from '../value/reading.ts'
import { LONG, RuleCandidates } from './rule-candidates.ts'

/** One hit, before its setting is weighed. */
export interface Hit {
  readonly rule: Rule
  readonly span: Span
}

/**
 * Rules compiled for use: which characters and words open any of them, so that a text with none of those is
 * cleared without looking at a
 * single rule, and which rules each of them opens, so that a reading asks only for those. Immutable.
 */
export class RuleSet {
  readonly rules: readonly Rule[]
  /** Characters that open a rule by themselves. */
  readonly #chars: number
  /** Words that open a rule, perhaps together with a character. */
  readonly #words: number
  /** Whether rules from elsewhere are among them, of which nothing is known that would clear a text. */
  readonly #foreign: boolean
  /** How many times 32 rules there are: a set of rules is a row of so many numbers. */
  readonly #width: number
  readonly #known: () => readonly RequiredOfText[]
  #prepared: RuleCandidates | undefined
  /**
   * The rules that look at each place, and of these the ones for which it matters where a text starts or
   * ends.
   */
  readonly #places: Readonly<Record<Place, PlaceRules>>
  /** Shared by the synchronous calls of `run`. */
  readonly #opened: Int32Array
  readonly #all: Int32Array
  /** The rules that look at some of the `SHARED_PLACES` only. */
  readonly #placed: Int32Array
  #isPlaced = false
  #couldHitPiece = true
  /** The rules that are not quotable. */
  readonly #certain: Int32Array
  /** The rules of some families, by the list that names them. */
  readonly #ofFamilies: WeakMap<readonly string[], Int32Array> = new WeakMap()

  /** @param known what is known already of the first of the rules; asked for before they are used */
  constructor(rules: readonly Rule[], known: () => readonly RequiredOfText[] = () => []) {
    this.rules = rules
    this.#known = known
    let chars = 0
    let words = 0
    for (const rule of rules) {
      if (rule.words === 0) chars |= rule.chars
      else words |= rule.words
    }
    this.#chars = chars
    this.#words = words
    this.#foreign = rules.some(rule => rule.family === 'loaded')
    this.#width = Math.ceil(rules.length / 32)
    this.#opened = new Int32Array(this.#width)
    this.#all = setOf(rules, () => true)
    this.#certain = setOf(rules, rule => !rule.quotable)
    const placed = setOf(rules, rule => {
      const count = SHARED_PLACES.filter(place => looksAt(rule, place)).length
      return count > 0 && count < SHARED_PLACES.length
    })
    this.#placed = placed
    const of = (place: Place): PlaceRules => placeRules(rules, place, placed)
    this.#places = {
      path: of('path'),
      query: of('query'),
      header: of('header'),
      cookie: of('cookie'),
      form: of('form'),
      body: of('body'),
      name: of('name'),
      'file-name': of('file-name'),
    }
  }

  /**
   * Reads what every rule requires of a text, so that the first request need not wait for it.
   */
  prepare(): void {
    this.#prepared ??= new RuleCandidates(this.rules, this.#known())
  }

  get #candidates(): RuleCandidates {
    this.prepare()
    return this.#prepared as RuleCandidates
  }

  /**
   * Whether no rule could hit a text with these features. A file name is short and telling: it is always
   * looked at.
   */
  isClear(chars: number, words: number): boolean {
    return !this.#foreign && (chars & this.#chars) === 0 && (words & this.#words) === 0
  }

  /** Whether a rule may tell the last reading from the same text in another of the `SHARED_PLACES`. */
  get isPlaced(): boolean {
    return this.#isPlaced
  }

  /**
   * Runs the rules whose gates the reading opens, until the meter stops it.
   * @param which all of them, only those that are not quotable, or those of some families
   * @param from the rule to begin with
   * @returns the index of the rule to go on with; `Number.MAX_SAFE_INTEGER` when all have run
   */
  run(
    reading: Reading,
    found: (hit: Hit) => void,
    meter?: EffortMeter,
    which: 'all' | 'certain' | readonly string[] = 'all',
    from = 0,
  ): number {
    const { text, chars, words, standsIn } = reading
    this.#isPlaced = false
    this.#couldHitPiece = true
    // That it was made, scanned and filtered: what no rule looks at counts too.
    const isLong = text.length >= LONG
    if (from === 0 && isLong) meter?.spend(text.length)
    if (standsIn !== 'file-name' && this.isClear(chars, words)) {
      this.#couldHitPiece = text.length > LONGEST_UNCUT
      return Number.MAX_SAFE_INTEGER
    }
    const rows = this.#open(reading, this.#rowsOf(which), from)
    let ran = 0
    for (let row = from >> 5; row < this.#width; row++) {
      let open = rows[row] as number
      while (open !== 0) {
        const lowest = open & -open
        open ^= lowest
        const index = (row << 5) + 31 - Math.clz32(lowest)
        const rule = this.rules[index] as Rule
        const span = rule.find(reading, isLong ? this.#partsFor(index) : undefined)
        if (span !== undefined) found({ rule, span })
        ran++
        // Short readings are counted once they are done: none of them fills a slice.
        if (isLong && meter?.spend(text.length) === true) return index + 1
      }
    }
    if (!isLong) meter?.spend(ran * text.length + PER_READING)
    return Number.MAX_SAFE_INTEGER
  }

  /**
   * Whether no rule hits a short reading of ASCII that is a whole value, of which no part is looked at: as
   * `run`, which ends with the first that does. 256 characters at most.
   */
  hitsNothing(reading: Reading, meter: EffortMeter): boolean {
    const { text } = reading
    const { start, within } = this.#places[reading.standsIn]
    const candidates = this.#candidates
    this.#isPlaced = false
    if (!candidates.open(text, text, reading, within, true)) return true
    const { rows } = candidates
    let ran = 0
    let isHit = false
    let placed = 0
    for (let row = 0; row < this.#width && !isHit; row++) {
      placed |= (rows[row] as number) & (this.#placed[row] as number)
      let open = (rows[row] as number) & (start[row] as number)
      while (open !== 0 && !isHit) {
        const lowest = open & -open
        open ^= lowest
        isHit = (this.rules[(row << 5) + 31 - Math.clz32(lowest)] as Rule).find(reading) !== undefined
        ran++
      }
    }
    this.#isPlaced = placed !== 0
    meter.spend(ran * text.length + PER_READING)
    return !isHit
  }

  /** Where in the last reading, if it is long, a rule need be searched; undefined: in all of it. */
  #partsFor(rule: number): Parts | undefined {
    return this.#candidates.locate(rule, PARTS) ? PARTS : undefined
  }

  /**
   * Whether any rule could hit a text that stands in a place, or a part of it: by its characters and words
   * alone. For texts of ASCII that stand for nothing but themselves.
   */
  couldHit(text: string, scanned: Features, place: Place): boolean {
    const { start, within } = this.#places[place]
    const candidates = this.#candidates
    return candidates.open(text, text, scanned, within) && candidates.holdsSome(start)
  }

  /** Whether any rule could hit a line or another part of the last reading. */
  get couldHitPiece(): boolean {
    return this.#couldHitPiece
  }

  /**
   * Which rules are to look at a reading, as rows of bits.
   * @param among those that are to run
   * @param from the rule to begin with
   */
  #open(reading: Reading, among: Int32Array, from: number): Int32Array {
    const { text, chars } = reading
    const here = this.#places[reading.standsIn]
    const looking = reading.isPiece ? here.piece : reading.fromStart ? here.start : here.later
    const rows = this.#opened
    const first = from >> 5
    const candidates = this.#candidates
    const plain = (chars & CHAR.wide) === 0 ? text : reading.lower
    const isAny = candidates.open(text, plain, reading, this.#within(here, among))
    this.#couldHitPiece = text.length > LONGEST_UNCUT || (isAny && candidates.holdsSome(here.piece))
    if (!isAny) return candidates.rows
    let placed = 0
    const { rows: open } = candidates
    for (let row = first; row < this.#width; row++)
      placed |= (open[row] as number) & (among[row] as number) & (this.#placed[row] as number)
    this.#isPlaced = placed !== 0
    // Only of names it is worth telling more exactly: see `#wouldDiffer`.
    if (this.#isPlaced && reading.standsIn === 'name') {
      candidates.filter(plain)
      this.#isPlaced = this.#isAnyPlaced(reading, among, first)
    }
    for (let row = first; row < this.#width; row++)
      rows[row] = (open[row] as number) & (among[row] as number) & (looking[row] as number)
    rows[first] = (rows[first] as number) & (-1 << (from & 31))
    return rows
  }

  /** Of the rules that look at a place, or would elsewhere, those that are to run. */
  #within(here: PlaceRules, among: Int32Array): Int32Array {
    if (among === this.#all) return here.within
    let within = here.narrowed.get(among)
    if (within === undefined) {
      within = here.within.map((row, index) => row & (among[index] as number))
      here.narrowed.set(among, within)
    }
    return within
  }

  #isAnyPlaced(reading: Reading, among: Int32Array, first: number): boolean {
    const { rows } = this.#candidates
    for (let row = first; row < this.#width; row++) {
      const placed = (rows[row] as number) & (among[row] as number) & (this.#placed[row] as number)
      if (this.#wouldDiffer(reading, row, placed)) return true
    }
    return false
  }

  /**
   * Whether one of 32 rules that look at some places only could hit. Only names are tried: a pair without
   * a value is a name and a value, and the same text in two other places is rare.
   */
  #wouldDiffer(reading: Reading, row: number, rules: number): boolean {
    if (rules === 0 || reading.standsIn !== 'name') return rules !== 0
    for (let left = rules; left !== 0; left &= left - 1) {
      const rule = this.rules[(row << 5) + 31 - Math.clz32(left & -left)] as Rule
      if (rule.wouldHit?.(reading) !== false) return true
    }
    return false
  }

  /** The rules that are to run. */
  #rowsOf(families: 'all' | 'certain' | readonly string[]): Int32Array {
    if (families === 'all') return this.#all
    if (families === 'certain') return this.#certain
    let rows = this.#ofFamilies.get(families)
    if (rows === undefined) {
      rows = setOf(this.rules, rule => families.includes(rule.family))
      this.#ofFamilies.set(families, rows)
    }
    return rows
  }
}

/** Shared by the synchronous calls of `run`. */
const PARTS: Parts = { bits: 0, shift: 0 }

/** Of a longer text, a part may end within a word, which makes another word of it. */
const LONGEST_UNCUT = 1_024
/** What a reading costs besides its rules: it was made and scanned. */
const PER_READING = 100

/** Rules as sets of bits, a row of numbers for each set. */
interface PlaceRules {
  /** For a reading that starts where its value starts. */
  readonly start: Int32Array
  /** For a later window of a value. */
  readonly later: Int32Array
  /** For a piece of a text that is read as a whole too: what is found wherever it stands was found there. */
  readonly piece: Int32Array
  /** All that look here, and those that would look at the same text elsewhere. */
  readonly within: Int32Array
  /** The same, less those that are not among some rules. */
  readonly narrowed: Map<Int32Array, Int32Array>
}

function setOf(rules: readonly Rule[], test: (rule: Rule) => boolean): Int32Array {
  const set = new Int32Array(Math.ceil(rules.length / 32))
  rules.forEach((rule, index) => {
    if (test(rule)) set[index >> 5] = (set[index >> 5] as number) | (1 << (index & 31))
  })
  return set
}

/** Places in which most texts are the same to all rules. */
export const SHARED_PLACES: readonly Place[] = ['name', 'query', 'form', 'body', 'cookie']

function looksAt({ places }: Rule, place: Place): boolean {
  return places === undefined || places.includes(place) || (place === 'form' && places.includes('body'))
}

function placeRules(rules: readonly Rule[], place: Place, placed: Int32Array): PlaceRules {
  const looks = (rule: Rule): boolean => looksAt(rule, place)
  const start = setOf(rules, looks)
  return {
    start,
    within: start.map((row, index) => row | (placed[index] as number)),
    narrowed: new Map(),
    later: setOf(rules, rule => looks(rule) && rule.atStart !== true),
    piece: setOf(rules, rule => looks(rule) && rule.isAnywhere !== true),
  }
}
