// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** Most characters that one copy holds without an array of its own: two windows. */
export const MOST_COPIED = 16_384
/** Who looks a few characters ahead need not ask where the text ends. */
const ZEROS = 4
/** Of a shorter text, a call of native code that is seldom made takes longer than its characters. */
const SHORT = 72

/**
 * The code units of a stretch of text as numbers. Asking a string for one costs several times what reading
 * it from an array does, because what a string is made of (a piece of another, two in a row) is determined
 * each time; one copy in native code costs less than 0.2 nanoseconds a character. One array serves one
 * reader of text after the other: a copy is good until the next one is made.
 */
export class CharacterCodes {
  readonly #own: Uint16Array = new Uint16Array(MOST_COPIED + ZEROS)
  readonly #bytes: Buffer = Buffer.from(this.#own.buffer)
  #copies = 0

  /** Changes with every copy: who kept it can tell whether its own is still there. */
  get copies(): number {
    return this.#copies
  }

  /**
   * Copies `text[start, end)`.
   * @returns its code units, the first at 0; behind the last stand four zeros
   */
  copy(text: string, start: number, end: number): Uint16Array {
    this.#copies++
    const length = end - start
    const codes = this.#own
    if (length <= SHORT) for (let at = start; at < end; at++) codes[at - start] = charCodeAt.call(text, at)
    else {
      const part = length === text.length ? text : text.slice(start, end)
      if (length > MOST_COPIED || !IS_LITTLE_ENDIAN) return longCodes(part)
      this.#bytes.write(part, 0, 'utf16le')
    }
    for (let at = length; at < length + ZEROS; at++) codes[at] = 0
    return codes
  }
}

/** `utf16le` is what an array of numbers holds only where the machine has the same order of bytes. */
const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

function longCodes(text: string): Uint16Array {
  const codes = new Uint16Array(text.length + ZEROS)
  if (IS_LITTLE_ENDIAN) Buffer.from(codes.buffer).write(text, 0, 'utf16le')
  else for (let at = 0; at < text.length; at++) codes[at] = charCodeAt.call(text, at)
  return codes
}
