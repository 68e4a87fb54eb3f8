/** Number of everybody together, whatever is found of others. */
export const EVERYBODY = 0
/** For nobody: a request without a principal, or an actor that was never seen. */
export const NOBODY = -1

const FIRST_SLOTS = 1_024

/**
 * Gives actors small numbers in the order in which they are first seen, so that what is kept of each stands
 * in arrays of numbers. A table with open addressing, at most half full: a `Map` allocates every token that
 * it is asked for, and took a fifth of a preview. Tokens come from a keyed hash, so that nobody can choose
 * two that collide.
 */
export class ActorNumbers {
  #tokens = new Float64Array(FIRST_SLOTS)
  #numbers = new Int32Array(FIRST_SLOTS)
  #next = EVERYBODY + 1

  /** Numbers that were given are less. */
  get end(): number {
    return this.#next
  }

  /** The number of an actor, given now where it has none. @param token 48 bits, 0 for everybody */
  of(token: number): number {
    if (token === 0) return EVERYBODY
    const slot = this.#slotOf(token)
    if (this.#tokens[slot] === token) return this.#numbers[slot] as number
    const number = this.#next++
    this.#tokens[slot] = token
    this.#numbers[slot] = number
    if (2 * number >= this.#tokens.length) this.#grow()
    return number
  }

  /** The number that an actor has, or `NOBODY`. */
  find(token: number): number {
    if (token === 0) return EVERYBODY
    const slot = this.#slotOf(token)
    return this.#tokens[slot] === token ? (this.#numbers[slot] as number) : NOBODY
  }

  /** Where a token stands, or the free place where it belongs. */
  #slotOf(token: number): number {
    const tokens = this.#tokens
    const mask = tokens.length - 1
    let slot = token & mask
    for (;;) {
      const found = tokens[slot]
      if (found === token || found === 0) return slot
      slot = (slot + 1) & mask
    }
  }

  #grow(): void {
    const [tokens, numbers] = [this.#tokens, this.#numbers]
    this.#tokens = new Float64Array(2 * tokens.length)
    this.#numbers = new Int32Array(2 * tokens.length)
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i] as number
      if (token === 0) continue
      const slot = this.#slotOf(token)
      this.#tokens[slot] = token
      this.#numbers[slot] = numbers[i] as number
    }
  }
}
