import { isUtf8 } from 'node:buffer'

/** Bytes of a message rather than of a file: what is text in it is read, whatever stands around that. */
export const SMALL = 12_288
/** A run of characters that chance nearly never makes among other bytes. */
export const CERTAIN = 16
/** A run that counts where three quarters of the bytes lie in such. */
const SHORT = 4
/** Between two runs, a line that neither has, so that they are not two lines of a log or of a head. */
const BETWEEN = '\n\u00b7\n'
const RUNS = /[\t\n\r\u0020-\u007e]{4,}/g
/** Bytes that are white space to a database, a page or a framework that takes them for a text. */
const SPACES = /[\u000b\u000c\u0085\u00a0]/g
/** Bytes of zero that a text may have: at its end, and between a name and a password (RFC 4616). */
const MAX_NULLS = 2
/** Of so many bytes of a file that is text, one may be a control character. */
const RARE = 64
/** Control characters, but for tabs and line ends. */
const CONTROLS = /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/** Bytes that are read one by one: whether they are a text, or hold one. */
export class TextRuns {
  /** Whether all so far are UTF-8 (RFC 3629 section 3) without control characters. */
  isText = true
  /** Bytes that the character at hand still has. */
  #rest = 0
  #nulls = 0
  /** Characters of ASCII in a row. */
  #run = 0
  /** How many more bytes may lie in no run. */
  #spare = 0

  /** @param most as many bytes will be read */
  begin(most: number): void {
    this.isText = true
    this.#rest = 0
    this.#nulls = 0
    this.#run = 0
    this.#spare = most >> 2
  }

  /** @returns whether a run is too long for chance */
  read(byte: number): boolean {
    if (isPlainByte(byte)) {
      if (this.#rest > 0) this.isText = false
      return ++this.#run >= CERTAIN
    }
    if (this.isText) this.#readOther(byte)
    this.#spare -= this.#run < SHORT ? this.#run + 1 : 1
    this.#run = 0
    return false
  }

  #readOther(byte: number): void {
    if (byte === 0) this.isText = ++this.#nulls <= MAX_NULLS && this.#rest === 0
    else if ((byte & 0xc0) === 0x80) this.isText = this.#rest-- > 0
    else {
      this.isText = this.#rest === 0 && byte >= 0xc2 && byte <= 0xf4
      this.#rest = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    }
  }

  /** Too many bytes lie in no run, and none is under way. */
  get isLost(): boolean {
    return this.#spare < 0 && this.#run === 0
  }

  /** Ends the last run. @returns whether three quarters of the bytes lie in runs */
  areMost(): boolean {
    return this.#spare >= (this.#run < SHORT ? this.#run : 0)
  }
}

/**
 * The text that bytes are, or what of a few bytes is text: long runs of it, or short ones where there is
 * little else. A lenient decoder, and a program that reads what it decoded as a string, take it for that.
 * @returns undefined where there is none
 */
export function textIn(bytes: Buffer): string | undefined {
  if (isPlain(bytes)) return bytes.toString('latin1')
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8')
    if (!CONTROLS.test(text) && text.split('\u0000', MAX_NULLS + 2).length <= MAX_NULLS + 1) return text
  }
  if (bytes.length > SMALL) return areText(bytes) ? bytes.toString('latin1') : undefined
  const found = bytes.toString('latin1').replace(SPACES, ' ').match(RUNS) ?? []
  const areMost = found.reduce((sum, { length }) => sum + length, 0) * 4 >= bytes.length * 3
  const strings = areMost ? found : found.filter(({ length }) => length >= CERTAIN)
  return strings.length === 0 ? undefined : strings.join(BETWEEN)
}

/**
 * Whether bytes are a text in any encoding of single bytes, or one with some stray bytes: in other files,
 * more than a tenth are control characters.
 */
export function areText(bytes: Uint8Array): boolean {
  return new ControlBytes(bytes.length).read(bytes, 0, bytes.length)
}

/** Counts control characters among bytes that are read one part after the other. */
export class ControlBytes {
  /** How many more there may be in a text. */
  #spare: number
  #nulls = 0
  #others = 0

  /** @param length of all parts together */
  constructor(length: number) {
    this.#spare = 1 + Math.floor(length / RARE)
  }

  /** Whether there are no more than UTF-8 has. */
  get areFew(): boolean {
    return this.#others === 0 && this.#nulls <= MAX_NULLS
  }

  /** @returns false where there are too many for a text */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number
      if ((byte >= 32 && byte !== 127) || isPlainByte(byte)) continue
      if (byte === 0) this.#nulls++
      else this.#others++
      if (--this.#spare < 0) return false
    }
    return true
  }
}

/** Whether a byte is a character of ASCII that a text has. */
export function isPlainByte(byte: number): boolean {
  return byte < 127 && (byte >= 32 || byte === 9 || byte === 10 || byte === 13)
}

function isPlain(bytes: Uint8Array): boolean {
  let nulls = 0
  // An index, as an iterator takes ten times as long over a megabyte.
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number
    if (byte === 0 && ++nulls <= MAX_NULLS) continue
    if (!isPlainByte(byte)) return false
  }
  return true
}
