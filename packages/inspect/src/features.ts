import { gatesOf, HASH_SEED, WORD } from './words.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** Characters and short sequences that make it worth running a family's rules. */
export const CHAR = {
  less: 0x1,
  greater: 0x2,
  apostrophe: 0x4,
  quote: 0x8,
  backtick: 0x10,
  paren: 0x20,
  semicolon: 0x40,
  pipe: 0x80,
  ampersand: 0x100,
  dollar: 0x200,
  brace: 0x400,
  percent: 0x800,
  backslash: 0x1000,
  newline: 0x2000,
  equals: 0x4000,
  hash: 0x8000,
  /** `..` */
  dots: 0x10000,
  star: 0x20000,
  at: 0x40000,
  colon: 0x80000,
  bracket: 0x100000,
  /** C0 controls but tab and line ends, and NUL. */
  control: 0x200000,
  /** Above U+007F. */
  wide: 0x400000,
  /** `--` */
  dashes: 0x800000,
  /** `/*` */
  comment: 0x1000000,
  /** `://` */
  scheme: 0x2000000,
  plus: 0x4000000,
  /** A run long and mixed enough to be base64 of a text. */
  base64: 0x8000000,
  slash: 0x10000000,
  bang: 0x20000000,
  /** 64 or more of one character in a row. */
  run: 0x40000000,
  /** A space or tab. */
  space: -0x80000000,
} as const

const BIT = new Int32Array(128)
for (const [character, bit] of [
  ['<', CHAR.less],
  ['>', CHAR.greater],
  ["'", CHAR.apostrophe],
  ['"', CHAR.quote],
  ['`', CHAR.backtick],
  ['(', CHAR.paren],
  [';', CHAR.semicolon],
  ['|', CHAR.pipe],
  ['&', CHAR.ampersand],
  ['$', CHAR.dollar],
  ['{', CHAR.brace],
  ['%', CHAR.percent],
  ['\\', CHAR.backslash],
  ['\n', CHAR.newline],
  ['\r', CHAR.newline],
  ['=', CHAR.equals],
  ['#', CHAR.hash],
  ['*', CHAR.star],
  ['@', CHAR.at],
  [':', CHAR.colon],
  ['[', CHAR.bracket],
  ['+', CHAR.plus],
  ['/', CHAR.slash],
  ['!', CHAR.bang],
  [' ', CHAR.space],
  ['\t', CHAR.space],
] as const) {
  BIT[charCodeAt.call(character, 0)] = bit
}
for (let code = 0; code < 32; code++) if (BIT[code] === 0) BIT[code] = CHAR.control

/** 1 digit, 2 lower-case letter or `_`, 3 upper-case letter; 0 anything else. */
const KIND = new Uint8Array(128)
for (let code = 48; code < 58; code++) KIND[code] = 1
for (let code = 97; code < 123; code++) KIND[code] = 2
KIND[95] = 2
for (let code = 65; code < 91; code++) KIND[code] = 3

const PAIRS = new Int32Array(128)
PAIRS[46] = CHAR.dots
PAIRS[45] = CHAR.dashes

/** What one pass over a text saw. Written by `scanFeatures`, so that a scan allocates nothing. */
export interface Features {
  chars: number
  words: number
}

/** Shared by the synchronous callers of `scanFeatures`: read it before the next scan. */
export const seen: Features = { chars: 0, words: 0 }

const BASE64_RUN = 11
/** `0x2e0x2e0x2f` */
const HEX_PATH = 12

function isHexPath(text: string, from: number): boolean {
  return charCodeAt.call(text, from + 1) === 120 && text.startsWith('0x2e0x2e0x', from)
}

/**
 * One pass over `text[start, end)`: which characters and which known words occur. Fills `seen`. About a
 * nanosecond a character;
 * everything that inspection does later is gated by it.
 */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over every character of every value; calls cost more than the work.
export function scanFeatures(text: string, start: number, end: number): void {
  let chars = 0
  let words = 0
  let previous = 0
  let repeats = 0
  let at = start
  while (at < end) {
    let code = charCodeAt.call(text, at)
    let kind = code < 128 ? (KIND[code] as number) : 0
    if (kind !== 0) {
      const from = at
      let hash = HASH_SEED
      let kinds = 0
      do {
        kinds |= 1 << kind
        hash = Math.imul(hash ^ (kind === 3 ? code | 32 : code), 0x01000193)
        repeats = code === previous ? repeats + 1 : 0
        if (repeats === 63) chars |= CHAR.run
        previous = code
        if (++at === end) break
        code = charCodeAt.call(text, at)
        kind = code < 128 ? (KIND[code] as number) : 0
      } while (kind !== 0)
      const length = at - from
      if (length >= 2) {
        words |= gatesOf(hash)
        if (
          length >= 5 &&
          (charCodeAt.call(text, from) | 32) === 111 &&
          (charCodeAt.call(text, from + 1) | 32) === 110
        ) {
          words |= WORD.handler
        }
        if (length >= HEX_PATH && isHexPath(text, from)) words |= WORD.hexPath
        if (length >= BASE64_RUN && (kinds & 12) === 12) chars |= CHAR.base64
      }
      continue
    }
    if (code < 128) {
      chars |= BIT[code] as number
      if (code === previous) {
        chars |= PAIRS[code] as number
        if (++repeats === 63) chars |= CHAR.run
      } else {
        repeats = 0
        if (code === 42 && previous === 47) chars |= CHAR.comment
        else if (code === 47 && previous === 58) chars |= CHAR.scheme
      }
    } else chars |= CHAR.wide
    previous = code
    at++
  }
  seen.chars = chars
  seen.words = words
}
