import { CharacterCodes } from './character-codes.ts'
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

/** Kinds of what words are made of, as bits: a digit, a small letter or `_`, a capital; 0 anything else. */
const DIGIT = 2
const SMALL = 4
/** Two places to the right of the bit by which small letters differ from capitals. */
const CAPITAL = 8
const KIND = new Uint8Array(128)
for (let code = 48; code < 58; code++) KIND[code] = DIGIT
for (let code = 97; code < 123; code++) KIND[code] = SMALL
KIND[95] = SMALL
for (let code = 65; code < 91; code++) KIND[code] = CAPITAL

/**
 * What a text holds besides, by code: letters whatever their case, digits, and the signs that open no rule.
 * Bits 1 to 26 are the letters, so that a scan only shifts by the code; digits set those of some letters too.
 * The rest share what is left.
 */
export const HOLDS: Int32Array = new Int32Array(128)
for (let code = 65; code <= 90; code++) HOLDS[code] = HOLDS[code + 32] = 1 << code
const HELD_DIGIT = 1 << 27
for (let code = 48; code <= 57; code++) HOLDS[code] = HELD_DIGIT
for (const [signs, bit] of [
  ['.', 0],
  [')]}', 28],
  [',?', 29],
  ['-', 30],
  ['_~^\u007f', 31],
] as const)
  for (const sign of signs) HOLDS[charCodeAt.call(sign, 0)] = 1 << bit
/** A letter beyond ASCII may be that of ASCII in lower case (U+212A). */
const HELD_WIDE = HOLDS[107] as number

/** The bit of one of the `CHAR`s that this character has whatever stands beside it; 0: none. */
export function charBit(code: number): number {
  return code < 128 ? (BIT[code] as number) : CHAR.wide
}

const PAIRS = new Int32Array(128)
PAIRS[46] = CHAR.dots
PAIRS[45] = CHAR.dashes

/** What one pass over a text saw. Written by `scanFeatures`, so that a scan allocates nothing. */
export interface Features {
  chars: number
  words: number
  /** As bits of `HOLDS`. */
  holds: number
}

/** Shared by the synchronous callers of `scanFeatures`: read it before the next scan. */
export const seen: Features = { chars: 0, words: 0, holds: 0 }

const BASE64_RUN = 11
/** `0x2e0x2e0x2f` */
const HEX_PATH = 12

/** So many of one character in a row are padding. */
const RUN = 64

/** Whether there is such a run in a word. */
function hasRun(codes: Uint16Array, from: number, end: number): boolean {
  let repeats = 1
  for (let at = from + 1; at < end && repeats < RUN; at++)
    repeats = codes[at] === codes[at - 1] ? repeats + 1 : 1
  return repeats >= RUN
}

/** The gates that a long word opens by how it begins. */
function longWord(codes: Uint16Array, from: number): number {
  const first = codes[from] as number
  if (first === HEX_STEPS[0] && startsWith(codes, from, HEX_STEPS)) return WORD.hexPath
  const objects = HEX_OBJECTS[first | 32]
  if (objects === undefined) return 0
  for (let i = 0; i < objects.length; i++)
    if (startsWith(codes, from, objects[i] as Uint8Array)) return WORD.java
  return 0
}

function startsWith(codes: Uint16Array, from: number, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) {
    const code = codes[from + i] as number
    if ((code >= 65 && code <= 90 ? code | 32 : code) !== start[i]) return false
  }
  return true
}

/** Serialised objects of Java, .NET, Ruby, Python and PHP, bare and packed, in hexadecimal. */
const HEX_OBJECTS: (Uint8Array[] | undefined)[] = []
for (const start of [
  ...['aced0005', '00010000', 'ff0132', '04086f', '040863', '04085b', '04087b', '040855'],
  ...['8002', '8003', '8004', '8005', '1f8b08', '7801', '785e', '789c', '78da', '4f3a', '613a', '433a'],
  // Names of modules of Python, alone, in a list and in a table.
  ...['63706f73', '636e740a', '636f730a', '635f5f62', '63627569', '63737562', '63636f6d', '637379730a'],
  ...['286c7030', '28647030', '2856', '2863', '5d7100', '7d7100', '5d94', '7d94'],
]) {
  const object = Uint8Array.from(start, character => charCodeAt.call(character, 0))
  const first = (object[0] as number) | 32
  HEX_OBJECTS[first] = [...(HEX_OBJECTS[first] ?? []), object]
}
const HEX_STEPS = Uint8Array.from('0x2e0x2e0x', character => charCodeAt.call(character, 0))

const shared = new CharacterCodes()

/**
 * One pass over `text[start, end)`: which characters and which known words occur. Fills `seen`. About two
 * nanoseconds a character;
 * everything that inspection does later is gated by it.
 */
export function scanFeatures(text: string, start: number, end: number): void {
  scanCodes(shared.copy(text, start, end), 0, end - start)
}

/** As `scanFeatures`, over code units that were copied already. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: one pass over every character of every value; calls cost more than the work.
export function scanCodes(codes: Uint16Array, start: number, end: number): void {
  let chars = 0
  let words = 0
  let holds = 0
  let previous = 0
  let repeats = 0
  let at = start
  while (at < end) {
    let code = codes[at] as number
    let kind = code < 128 ? (KIND[code] as number) : 0
    if (kind !== 0) {
      const from = at
      let hash = HASH_SEED
      let kinds = 0
      do {
        kinds |= kind
        holds |= 1 << code
        hash = Math.imul(hash ^ (code | ((kind & CAPITAL) << 2)), 0x01000193)
        previous = code
        if (++at === end) break
        code = codes[at] as number
        kind = code < 128 ? (KIND[code] as number) : 0
      } while (kind !== 0)
      if ((kinds & DIGIT) !== 0) holds |= HELD_DIGIT
      const length = at - from
      if (length >= 2) {
        words |= gatesOf(hash)
        if (
          length >= 5 &&
          ((codes[from] as number) | 32) === 111 &&
          ((codes[from + 1] as number) | 32) === 110
        ) {
          words |= WORD.handler
        }
        if (length >= HEX_PATH) words |= longWord(codes, from)
        if (length >= BASE64_RUN && (kinds & (SMALL | CAPITAL)) === (SMALL | CAPITAL)) chars |= CHAR.base64
        if (length >= RUN && hasRun(codes, from, at)) chars |= CHAR.run
      }
      repeats = 0
      continue
    }
    if (code < 128) {
      chars |= BIT[code] as number
      holds |= HOLDS[code] as number
      if (code === previous) {
        chars |= PAIRS[code] as number
        if (code === 32) words |= WORD.spaced
        if (++repeats === RUN - 1) chars |= CHAR.run
      } else {
        repeats = 0
        if (code === 42 && previous === 47) chars |= CHAR.comment
        else if (code === 47 && previous === 58) chars |= CHAR.scheme
        else if (code === 9 || (code === 32 ? previous === 40 : code === 46 && previous === 32))
          words |= WORD.spaced
      }
    } else {
      chars |= CHAR.wide
      holds |= HELD_WIDE
    }
    previous = code
    at++
  }
  if (end > start && ((codes[start] as number) <= 32 || (codes[end - 1] as number) <= 32))
    words |= WORD.spaced
  seen.chars = chars
  seen.words = words
  seen.holds = holds
}
