import { constants, gunzipSync, inflateSync } from 'node:zlib'
import { gunzipShort, inflateShort } from './gunzip-short.ts'
import { SMALL, TextRuns, textIn } from './text-runs.ts'

// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype

/** Shorter texts say too little to attack with, and chance makes too many of them. */
const SHORTEST = 10
const LONGEST = 4_194_304
/** So long is the base64 of a message rather than of a file. */
const SMALL_CODED = Math.ceil(SMALL / 3) * 4
const INDENTED = /^\s|\s$|[\r\n]/
const WHOLE = /^[A-Za-z0-9+/_-]+={0,2}$/
/** What a lenient decoder reads of a value that goes on behind its base64. */
const LEADING = /^([A-Za-z0-9+/_-]{20,65536}={0,2})(?=\s)/
const MARKED = /;\s?base64\s?,|^,(?=[A-Za-z0-9+/]{20})/i

/**
 * The text behind a base64 or base64url value (RFC 4648, padding optional), or behind the `base64,` of a
 * data URL; undefined when it is not
 * base64 or decodes to something that is not text. An identifier that happens to use the alphabet nearly
 * always decodes to control characters.
 */
export function decodeBase64(value: string): string | undefined {
  // Documents indent what they hold, and break its lines.
  const text = INDENTED.test(value) ? value.trim().replace(/[\r\n][ \t\r\n]*/g, '') : value
  // A form turned the alphabet's `+` into a space.
  let coded = text.includes(' ') ? text.replaceAll(' ', '+') : text
  const marked = MARKED.exec(text)
  if (marked !== null) {
    coded = /^[A-Za-z0-9+/_-]{0,4194304}/.exec(text.slice(marked.index + marked[0].length))?.[0] ?? ''
  }
  if (coded.length < SHORTEST || coded.length > LONGEST) return undefined
  if (marked === null && !WHOLE.test(coded)) {
    const leading = LEADING.exec(value.trimStart())?.[1]
    return leading !== undefined && isBase64Value(leading) ? decodeBase64(leading) : undefined
  }
  return behindBase64(coded)
}

/** As `decodeBase64`, for what `isBase64Value` calls such a value. */
export function decodeBase64Value(value: string): string | undefined {
  return value.length > LONGEST ? undefined : behindBase64(value)
}

function behindBase64(coded: string): string | undefined {
  if (coded.startsWith('H4sI')) return insidePacked(coded, 'gzip')
  // Zlib says of its window and level what it was made with; text begins with `e` and a sign as well.
  if (ZLIB.test(coded)) return insidePacked(coded, 'zlib') ?? insideText(coded)
  return insideText(coded)
}

/** The first two bytes of zlib: a window of 32 KB, and one of four levels. */
const ZLIB = /^e(?:A[E-H]|F[4-7]|J[w-z]|N[o-r])/

function insideText(coded: string): string | undefined {
  if (!holdsText(coded)) return undefined
  const bytes = Buffer.from(coded, 'base64')
  if (bytes.length < (coded.length * 3) / 4 - 4) return undefined
  return textIn(bytes)
}

/** How much of a compressed value is unpacked: what it is shows at its start. */
const COMPRESSED = 16_384
const UNPACKED = 65_536

/** The text or the serialised object behind gzip or zlib; undefined when there is something else. */
function insidePacked(coded: string, format: 'gzip' | 'zlib'): string | undefined {
  const packed = Buffer.from(coded.slice(0, COMPRESSED), 'base64')
  const short = format === 'gzip' ? gunzipShort : inflateShort
  const bytes = coded.length <= SHORT_PACKED ? short(packed, UNPACKED) : unpacked(packed, format)
  if (bytes === undefined || bytes.length === 0) return undefined
  if (bytes[0] === 0xac && bytes[1] === 0xed && bytes[2] === 0 && bytes[3] === 5)
    return '\u00ac\u00ed\u0000\u0005'
  return textIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

/** Of longer values a body holds few. */
const SHORT_PACKED = 512

/** What comes to more is read as far as it may go: what stands behind an attack must not hide it. */
function unpacked(packed: Buffer, format: 'gzip' | 'zlib'): Uint8Array | undefined {
  const options = { maxOutputLength: UNPACKED, finishFlush: constants.Z_SYNC_FLUSH }
  try {
    return format === 'gzip' ? gunzipSync(packed, options) : inflateSync(packed, options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') return undefined
    return format === 'gzip' ? gunzipShort(packed, UNPACKED) : inflateShort(packed, UNPACKED)
  }
}

/**
 * Whether a value is base64 rather than a word, a path or a query in its alphabet: long, of all kinds of
 * characters, well mixed. Such a value is judged by what
 * it decodes to and never read as text.
 */
export function isBase64Value(text: string): boolean {
  if (text.length < 16 || !WHOLE.test(text)) return false
  const head = text.slice(0, 256)
  let upper = 0
  let digits = 0
  let lower = 0
  for (let i = 0; i < head.length; i++) {
    const code = charCodeAt.call(head, i)
    if (code >= 65 && code <= 90) upper++
    else if (code >= 97 && code <= 122) lower++
    else if (code >= 48 && code <= 57) digits++
  }
  const tenth = head.length / 16
  return (
    upper >= tenth &&
    lower >= tenth &&
    upper + digits >= head.length / 4 &&
    (digits >= 1 || text.length >= 24)
  )
}

/** Characters at the start that tell most files from a long text. */
const START = 12
const SIX_BITS = new Int8Array(128).fill(-1)
for (const [value, letter] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
].entries())
  SIX_BITS[charCodeAt.call(letter, 0)] = value
SIX_BITS[charCodeAt.call('-', 0)] = 62
SIX_BITS[charCodeAt.call('_', 0)] = 63

const runs = new TextRuns()

/**
 * Whether the characters of a value stand for bytes that hold a text. By hand, as most values are
 * identifiers, and a buffer for their few bytes takes longer.
 */
function holdsText(coded: string): boolean {
  const isSmall = coded.length <= SMALL_CODED
  const most = isSmall ? coded.length : START
  runs.begin()
  let bits = 0
  let count = 0
  for (let at = 0; at < most; at++) {
    const value = SIX_BITS[charCodeAt.call(coded, at) & 127] as number
    if (value < 0) break
    bits = ((bits << 6) | value) & 0x3fff
    count += 6
    if (count < 8) continue
    count -= 8
    runs.read((bits >> count) & 255)
    if (runs.isCertain) return true
  }
  return isSmall ? runs.areMost() : runs.areAll
}
