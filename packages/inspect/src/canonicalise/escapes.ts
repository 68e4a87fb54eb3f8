import { type EscapeReader, undoEscapes } from './undo-escapes.ts'
import { hexDigit } from './url.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * Undoes `\uXXXX`, `\u{X}`, `\xXX` and `\/` once, as JavaScript, JSON and most template languages read
 * them, characters in three octal digits, as PHP, Python and shells do, and the backslash at the end of a
 * line, which shells and programs continue. Linear, never throws.
 */
export function decodeEscapes(text: string): string {
  return undoEscapes(text, backslashes)
}

class BackslashReader implements EscapeReader {
  readonly sign = '\\'
  end = 0

  read(text: string, sign: number): string | undefined {
    const at = sign + 1
    this.end = at + 1
    const code = charCodeAt.call(text, at)
    // Both cases of x and u.
    const letter = code | 32
    if (letter === 120) return this.#hexadecimal(text, at + 1, 2)
    if (letter === 117)
      return charCodeAt.call(text, at + 1) === 123
        ? this.#braced(text, at + 2)
        : this.#hexadecimal(text, at + 1, 4)
    if (code === 10) return ''
    if (code === 48 || code === 49) return this.#octal(text, at)
    return code === 47 ? '/' : undefined
  }

  /** A character of ASCII, all that a name is written with. */
  #octal(text: string, start: number): string | undefined {
    let value = 0
    for (let at = start; at < start + 3; at++) {
      const digit = charCodeAt.call(text, at) - 48
      if (!(digit >= 0 && digit < 8)) return undefined
      value = value * 8 + digit
    }
    if (value < 32) return undefined
    this.end = start + 3
    return String.fromCharCode(value)
  }

  /** `\u{X}`, of at most six digits. */
  #braced(text: string, start: number): string | undefined {
    const close = text.indexOf('}', start)
    if (close < 0 || close - start > 6) return undefined
    const character = this.#hexadecimal(text, start, close - start)
    if (character !== undefined) this.end = close + 1
    return character
  }

  #hexadecimal(text: string, start: number, digits: number): string | undefined {
    if (digits === 0) return undefined
    let value = 0
    for (let i = 0; i < digits; i++) {
      const digit = hexDigit(charCodeAt.call(text, start + i))
      if (digit < 0) return undefined
      value = value * 16 + digit
    }
    if (value > 0x10ffff) return undefined
    this.end = start + digits
    return String.fromCodePoint(value)
  }
}

const backslashes = new BackslashReader()
