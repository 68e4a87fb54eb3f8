import { ALLOW, ANONYMOUS, type Event, HttpEvent } from '@postern/core'
import { decodedTarget, type FieldReader, type FieldValue } from './event-fields.ts'
import type { Need } from './need.ts'
import type { DetectionRule } from './scenario.ts'
import { isAboutTarget, MAX_TARGET_RULES, TargetAnswers } from './target-answers.ts'
import { WordSet } from './word-set.ts'

/** Distinct values of one field, and kinds of events, whose answers are kept. */
const MAX_VALUES = 1_024
/** Longer texts are not kept, but looked at again. */
const MAX_LENGTH = 256

const NO_RULES: readonly number[] = []

/**
 * Which rules can match an event at all. An ordinary request has a common status, method, version and agent,
 * and a target without any word that rules look for: asking each rule that took 4 us, asking once what any of
 * them needs takes 0.2. Targets come again, so what rules about nothing but the target said of one is
 * remembered.
 */
export class RuleDispatch {
  readonly #rules: readonly DetectionRule[]
  readonly #requests: RequestDispatch
  #byType = new Map<string, readonly number[]>()

  constructor(rules: readonly DetectionRule[]) {
    this.#rules = rules
    this.#requests = new RequestDispatch(rules)
  }

  /** Whether all of the last candidates are known to match and need not be asked. */
  get areKnown(): boolean {
    return this.#requests.areKnown
  }

  /** Places of the rules to ask about an event, in their order. The list is good until the next call. */
  candidates(event: Event): readonly number[] {
    this.#requests.areKnown = false
    const { type } = event
    return type === 'http'
      ? this.#requests.candidates(event)
      : (this.#byType.get(type) ?? this.#ofType(event))
  }

  /** Other events are few: their type alone tells them apart. */
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
  areKnown = false
  readonly #always: readonly number[]
  readonly #fields: readonly FieldIndex[]
  /**
   * The fields that a request which was simply allowed can differ in, and what the others open for each of
   * those.
   */
  readonly #openFields: readonly FieldIndex[]
  readonly #settled: readonly number[]
  /** Rules that need a word, and all their words. */
  readonly #worded: readonly number[]
  readonly #words: WordSet | undefined
  readonly #targets: TargetAnswers
  /** Scratch. */
  readonly #found: number[] = []
  readonly #isFound: Uint8Array

  constructor(rules: readonly DetectionRule[]) {
    const { always, byTarget, fields, worded, words } = sortedByNeed(rules)
    this.#always = always
    // What an ordinary request cannot have either way is not asked for each of them.
    this.#fields = [...fields].filter(([field]) => field !== 'type').map(([, index]) => index)
    this.#openFields = [...fields]
      .filter(([field]) => field !== 'type' && !isSettled(field))
      .map(([, index]) => index)
    this.#settled = [...fields].flatMap(([field, index]) =>
      isSettled(field) ? index.ask(SETTLED[field]) : [],
    )
    for (const place of fields.get('type')?.rulesFor(REQUEST) ?? []) always.push(place)
    always.sort((a, b) => a - b)
    this.#worded = [...worded]
    this.#words = words.length === 0 ? undefined : new WordSet(words)
    this.#targets = new TargetAnswers(rules, byTarget)
    this.#isFound = new Uint8Array(rules.length)
  }

  candidates(event: Event): readonly number[] {
    const found = this.#found
    found.length = 0
    const wasAllowed = isSimplyAllowed(event)
    const fields = wasAllowed ? this.#openFields : this.#fields
    for (let i = 0; i < fields.length; i++) {
      const places = (fields[i] as FieldIndex).rulesFor(event)
      if (places.length > 0) this.#add(places)
    }
    if (wasAllowed && this.#settled.length > 0) this.#add(this.#settled)
    const known = this.#targets.of(event)
    if (known === undefined) {
      if (this.#words?.search(decodedTarget(event)) === true) this.#add(this.#worded)
      else this.#targets.keep(event)
      this.#add(this.#targets.rules)
    } else if (found.length === 0 && this.#always.length === 0) {
      this.areKnown = true
      return known
    } else this.#add(known)
    this.#add(this.#always)
    for (let i = 0; i < found.length; i++) this.#isFound[found[i] as number] = 0
    if (found.length <= FEW) sortInPlace(found)
    else found.sort(ascending)
    return found
  }

  #add(places: readonly number[]): void {
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number
      if (this.#isFound[place] === 1) continue
      this.#isFound[place] = 1
      this.#found.push(place)
    }
  }
}

/** The rules about requests, by what a request must have to match them; rules are numbers. */
interface ByNeed {
  /** Those that need nothing in particular. */
  readonly always: number[]
  /** Those about nothing but the target, as many as are kept by it. */
  readonly byTarget: readonly number[]
  readonly fields: ReadonlyMap<string, FieldIndex>
  readonly worded: ReadonlySet<number>
  readonly words: readonly string[]
}

function sortedByNeed(rules: readonly DetectionRule[]): ByNeed {
  const always: number[] = []
  const byTarget: number[] = []
  const fields = new Map<string, FieldIndex>()
  const worded = new Set<number>()
  const words: string[] = []
  const note = (place: number, need: Need): void => {
    if (need.kind === 'words') {
      worded.add(place)
      words.push(...need.words)
      return
    }
    const index = fields.get(need.field) ?? new FieldIndex(need.read)
    fields.set(need.field, index)
    index.add(place, need)
  }
  for (const [place, rule] of rules.entries()) {
    if (!rule.sees(REQUEST)) continue
    if (byTarget.length < MAX_TARGET_RULES && isAboutTarget(rule)) byTarget.push(place)
    else if (rule.needs === undefined) always.push(place)
    else for (const need of rule.needs) note(place, need)
  }
  return { always, byTarget, fields, worded, words }
}

/** What a request of nobody that no guard objected to has in these fields, whatever it is. */
const SETTLED: Readonly<Record<string, FieldValue>> = {
  decision: 'allow',
  observed: undefined,
  guard: undefined,
  rule: undefined,
  'actor.key': undefined,
}

/** Events of requests carry no data of their own. */
function isSettled(field: string): boolean {
  return Object.hasOwn(SETTLED, field) || field.startsWith('data.')
}

function isSimplyAllowed(event: Event): boolean {
  if (!(event instanceof HttpEvent)) return false
  const { decision, observed, principal } = event.exchange
  return decision === ALLOW && observed === undefined && principal === ANONYMOUS
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
    if (typeof value === 'object') return this.ask(value)
    let places = this.#known.get(value)
    if (places === undefined) {
      places = this.ask(value)
      // A text that was cut may hold on to the long one it was cut from.
      if (typeof value === 'string' && value.length >= MAX_LENGTH) return places
      if (this.#known.size >= MAX_VALUES) this.#known = new Map()
      this.#known.set(value, places)
    }
    this.#lastValue = value
    this.#lastPlaces = places
    return places
  }

  /** The rules that hold for a value. */
  ask(value: FieldValue): readonly number[] {
    const places: number[] = []
    for (const { place, holds } of this.#needs) {
      if (places.at(-1) !== place && holds(value)) places.push(place)
    }
    return places.length === 0 ? NO_RULES : places
  }
}

/** Most requests have two or three: to sort so few, an array takes longer to begin than this to end. */
const FEW = 16

function ascending(a: number, b: number): number {
  return a - b
}

/** Ascending. */
function sortInPlace(places: number[]): void {
  for (let i = 1; i < places.length; i++) {
    const place = places[i] as number
    let at = i
    for (; at > 0 && (places[at - 1] as number) > place; at--) places[at] = places[at - 1] as number
    places[at] = place
  }
}
