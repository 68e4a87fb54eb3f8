import { isUtf8 } from 'node:buffer'

/** Bytes of a message rather than of a file: what is text in it is read, whatever stands around that. */
export const SMALL = 2_048
/** A run of characters that chance nearly never makes among other bytes. */
const CERTAIN = 16
/** A run that counts where nearly all of a value is made of such. */
const SHORT = 4
/** Bytes of zero that a text may have: at its end, and between a name and a password (RFC 4616). */
const MAX_NULLS = 2
/** Control characters, but for tabs and line ends. */
const CONTROLS = /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/** Runs of characters, in UTF-8, among bytes that are read one by one. */
export class TextRuns {
  #run = 0
  #covered = 0
  #total = 0
  #others = 0
  #nulls = 0
  /** Bytes that the character at hand still has (RFC 3629 section 3). */
  #rest = 0

  begin(): void {
    this.#run = 0
    this.#covered = 0
    this.#total = 0
    this.#others = 0
    this.#nulls = 0
    this.#rest = 0
  }

  /** @returns whether the byte belongs to a run */
  read(byte: number): boolean {
    this.#total++
    if (isPlainByte(byte)) this.#rest = 0
    else if (this.#rest > 0 && (byte & 0xc0) === 0x80) this.#rest--
    else if (byte >= 0xc2 && byte <= 0xf4) this.#rest = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
    else {
      this.#rest = 0
      this.#end()
      if (byte !== 0 || ++this.#nulls > MAX_NULLS) this.#others++
      return false
    }
    this.#run++
    return true
  }

  #end(): void {
    if (this.#run >= SHORT) this.#covered += this.#run
    this.#run = 0
  }

  /** The run at hand is too long for chance. */
  get isCertain(): boolean {
    return this.#run >= CERTAIN
  }

  /** Ends the last run. @returns whether three quarters of the bytes lie in runs */
  areMost(): boolean {
    this.#end()
    return this.#total > 0 && this.#covered * 4 >= this.#total * 3
  }

  /** No byte lies outside. */
  get areAll(): boolean {
    return this.#others === 0
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
  return bytes.length <= SMALL ? stringsIn(bytes) : undefined
}

function stringsIn(bytes: Buffer): string | undefined {
  const runs = new TextRuns()
  const found: string[] = []
  let start = -1
  const take = (end: number): void => {
    if (start >= 0 && end - start >= SHORT) found.push(bytes.toString('utf8', start, end))
    start = -1
  }
  for (let at = 0; at < bytes.length; at++) {
    if (!runs.read(bytes[at] as number)) take(at)
    else if (start < 0) start = at
  }
  take(bytes.length)
  const strings = runs.areMost() ? found : found.filter(({ length }) => length >= CERTAIN)
  return strings.length === 0 ? undefined : strings.join('\n')
}

function isPlainByte(byte: number): boolean {
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
