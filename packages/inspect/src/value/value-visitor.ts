import type { Place } from './reading.ts'

/**
 * Names the place of the value at hand. Only asked when there is something to say about it, so that walking
 * costs no strings.
 */
export interface Locator {
  /** `query.id`, `body.user.name`. Valid during the visit. */
  location(): string
  /** The last part, in lower case: `id`, `name`. */
  name(): string
}

/** A value as a part of a text that stands in it as it is, so that no string need be made to scan it. */
export interface TextPart {
  readonly start: number
  readonly end: number
  /** Scans it: what it holds stands in `seen`. */
  scan(): void
  toString(): string
}

/** Tells by one scan that a value needs no look, without a string being made of it. */
export interface PartVisitor {
  /**
   * Counts a value, and says whether one scan is enough for it. If not, `look` at it: the two together are
   * `value`.
   */
  clearsPart(part: TextPart, place: Place): boolean
  /** @returns false to end the walk */
  look(text: string, place: Place, locator: Locator): boolean
}

/** Told every value of a request, names included. */
export interface ValueVisitor {
  /** Who is asked first about values that stand in a longer text as they are. Default: nobody. */
  readonly parts?: PartVisitor
  /** Whether the walk is to pause until it is asked to go on. */
  readonly isPaused: boolean
  /** Counts work that no value stands for, in characters. */
  work(characters: number): void
  /** @returns false to end the walk */
  value(text: string, place: Place, locator: Locator): boolean
  /** A bound was met: what lies behind it was not read. */
  tooBig(rule: string, location: string, detail: string): void
}

/** A locator for a place that is known in full. */
export function at(location: string): Locator {
  const dot = location.lastIndexOf('.')
  const name = (dot < 0 ? location : location.slice(dot + 1)).toLowerCase()
  return { location: () => location, name: () => name }
}
