import { type EscapeReader, undoEscapes } from './undo-escapes.ts'
import { hexDigit } from './url.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/**
 * The named references that stand for characters an attack needs (HTML Standard section 13.5); the rest are
 * letters and signs.
 */
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  ast: '*',
  bsol: '\\',
  colon: ':',
  comma: ',',
  commat: '@',
  dollar: '$',
  equals: '=',
  excl: '!',
  grave: '`',
  gt: '>',
  hat: '^',
  lbrace: '{',
  lbrack: '[',
  lcub: '{',
  lowbar: '_',
  lpar: '(',
  lsqb: '[',
  lt: '<',
  midast: '*',
  nbsp: ' ',
  newline: '\n',
  num: '#',
  percnt: '%',
  period: '.',
  plus: '+',
  quest: '?',
  quot: '"',
  rbrace: '}',
  rbrack: ']',
  rcub: '}',
  rpar: ')',
  rsqb: ']',
  semi: ';',
  sol: '/',
  tab: '\t',
  verbar: '|',
  vert: '|',
}

const LONGEST_NAME = 7
const MAX_DIGITS = 12

/**
 * Undoes HTML character references once, with or without the final semicolon, as browsers do. Linear, never
 * throws.
 */
export function decodeEntities(text: string): string {
  return undoEscapes(text, references)
}

class ReferenceReader implements EscapeReader {
  readonly sign = '&'
  end = 0

  read(text: string, at: number): string | undefined {
    this.end = at + 1
    return charCodeAt.call(text, at + 1) === 35 ? this.#numeric(text, at + 2) : this.#named(text, at + 1)
  }

  #numeric(text: string, start: number): string | undefined {
    const hexadecimal = (charCodeAt.call(text, start) | 32) === 120
    let at = hexadecimal ? start + 1 : start
    const first = at
    let value = 0
    while (at - first < MAX_DIGITS) {
      const digit = hexDigit(charCodeAt.call(text, at))
      if (digit < 0 || (!hexadecimal && digit > 9)) break
      value = Math.min(0x110000, value * (hexadecimal ? 16 : 10) + digit)
      at++
    }
    if (at === first || value > 0x10ffff) return undefined
    this.end = charCodeAt.call(text, at) === 59 ? at + 1 : at
    return String.fromCodePoint(value)
  }

  #named(text: string, start: number): string | undefined {
    let at = start
    while (at - start < LONGEST_NAME && isLetter(charCodeAt.call(text, at))) at++
    const name = text.slice(start, at).toLowerCase()
    const closed = charCodeAt.call(text, at) === 59
    const character = Object.hasOwn(NAMED, name) ? NAMED[name] : undefined
    // Without the semicolon browsers only know the oldest names; `&section=` in a query must stay as it is.
    if (character === undefined || (!closed && name !== 'lt' && name !== 'gt' && name !== 'quot'))
      return undefined
    this.end = closed ? at + 1 : at
    return character
  }
}

const references = new ReferenceReader()

function isLetter(code: number): boolean {
  const lower = code | 32
  return lower >= 97 && lower <= 122
}
