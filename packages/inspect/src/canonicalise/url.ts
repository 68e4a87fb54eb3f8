// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
/** Value of a hexadecimal digit, or -1. */
export function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** Longer texts are first given to the engine, which is quicker and refuses everything unusual. */
const LONG = 256

/**
 * Undoes percent-encoding once, as the most forgiving of servers would: `%uXXXX` (IIS), overlong UTF-8
 * (`%c0%ae` is a dot), bytes
 * that are not UTF-8 read as Latin-1, a lone `%` kept. Linear, never throws.
 * @param plusAsSpace whether `+` stands for a space, as in forms
 */
export function decodeUrl(text: string, plusAsSpace: boolean): string {
  if (text.length > LONG) {
    try {
      return decodeURIComponent(plusAsSpace ? text.replaceAll('+', ' ') : text)
    } catch {
      // Not what RFC 3986 allows: read as the most forgiving servers would.
    }
  }
  let out = ''
  let from = 0
  let at = 0
  while (at < text.length) {
    const code = charCodeAt.call(text, at)
    const character =
      code === 37 ? percents.read(text, at) : code === 43 && plusAsSpace ? percents.plus(at) : undefined
    if (character === undefined) at++
    else {
      out += text.slice(from, at) + character
      from = at = percents.end
    }
  }
  return from === 0 ? text : out + text.slice(from)
}

function percentByte(text: string, at: number): number {
  if (charCodeAt.call(text, at) !== 37) return -1
  const high = hexDigit(charCodeAt.call(text, at + 1))
  const low = hexDigit(charCodeAt.call(text, at + 2))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

function unicodeEscape(text: string, at: number): number {
  if ((charCodeAt.call(text, at + 1) | 32) !== 117) return -1
  let value = 0
  for (let i = 2; i < 6; i++) {
    const digit = hexDigit(charCodeAt.call(text, at + i))
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

/**
 * How many bytes a first byte announces; the forms of five and six bytes were given up, but are still read
 * by some.
 */
function lengthOf(first: number): number {
  if (first < 0xc0 || first > 0xfd) return 1
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : first < 0xfc ? 5 : 6
}

/** Reads one escape of a URL. Where the text goes on behind it is its only state. */
class PercentReader {
  end = 0

  /** The space that a plus at `at` stands for in a form. */
  plus(at: number): string {
    this.end = at + 1
    return ' '
  }

  /** The character that a percent sign at `at` begins; undefined when it begins none. */
  read(text: string, at: number): string | undefined {
    const wide = unicodeEscape(text, at)
    if (wide < 0) return this.#bytes(text, at)
    this.end = at + 6
    return String.fromCharCode(wide)
  }

  /** One character of `%XX` sequences. Overlong forms count as what they stand for. */
  #bytes(text: string, at: number): string | undefined {
    const first = percentByte(text, at)
    if (first < 0) return undefined
    const length = lengthOf(first)
    if (length > 1) {
      let value = first & (0x7f >> length)
      let next = at + 3
      let valid = true
      for (let i = 1; i < length && valid; i++, next += 3) {
        const byte = percentByte(text, next)
        valid = byte >= 0x80 && byte < 0xc0
        value = value * 64 + (byte & 0x3f)
      }
      if (valid && value <= 0x10ffff) {
        this.end = next
        return String.fromCodePoint(value)
      }
    }
    this.end = at + 3
    return String.fromCharCode(first)
  }
}

const percents = new PercentReader()
