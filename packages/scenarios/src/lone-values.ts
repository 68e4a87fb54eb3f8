// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
/** Room for so many groups, a power of two: 256 KiB. */
const SLOTS = 16_384
/** Words of 32 bits a group; the last two are its time. */
const WIDTH = 4
/** So many characters from the end of a part tell groups apart. */
const HASHED = 64

/**
 * The groups that have shown one value only, which is nearly all of them: of 50,000 people who read a page
 * each, none needs a list. A table of fixed size in which a newcomer takes the place of an older one: a group
 * that is far from every threshold loses its only value, and nothing is allocated for a request.
 *
 * Groups and values are kept as numbers: a text of each request put into a table that lives forever is a
 * text that the collector has to copy twice.
 */
export class LoneValues {
  /** Side by side, so that a group is one line of the cache: its number, the value's, and the time. */
  readonly #words: Int32Array = new Int32Array(SLOTS * WIDTH)
  readonly #times: Float64Array = new Float64Array(this.#words.buffer)
  readonly #seed: number
  /** The group that was looked for last. */
  #group = 0

  /**
   * @param seed unknown to clients, who could otherwise choose values that all count as their first. Default:
   *   random
   */
  constructor(seed: number = globalThis.crypto.getRandomValues(new Int32Array(1))[0] as number) {
    this.#seed = seed
  }

  /** 32 bits that stand for a value. */
  markOf(value: string): number {
    return mixed(this.#seed, value, value.length)
  }

  /** Where a group would stand. Says `holds`, `put` and `clear` which group is meant. */
  slotOf(key: string, rest: string): number {
    const hash = mixed(mixed(~this.#seed, key, HASHED), rest, HASHED)
    this.#group = hash === 0 ? 1 : hash
    return (hash ^ (hash >>> 15)) & (SLOTS - 1)
  }

  /** Whether the group of a slot is this one. */
  holds(slot: number): boolean {
    return this.#words[slot * WIDTH] === this.#group
  }

  /** The mark of the only value. */
  value(slot: number): number {
    return this.#words[slot * WIDTH + 1] as number
  }

  /** Epoch milliseconds of the last event with that value. */
  time(slot: number): number {
    return this.#times[slot * 2 + 1] as number
  }

  seenAgain(slot: number, time: number): void {
    this.#times[slot * 2 + 1] = time
  }

  /** Puts the group into a slot, in place of the one that is there. */
  put(slot: number, value: number, time: number): void {
    this.#words[slot * WIDTH] = this.#group
    this.#words[slot * WIDTH + 1] = value
    this.#times[slot * 2 + 1] = time
  }

  clear(slot: number): void {
    this.#words[slot * WIDTH] = 0
  }
}

/** The end tells texts of one kind apart: addresses of a network, pages of a folder. */
function mixed(seed: number, text: string, most: number): number {
  const { length } = text
  let hash = Math.imul(seed ^ length, 0x01000193)
  for (let i = length > most ? length - most : 0; i < length; i++)
    hash = Math.imul(hash ^ charCodeAt.call(text, i), 0x01000193)
  return hash
}
