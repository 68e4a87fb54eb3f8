import { CharacterCodes } from '../value/character-codes.ts'
import type { Steps } from '../value/steps.ts'
import { type CodedText, textOfCoded } from './coded-text.ts'
import { isDeflatedXml } from './deflated-xml.ts'
import type { Pausing } from './in-parts.ts'
import { DEFLATE, GZIP, insidePacked, MOST_PACKED, type Room, roomForOne, ZLIB } from './packed-text.ts'
import { areText, CERTAIN, isPlainByte, SMALL, TextRuns, textIn } from './text-runs.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** Shorter texts say too little to attack with, and chance makes too many of them. */
const SHORTEST = 10
const LONGEST = 4_194_304
/** So long is the base64 of a message rather than of a file. */
export const LONGEST_MESSAGE: number = Math.ceil(SMALL / 3) * 4
const WHOLE = /^[A-Za-z0-9+/_-]+={0,2}$/
/** What a lenient decoder reads of a long value that goes on behind its base64. */
const LEADING = /^([A-Za-z0-9+/_-]{20,65536}={0,2})(?=\s)/
const MARKED = /;\s?base64\s?,|^,(?=[A-Za-z0-9+/]{20})/i
/** What is in one of the two alphabets only (RFC 4648 section 5). */
const OF_URLS = /[_-]/
/** A part of a value that can be base64 by itself: behind `v1.`, before a signature. */
const LAST = /^[A-Za-z0-9+_-]{10,2048}={1,2}$/
const SHORTEST_PART = 20
/** Longer values are documents, in which people write words. */
export const LONGEST_LOOSE = 16_384
/** As many as such a value can hold, with a sign between two: however many are sent, each is decoded. */
const MAX_PARTS = Math.ceil(LONGEST_LOOSE / (SHORTEST_PART + 1))
/** Of so many characters one may be of no alphabet: words have more spaces and signs between them. */
const SPARSE = 8
const INDENTED = /^\s|\s$|[\r\n]/

/** A JSON document: whoever reads on behind its end gets none. */
const DOCUMENT = /^[[{][^\n]*[\]}]$/
/** A name of one choice among some: `PUBLIC_READ`. Out of capitals alone, base64 makes no text that acts. */
const CONSTANT = /^[A-Z]{2,24}(?:_[A-Z]{2,24}){1,4}$/

/**
 * The text behind a base64 or base64url value (RFC 4648, padding optional), or behind the `base64,` of a
 * data URL; undefined when it is not
 * base64 or decodes to something that is not text. An identifier that happens to use the alphabet nearly
 * always decodes to control characters.
 *
 * Most decoders pass over what is not of their alphabet (PHP, Python, Node.js, Ruby, MIME), and programs
 * take a value apart before they decode it: whatever one of them would get is in the text, on lines of its
 * own.
 * @param isOfFile whether it is a part of a value so long that its bytes are a file rather than a message
 */
export function decodeBase64(value: string, isOfFile = false): string | undefined {
  if (isOfFile || value.length > LONGEST_REPEATED) return decode(value, isOfFile)
  return repeated.decode(value)
}

function decode(value: string, isOfFile = false): string | undefined {
  if (value.length <= 64 && CONSTANT.test(value)) return undefined
  const unpadded = withoutEncodedPadding(value)
  if (unpadded !== value) {
    const document = decodeAsIs(unpadded, isOfFile)
    if (document !== undefined && DOCUMENT.test(document)) return document
  }
  return decodeAsIs(value, isOfFile)
}

function decodeAsIs(value: string, isOfFile: boolean): string | undefined {
  const found: string[] = []
  const room: Room = roomForOne()
  takeBehindMark(found, value, room)
  if (found.length > 0 && value.length > LONGEST_LOOSE) return found[0]
  shape.read(value)
  // A form turned the alphabet's `+` into a space, and documents indent what they hold and break its lines.
  const coded = shape.hasSigns ? undefined : unspaced(value, shape.spaces, shape.breaks)
  if (value.length > LONGEST_LOOSE)
    return coded === undefined ? leadingText(value, room) : behindBase64(coded, room)
  takeLast(found, value, room)
  const isWhole = coded !== undefined && WHOLE.test(coded)
  if (isWhole && isOfFile && !isFileText(coded)) return found[0]
  if (!isWhole || !take(found, coded, BOTH, room)) takeLoosely(found, value, room)
  return found.length === 0 ? undefined : found.join('\n')
}

/** Longer values are decoded each time they are asked for. */
const LONGEST_REPEATED = 4_096

/** The last value and what it was decoded to: who clears values asks first, and whoever looks at it again. */
class Repeated {
  #value = ''
  #decoded: string | undefined

  decode(value: string): string | undefined {
    if (this.#value === value) return this.#decoded
    this.#decoded = decode(value)
    this.#value = value
    return this.#decoded
  }
}

/** Less padding that is encoded for a URL, which has characters of the alphabet in it. */
function withoutEncodedPadding(value: string): string {
  let end = value.length
  while (
    end > 2 &&
    value.length - end < 6 &&
    value[end - 3] === '%' &&
    /^3d$/i.test(value.slice(end - 2, end))
  )
    end -= 3
  return end === value.length ? value : value.slice(0, end)
}

/** Adds what stands behind the last slash, a sign of the alphabet too, where padding says what it is. */
function takeLast(found: string[], value: string, room: Room): void {
  if (value.length > LONGEST_LOOSE || !value.endsWith('=')) return
  const slash = value.lastIndexOf('/')
  const part = slash < 0 ? '' : value.slice(slash + 1)
  if (part.length % 4 === 0 && LAST.test(part)) take(found, part, BOTH, room)
}

/** Adds what decoders get that pass over signs, and programs that take a value apart. */
function takeLoosely(found: string[], value: string, room: Room): void {
  const { foreign, isOfUrls, isSparse, parts } = shape
  if (isSparse && foreign > 0) take(found, value, BOTH, room)
  if (isSparse && isOfUrls) take(found, value, STANDARD, room)
  if (foreign === 0) return
  // One part is not compared with each other one: of a text that is repeated in another, both are kept.
  const known = new Set(found)
  const wholes = found.length
  for (let at = 0; at < parts; at++) {
    const part = value.slice(shape.starts[at], shape.ends[at])
    const text = isBase64Value(part) ? behindBase64(part, room) : undefined
    if (text === undefined || known.has(text)) continue
    known.add(text)
    if (!isInFirst(found, wholes, text)) found.push(text)
  }
}

function isInFirst(found: readonly string[], count: number, text: string): boolean {
  for (let i = 0; i < count; i++) if (found[i]?.includes(text) === true) return true
  return false
}

/** As `decodeBase64`, for what `isBase64Value` calls such a value. */
export function decodeBase64Value(value: string): string | undefined {
  const found: string[] = []
  const room: Room = roomForOne()
  takeLast(found, value, room)
  if (found.length === 0 && (value.length > LONGEST_LOOSE || !OF_URLS.test(value)))
    return behindBase64(value, room)
  if (!take(found, value, BOTH, room)) take(found, value, STANDARD, room)
  return found.length === 0 ? undefined : found.join('\n')
}

/**
 * As `decodeBase64Value`, for the base64 of a file, in steps.
 * @param value longer than `LONGEST_LOOSE`
 */
export function* decodeBase64File(value: string, driver: Pausing): Steps<CodedText | string | undefined> {
  if (value.length > LONGEST) return undefined
  const format = value.startsWith('H4sI') ? GZIP : ZLIB_START.test(value) ? ZLIB : undefined
  const inside = format && insidePacked(packed(value, BOTH), format, roomForOne())
  if (format === GZIP || inside !== undefined) return inside
  const text = beginsAsText(value, BOTH) ? yield* textOfCoded(value, driver) : undefined
  if (text !== undefined || format === ZLIB || !isDeflatedXml(value)) return text
  return insidePacked(packed(value, BOTH), DEFLATE, roomForOne())
}

/** What of a value is of no alphabet. */
class Shape {
  /** Characters of no alphabet, but for padding at the end. */
  foreign = 0
  /** Spaces among them ... */
  spaces = 0
  /** ... tabs and line ends ... */
  breaks = 0
  /** ... and others. */
  hasSigns = false
  /** Whether some are of the alphabet of URLs only. */
  isOfUrls = false
  /** Whether few are of no alphabet. */
  isSparse = false
  /** Runs of characters of an alphabet that can be base64 by themselves: how many, and where they stand. */
  parts = 0
  readonly starts: Int32Array = new Int32Array(MAX_PARTS)
  readonly ends: Int32Array = new Int32Array(MAX_PARTS)

  read(value: string): void {
    let end = value.length
    while (end > 0 && charCodeAt.call(value, end - 1) === EQUALS) end--
    let foreign = 0
    let spaces = 0
    let breaks = 0
    let start = 0
    this.parts = 0
    for (let at = 0; at < end; at++) {
      const code = charCodeAt.call(value, at)
      if (code < 128 && (BOTH[code] as number) >= 0) continue
      if (at - start >= SHORTEST_PART) this.#part(start, at)
      start = at + 1
      foreign++
      if (code === 32) spaces++
      else if (code >= 9 && code <= 13) breaks++
    }
    this.foreign = foreign
    this.spaces = spaces
    this.breaks = breaks
    this.hasSigns = foreign > spaces + breaks
    if (end - start >= SHORTEST_PART) this.#part(start, end)
    this.isOfUrls = OF_URLS.test(value)
    this.isSparse = foreign <= Math.max(2, value.length / SPARSE)
  }

  #part(start: number, end: number): void {
    if (this.parts === MAX_PARTS) return
    this.starts[this.parts] = start
    this.ends[this.parts++] = end
  }
}

const EQUALS = 61

/** Behind the `base64,` of a data URL. A decoder that passes over signs reads what stands around it too. */
function takeBehindMark(found: string[], value: string, room: Room): void {
  const marked = value.includes(';') || value.startsWith(',') ? MARKED.exec(value) : null
  if (marked === null) return
  const start = marked.index + marked[0].length
  const behind = value.slice(start, start + LONGEST)
  const unbroken = INDENTED.test(behind) ? unspaced(behind, 0, 1) : behind
  take(found, /^[A-Za-z0-9+/_-]*/.exec(unbroken)?.[0] ?? '', BOTH, room)
}

function unspaced(value: string, spaces: number, breaks: number): string {
  const unbroken = breaks === 0 ? value.trim() : value.trim().replace(/[\t-\r][ \t-\r]*/g, '')
  return spaces === 0 ? unbroken : unbroken.replaceAll(' ', '+')
}

/** Behind base64 at the start of a long text. */
function leadingText(value: string, room: Room): string | undefined {
  const leading = LEADING.exec(value.trimStart())?.[1]
  return leading !== undefined && isBase64Value(leading) ? behindBase64(leading, room) : undefined
}

/** Adds what a value decodes to, unless that is known. @returns whether all of it is text */
function take(found: string[], value: string, digits: Int8Array, room: Room): boolean {
  const text = behindBase64(value, room, digits)
  if (text === undefined) return false
  if (found.length === 0) {
    found.push(text)
    return isAll(text, value, digits)
  }
  if (!found.some(known => known.includes(text))) {
    for (let i = found.length - 1; i >= 0; i--) if (text.includes(found[i] as string)) found.splice(i, 1)
    found.push(text)
  }
  return isAll(text, value, digits)
}

/** Whether a value holds no bytes besides a text. */
function isAll(text: string, value: string, digits: Int8Array): boolean {
  return Buffer.byteLength(text) >= Math.floor((cleaned(value, digits).length * 3) / 4)
}

/** @param digits what each character stands for; those of no alphabet are passed over */
function behindBase64(value: string, room: Room, digits: Int8Array = BOTH): string | undefined {
  if (value.length < SHORTEST || value.length > LONGEST) return undefined
  if (value.startsWith('H4sI')) return insidePacked(packed(value, digits), GZIP, room)
  // Zlib says of its window and level what it was made with; text begins with `e` and a sign as well.
  if (ZLIB_START.test(value))
    return insidePacked(packed(value, digits), ZLIB, room) ?? insideText(value, digits)
  const text = insideText(value, digits)
  return text === undefined && isDeflatedXml(value)
    ? insidePacked(packed(value, digits), DEFLATE, room)
    : text
}

/** As much of a value as is unpacked: what is of no alphabet is less than half of it. */
function packed(value: string, digits: Int8Array): string {
  return cleaned(value.slice(0, MOST_PACKED * 2), digits)
}

/** The characters of an alphabet alone. */
function cleaned(value: string, digits: Int8Array): string {
  return value.replace(digits === BOTH ? /[^A-Za-z0-9+/_-]+/g : /[^A-Za-z0-9+/]+/g, '')
}

/** The first two bytes of zlib: a window of 32 KB, and one of four levels. */
const ZLIB_START = /^e(?:A[E-H]|F[4-7]|J[w-z]|N[o-r])/

function insideText(value: string, digits: Int8Array): string | undefined {
  return holdsText(value, digits) ? textIn(Buffer.from(cleaned(value, digits), 'base64')) : undefined
}

/**
 * Whether a value is base64 rather than a word, a path or a query in its alphabet: long, of all kinds of
 * characters, well mixed. Such a value is judged by what
 * it decodes to and never read as text.
 */
export function isBase64Value(text: string): boolean {
  if (text.length < 16 || !WHOLE.test(text)) return false
  // Of a long value some of all of it: programs and pictures begin with many zeros.
  const step = Math.max(1, text.length >> 8)
  const count = Math.min(text.length, 256)
  let upper = 0
  let digits = 0
  let lower = 0
  for (let i = 0; i < count; i++) {
    const code = charCodeAt.call(text, i * step)
    if (code >= 65 && code <= 90) upper++
    else if (code >= 97 && code <= 122) lower++
    else if (code >= 48 && code <= 57) digits++
  }
  const tenth = count / 16
  return upper >= tenth && lower >= tenth && upper + digits >= count / 4 && (digits >= 1 || text.length >= 24)
}

/** Characters at the start that tell most files from a long text. */
const START = 64
/** What each character stands for in either alphabet, and in the older one. */
const BOTH = new Int8Array(128).fill(-1)
for (const [value, letter] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
].entries())
  BOTH[charCodeAt.call(letter, 0)] = value
const STANDARD = BOTH.slice()
BOTH[charCodeAt.call('-', 0)] = 62
BOTH[charCodeAt.call('_', 0)] = 63
const shape = new Shape()
const repeated = new Repeated()
const runs = new TextRuns()

/** What the characters of a value stand for, six bits each: those of no alphabet are passed over. */
class Sextets {
  /** How many whole bytes there are. */
  bytes = 0
  readonly #sextets: Uint8Array = new Uint8Array(LONGEST_MESSAGE)

  /** @param end of what is read of a value: no more than `LONGEST_MESSAGE` */
  read(value: string, end: number, digits: Int8Array): void {
    const codes = copied.copy(value, 0, end)
    const sextets = this.#sextets
    let count = 0
    for (let at = 0; at < end; at++) {
      const code = codes[at] as number
      const digit = code < 128 ? (digits[code] as number) : -1
      if (digit >= 0) sextets[count++] = digit
    }
    this.bytes = (count * 6) >> 3
  }

  byteAt(at: number): number {
    const bit = at * 8
    const first = (bit / 6) | 0
    const two = ((this.#sextets[first] as number) << 6) | (this.#sextets[first + 1] as number)
    return (two >> (4 - (bit - first * 6))) & 255
  }

  /** Whether there is a run of text from a byte on that is too long for chance. */
  holdsRun(from: number): boolean {
    // From where a run would end backwards: most bytes stand for nothing in a text, and no run goes over one.
    for (let last = from + CERTAIN - 1; last < this.bytes; ) {
      let at = last
      while (at > last - CERTAIN && isPlainByte(this.byteAt(at))) at--
      if (at === last - CERTAIN) return true
      last = at + CERTAIN
    }
    return false
  }
}

const copied = new CharacterCodes()
const sextets = new Sextets()

/**
 * Whether what the characters of a value stand for is or holds a text; of a value longer than a message,
 * whether it begins as one.
 * @param digits what each character stands for; those of no alphabet are passed over
 */
function holdsText(value: string, digits: Int8Array): boolean {
  return value.length <= LONGEST_MESSAGE ? isMessage(value, digits) : beginsAsText(value, digits)
}

/** Whether a part of a file is text, from its first byte to its last. */
function isFileText(coded: string): boolean {
  return beginsAsText(coded, BOTH) && areText(Buffer.from(coded, 'base64'))
}

function beginsAsText(value: string, digits: Int8Array): boolean {
  return areText(Buffer.from(cleaned(value.slice(0, START), digits), 'base64'))
}

/** By hand, as most values are identifiers, and a buffer for their few bytes takes longer. */
function isMessage(value: string, digits: Int8Array): boolean {
  const end = value.length
  sextets.read(value, end, digits)
  runs.begin((end * 3) >> 2)
  for (let at = 0; at < sextets.bytes; at++) {
    if (runs.read(sextets.byteAt(at))) return true
    if (!runs.isText && runs.isLost) return sextets.holdsRun(at + 1)
  }
  return runs.isText || runs.areMost()
}
