// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
/** Room for so many groups, a power of two. */
const SLOTS = 8_192
/** So many characters from the end of a part choose its slot. */
const HASHED = 24

/**
 * The groups that have shown one value only, which is nearly all of them: of 50,000 people who read a page
 * each, none needs a list. A table of fixed size in which a newcomer takes the place of an older one: a group
 * that is far from every threshold loses its only value, and nothing is allocated for a request.
 */
export class LoneValues {
  readonly #keys: string[] = new Array<string>(SLOTS).fill('')
  readonly #rests: string[] = new Array<string>(SLOTS).fill('')
  readonly #values: string[] = new Array<string>(SLOTS).fill('')
  readonly #times: Float64Array = new Float64Array(SLOTS)

  /** Where a group would stand. */
  slotOf(key: string, rest: string): number {
    const hash = mixed(mixed(0x2c1b3c6d, key), rest)
    return (hash ^ (hash >>> 15)) & (SLOTS - 1)
  }

  /** Whether the group of a slot is this one. */
  holds(slot: number, key: string, rest: string): boolean {
    return this.#keys[slot] === key && this.#rests[slot] === rest
  }

  value(slot: number): string {
    return this.#values[slot] as string
  }

  /** Epoch milliseconds of the last event with that value. */
  time(slot: number): number {
    return this.#times[slot] as number
  }

  seenAgain(slot: number, time: number): void {
    this.#times[slot] = time
  }

  /** Puts a group into a slot, in the place of the one that is there. */
  put(slot: number, key: string, rest: string, value: string, time: number): void {
    this.#keys[slot] = key
    this.#rests[slot] = rest
    this.#values[slot] = value
    this.#times[slot] = time
  }

  clear(slot: number): void {
    this.put(slot, '', '', '', 0)
  }
}

/** The end tells texts of one kind apart: addresses of a network, pages of a folder. */
function mixed(seed: number, text: string): number {
  const { length } = text
  let hash = Math.imul(seed ^ length, 0x01000193)
  for (let i = length > HASHED ? length - HASHED : 0; i < length; i++)
    hash = Math.imul(hash ^ charCodeAt.call(text, i), 0x01000193)
  return hash
}
