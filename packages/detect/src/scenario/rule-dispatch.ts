import type { Event } from '@postern/core'
import { decodedTarget, type FieldReader, type FieldValue, requestTarget } from './event-fields.ts'
import type { Need } from './need.ts'
import type { DetectionRule } from './scenario.ts'
import { WordSet } from './word-set.ts'

/** Distinct values of one field, and kinds of events, whose answers are kept. */
const MAX_VALUES = 1_024
/** Targets kept as holding no word that a rule looks for. */
const MAX_CLEAN = 8_192
/** Longer texts are not kept, but looked at again. */
const MAX_LENGTH = 256

const NO_RULES: readonly number[] = []

/**
 * Which rules can match an event at all. An ordinary request has a common status, method, version and agent, and a target without
 * any word that rules look for: asking each rule that took 4 us, asking once what any of them needs takes 0.2.
 */
export class RuleDispatch {
  readonly #rules: readonly DetectionRule[]
  readonly #requests: RequestDispatch
  #byType = new Map<string, readonly number[]>()

  constructor(rules: readonly DetectionRule[]) {
    this.#rules = rules
    this.#requests = new RequestDispatch(rules)
  }

  /** Places of the rules to ask about an event, in their order. The list is good until the next call. */
  candidates(event: Event): readonly number[] {
    const { type } = event
    return type === 'http'
      ? this.#requests.candidates(event)
      : (this.#byType.get(type) ?? this.#ofType(event))
  }

  /** Events of other rooms are few: they are told apart by their type alone. */
  #ofType(event: Event): readonly number[] {
    const found: number[] = []
    for (const [place, rule] of this.#rules.entries()) if (rule.sees(event)) found.push(place)
    if (this.#byType.size >= MAX_VALUES) this.#byType = new Map()
    this.#byType.set(event.type, found)
    return found
  }
}

const REQUEST: Event = { type: 'http', time: 0, actor: {} }

class RequestDispatch {
  readonly #always: readonly number[]
  readonly #fields: readonly FieldIndex[]
  /** Rules that need a word, and all their words. */
  readonly #worded: readonly number[]
  readonly #words: WordSet | undefined
  #clean = new Set<string>()
  /** Scratch. */
  readonly #found: number[] = []
  readonly #isFound: Uint8Array

  constructor(rules: readonly DetectionRule[]) {
    const always: number[] = []
    const fields = new Map<string, FieldIndex>()
    const worded = new Set<number>()
    const words: string[] = []
    for (const [place, rule] of rules.entries()) {
      if (!rule.sees(REQUEST)) continue
      if (rule.needs === undefined) always.push(place)
      for (const need of rule.needs ?? []) {
        if (need.kind === 'words') {
          worded.add(place)
          words.push(...need.words)
        } else {
          const index = fields.get(need.field) ?? new FieldIndex(need.read)
          fields.set(need.field, index)
          index.add(place, need)
        }
      }
    }
    this.#always = always
    // What an ordinary request cannot have either way is not asked for each of them.
    this.#fields = [...fields].filter(([field]) => field !== 'type').map(([, index]) => index)
    for (const place of fields.get('type')?.rulesFor(REQUEST) ?? []) always.push(place)
    always.sort((a, b) => a - b)
    this.#worded = [...worded]
    this.#words = words.length === 0 ? undefined : new WordSet(words)
    this.#isFound = new Uint8Array(rules.length)
  }

  candidates(event: Event): readonly number[] {
    const found = this.#found
    found.length = 0
    for (let i = 0; i < this.#fields.length; i++) {
      const places = (this.#fields[i] as FieldIndex).rulesFor(event)
      if (places.length > 0) this.#add(places)
    }
    if (this.#hasWord(event)) this.#add(this.#worded)
    if (found.length === 0) return this.#always
    this.#add(this.#always)
    for (let i = 0; i < found.length; i++) this.#isFound[found[i] as number] = 0
    return found.sort(ascending)
  }

  #add(places: readonly number[]): void {
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number
      if (this.#isFound[place] === 1) continue
      this.#isFound[place] = 1
      this.#found.push(place)
    }
  }

  /** Whether the decoded target holds a word of any rule. Targets come again, so those that hold none are remembered as they were sent. */
  #hasWord(event: Event): boolean {
    if (this.#words === undefined) return false
    const target = requestTarget(event)
    if (this.#clean.has(target)) return false
    if (this.#words.search(decodedTarget(event))) return true
    if (target.length < MAX_LENGTH) {
      if (this.#clean.size >= MAX_CLEAN) this.#clean = new Set()
      this.#clean.add(target)
    }
    return false
  }
}

/** The rules that need something of one field, by its value. */
class FieldIndex {
  readonly #read: FieldReader
  readonly #needs: { readonly place: number; readonly holds: (value: FieldValue) => boolean }[] = []
  #known = new Map<FieldValue, readonly number[]>()
  #lastValue: FieldValue
  #lastPlaces: readonly number[] | undefined

  constructor(read: FieldReader) {
    this.#read = read
  }

  add(place: number, need: Need & { readonly kind: 'values' }): void {
    this.#needs.push({ place, holds: need.holds })
  }

  rulesFor(event: Event): readonly number[] {
    const value = this.#read(event)
    if (value === this.#lastValue && this.#lastPlaces !== undefined) return this.#lastPlaces
    if (typeof value === 'object') return this.#ask(value)
    let places = this.#known.get(value)
    if (places === undefined) {
      places = this.#ask(value)
      // A text that was cut may hold on to the long one it was cut from.
      if (typeof value === 'string' && value.length >= MAX_LENGTH) return places
      if (this.#known.size >= MAX_VALUES) this.#known = new Map()
      this.#known.set(value, places)
    }
    this.#lastValue = value
    this.#lastPlaces = places
    return places
  }

  #ask(value: FieldValue): readonly number[] {
    const places: number[] = []
    for (const { place, holds } of this.#needs) {
      if (places.at(-1) !== place && holds(value)) places.push(place)
    }
    return places.length === 0 ? NO_RULES : places
  }
}

function ascending(a: number, b: number): number {
  return a - b
}
