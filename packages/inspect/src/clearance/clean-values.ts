// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
const SLOTS = 4_096
/** So many characters of a name or a word tell it from others. */
const LONGEST_NAME = 64
/** Longer values are not remembered, in characters. */
export const LONGEST_REMEMBERED = 512

/**
 * Values that were looked at and found clean, each under the name it came with. Clients repeat theirs with
 * every request, so most
 * header values of most requests are known.
 *
 * A table of fixed size, compared in full: what is known is exactly this value under exactly this name, and
 * what collides pushes the older of two out, which costs a look and nothing
 * else. A `Set` would hash all of a text that the HTTP parser has just made, which takes longer than
 * reading a few characters and comparing. A value is kept when it comes the second time:
 * those that are new with every request leave a number behind and no text. Values that may be secrets are
 * never put in.
 */
export class CleanValues {
  readonly #values: string[] = new Array<string>(SLOTS).fill('')
  readonly #names: string[] = new Array<string>(SLOTS).fill('')
  /** By place, what was there once: see `add`. */
  readonly #once: Int32Array = new Int32Array(SLOTS)

  readonly #mixed: (name: string, value: string) => number

  /**
   * @param names how they are told apart: `few` by their lengths and middles, as those of headers differ;
   * `many` by all of their characters: those of a list differ in one (`columns[0][name]`)
   */
  constructor(names: 'few' | 'many') {
    this.#mixed = names === 'few' ? mixed : mixedWhole
  }

  /** @param name as it was sent: two spellings of one name are two names */
  has(name: string, value: string): boolean {
    const slot = this.#mixed(name, value) & (SLOTS - 1)
    if (this.#values[slot] === value && this.#names[slot] === name) return true
    const other = slot ^ 1
    return this.#values[other] === value && this.#names[other] === name
  }

  /** Remembers a value under a name from the second time on; long ones and empty ones never. */
  add(name: string, value: string): void {
    if (value.length > LONGEST_REMEMBERED || name.length > LONGEST_REMEMBERED || value === '') return
    const hash = this.#mixed(name, value)
    const slot = hash & (SLOTS - 1)
    if (this.#once[slot] !== hash) {
      this.#once[slot] = hash
      return
    }
    const other = slot ^ 1
    this.#values[other] = this.#values[slot] as string
    this.#names[other] = this.#names[slot] as string
    this.#values[slot] = wholeText(value)
    this.#names[slot] = wholeText(name)
  }
}

/**
 * Lengths and a few characters: texts of one kind mostly differ there, and those that do not share two
 * places.
 */
export function mixed(name: string, value: string): number {
  const { length } = value
  let hash = Math.imul(length, 31) + name.length
  hash = Math.imul(hash, 31) + (charCodeAt.call(name, name.length >> 1) | 0)
  hash = Math.imul(hash, 31) + (charCodeAt.call(value, length - 1) | 0)
  hash = Math.imul(hash, 31) + (charCodeAt.call(value, length - 3) | 0)
  // Agents of one browser differ in both digits of a version: by the last alone, four of them share a place.
  hash = Math.imul(hash, 31) + (charCodeAt.call(value, length - 4) | 0)
  hash = Math.imul(hash, 31) + (charCodeAt.call(value, length >> 1) | 0)
  hash = Math.imul(hash, 31) + (charCodeAt.call(value, length >> 2) | 0)
  hash = Math.imul(hash, 31) + (charCodeAt.call(value, length >> 3) | 0)
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) | 0
}

/** By all characters: names of parameters are short, and so are the words under them. */
function mixedWhole(name: string, value: string): number {
  let hash = Math.imul(value.length, 31) + name.length
  const nameEnd = Math.min(name.length, LONGEST_NAME)
  for (let i = 0; i < nameEnd; i++) hash = Math.imul(hash, 31) + charCodeAt.call(name, i)
  const valueEnd = Math.min(value.length, LONGEST_NAME)
  for (let i = 0; i < valueEnd; i++) hash = Math.imul(hash, 31) + charCodeAt.call(value, i)
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) | 0
}

/** The text in memory of its own: a piece that was cut out would hold on to all that it was cut from. */
export function wholeText(text: string): string {
  const coding = /^[\u0000-\u00ff]*$/.test(text) ? 'latin1' : 'utf16le'
  return Buffer.from(text, coding).toString(coding)
}
