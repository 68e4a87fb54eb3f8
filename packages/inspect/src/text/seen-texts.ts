import { SHARED_PLACES } from '../matching/rule-set.ts'
import type { Place } from '../value/reading.ts'
import type { Locator } from '../value/value-visitor.ts'
import type { Look } from './look.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
const SLOTS = 512
/** Looks at one request before texts are remembered: most requests have fewer. */
const REMEMBERED_FROM = 16
/** Longer values are not remembered, in characters: of those a body holds few. */
const LONGEST = 256

/** Where a text was looked at; undefined: a look in any of the `SHARED_PLACES` would find as little. */
interface SeenWhere {
  readonly place: Place
  /** The name that it stood under, in lower case; undefined: it does not matter. */
  readonly name: string | undefined
  /** Of a text in which something was found, where it stood; undefined: nothing was found. */
  readonly location: string | undefined
}

/**
 * Texts of one request that were looked at, so that each distinct one is looked at once: everywhere where
 * nothing was found in it, and where something was, in the same field or list. A form can
 * hold ten thousand times the same few characters, and every pair without a value is a name and a value.
 * Exact: it holds the text itself, and what the look at it asked for besides.
 */
export class SeenTexts {
  readonly #remembered: 'clean' | 'hits'
  #looks = 0
  /** Made when the request turns out to have many. */
  #texts: (string | undefined)[] | undefined
  readonly #where: (SeenWhere | undefined)[] = []

  /**
   * @param remembered which texts are: those in which nothing was found, or also the others, where no place
   * is excepted and a rule finds in each place of a list the same
   */
  constructor(remembered: 'clean' | 'hits') {
    this.#remembered = remembered
  }

  has(text: string, place: Place, locator: Locator): boolean {
    if (this.#texts === undefined || text.length > LONGEST) return false
    const slot = slotOf(text)
    const isShared = SHARED_PLACES.includes(place)
    if (isShared && this.#texts[slot] === text && this.#where[slot] === undefined) return true
    const here = slot ^ PLACES[place]
    if (this.#texts[here] !== text) return false
    const where = this.#where[here]
    if (where === undefined || where.place !== place) return false
    if (where.name !== undefined && where.name !== locator.name()) return false
    return where.location === undefined || where.location === withoutIndices(locator.location())
  }

  /** Whether a text is one in which nothing was found, whatever it stood under. */
  hasClean(text: string, place: Place): boolean {
    if (this.#texts === undefined || text.length > LONGEST) return false
    const slot = slotOf(text)
    if (this.#texts[slot] === text && this.#where[slot] === undefined) return true
    const here = slot ^ PLACES[place]
    const where = this.#where[here]
    if (this.#texts[here] !== text || where === undefined) return false
    return where.place === place && where.name === undefined && where.location === undefined
  }

  /**
   * Takes note of a text in which nothing was found, whatever it stood under, in one of the `SHARED_PLACES`.
   * @param isPlaced whether that holds in this place alone
   */
  addClean(text: string, place: Place, isPlaced: boolean): void {
    if (++this.#looks <= REMEMBERED_FROM || text.length > LONGEST) return
    this.#texts ??= new Array<string | undefined>(SLOTS)
    const slot = slotOf(text) ^ (isPlaced ? PLACES[place] : 0)
    this.#texts[slot] = text
    this.#where[slot] = isPlaced ? { place, name: undefined, location: undefined } : undefined
  }

  /**
   * Takes note of a text that was looked at to its end.
   * @param isHit whether something was found in it
   */
  add({ text, place, locator, isPlaceAsked, isVisited, askedName }: Look, isHit: boolean): void {
    if (++this.#looks <= REMEMBERED_FROM || isVisited || text.length > LONGEST) return
    if (isHit && this.#remembered === 'clean') return
    this.#texts ??= new Array<string | undefined>(SLOTS)
    const isShared = !isHit && !isPlaceAsked && askedName === undefined && SHARED_PLACES.includes(place)
    const slot = slotOf(text) ^ (isShared ? 0 : PLACES[place])
    this.#texts[slot] = text
    if (isShared) this.#where[slot] = undefined
    else if (isHit) {
      const location = withoutIndices(locator.location())
      this.#where[slot] = { place, name: locator.name(), location }
    } else this.#where[slot] = { place, name: askedName, location: undefined }
  }
}

/** A location in which the places of lists are not told apart. */
function withoutIndices(location: string): string {
  return location.replace(/\.\d+(?![^.#])/g, '.0')
}

/** What is found in one place lies beside what is found in another. */
const PLACES: Readonly<Record<Place, number>> = {
  path: 1,
  query: 2,
  header: 3,
  cookie: 4,
  form: 5,
  body: 6,
  name: 7,
  'file-name': 8,
}

/** By its length and a few characters: what collides is looked at again, and nothing else. */
function slotOf(text: string): number {
  const { length } = text
  let hash = length
  for (let step = 0; step < 4; step++) {
    hash = Math.imul(hash, 31) + (charCodeAt.call(text, step) | 0)
    hash = Math.imul(hash, 31) + (charCodeAt.call(text, length - 1 - step) | 0)
  }
  hash = Math.imul(hash, 31) + charCodeAt.call(text, length >> 1)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) & (SLOTS - 1)
}
