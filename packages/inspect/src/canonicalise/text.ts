import { isUtf8 } from 'node:buffer'
import type { Steps } from '../value/steps.ts'
import { charsetOf, decodeCharset } from './charset.ts'
import type { Pausing } from './in-parts.ts'

const utf8 = new TextDecoder('utf-8')
/** For what is not the start of a text: a mark is a character there. */
const within = new TextDecoder('utf-8', { ignoreBOM: true })
/** Of so many bytes a look at all of them costs less than decoding them twice. */
const LONG = 1_024

/**
 * Bytes as text: UTF-8, and what is not valid UTF-8 byte by byte as Latin-1. One such byte must not change
 * how the rest is read: most programs put a replacement character there and go on.
 */
export function decodeBytes(bytes: Uint8Array): string {
  if (bytes.length > LONG) return utf8.decode(isUtf8(bytes) ? bytes : withoutInvalid(bytes))
  const text = utf8.decode(bytes)
  return text.includes('\ufffd') && !isUtf8(bytes) ? utf8.decode(withoutInvalid(bytes)) : text
}

/** So many bytes are decoded at a time where some are not valid. */
const PART = 131_072

/** As `decodeBytes`, of however many bytes: those that are not valid take their time. */
export function* decodeLongBytes(bytes: Uint8Array, driver: Pausing): Steps<string> {
  if (bytes.length <= PART || isUtf8(bytes)) return decodeBytes(bytes)
  let text = ''
  for (let start = 0; start < bytes.length; ) {
    const end = partEnd(bytes, start + PART)
    const part = withoutInvalid(bytes.subarray(start, end))
    text += (start === 0 ? utf8 : within).decode(part)
    driver.work((end - start) >> 3)
    start = end
    if (driver.isPaused) yield
  }
  return text
}

/** The last place up to `end` that lies in no sequence. */
function partEnd(bytes: Uint8Array, end: number): number {
  if (end >= bytes.length) return bytes.length
  for (let at = end; at > end - LONGEST_SEQUENCE; at--) if (!isContinuation(bytes[at] as number)) return at
  return end
}

const LONGEST_SEQUENCE = 4

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}

/** Valid UTF-8, with each byte that belongs to no sequence as the character of Latin-1 that it stands for. */
function withoutInvalid(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length * 2)
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number
    if (byte < 0x80) {
      out[length++] = byte
      at++
      continue
    }
    const size = sequenceAt(bytes, at)
    if (size === 0) {
      at++
      out[length++] = 0xc0 | (byte >> 6)
      out[length++] = 0x80 | (byte & 0x3f)
    } else for (const end = at + size; at < end; ) out[length++] = bytes[at++] as number
  }
  return out.subarray(0, length)
}

/**
 * How many bytes the sequence at `at` has, whose first is not ASCII (RFC 3629 section 4: no overlong form, no
 * surrogate); 0 when none begins there.
 */
function sequenceAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number
  if (first < 0xc2 || first > 0xf4) return 0
  const size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (at + size > bytes.length) return 0
  const second = bytes[at + 1] as number
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  if (second < least || second > most) return 0
  for (let i = 2; i < size; i++) if (!isContinuation(bytes[at + i] as number)) return 0
  return size
}

/** As `decodeText`, of however many bytes. */
export function* decodeLongText(bytes: Uint8Array, contentType: string, driver: Pausing): Steps<string> {
  const charset = charsetOf(bytes, contentType)
  return charset === undefined ? yield* decodeLongBytes(bytes, driver) : decodeCharset(bytes, charset)
}

/** As `decodeBytes`, in the charset of the bytes where that changes what ASCII means. */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const charset = charsetOf(bytes, contentType)
  return charset === undefined ? decodeBytes(bytes) : decodeCharset(bytes, charset)
}

/** Bytes that are looked at, at the start, in the middle and at the end each. */
const SAMPLE = 512
/** Control characters in this many bytes make them no text ... */
const RARE = 50
/** ... and so many more where they say that they are one. */
const SPARE = 8

/**
 * Whether bytes are not text. Where ASCII stands for itself, control characters are rare in a
 * text. Looked at in three places, so that a text
 * with some bytes before it stays a text.
 */
export function isBinary(bytes: Uint8Array, contentType: string): boolean {
  if (charsetOf(bytes, contentType) !== undefined) return false
  const spare = isCalledText(bytes, contentType) ? SPARE : 0
  if (bytes.length <= SAMPLE * 3) return !isMostlyText(bytes, 0, bytes.length, spare)
  const middle = (bytes.length - SAMPLE) >> 1
  let texts = 0
  for (const start of [0, middle, bytes.length - SAMPLE])
    if (isMostlyText(bytes, start, start + SAMPLE, spare)) texts++
  return texts < 2
}

/** Whether bytes say that they are a text, or begin like a document. */
function isCalledText(bytes: Uint8Array, contentType: string): boolean {
  let at = 0
  while (at < bytes.length && (bytes[at] as number) <= 32) at++
  const first = bytes[at]
  if (first === 0x7b || first === 0x5b || first === 0x3c) return true
  return /^(?:text\/|[\w.+/-]{0,80}(?:json|xml)\b)/i.test(contentType)
}

function isMostlyText(bytes: Uint8Array, start: number, end: number, spare: number): boolean {
  let controls = -spare
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    if (byte < 32 && byte !== 10 && byte !== 13 && byte !== 9) controls++
  }
  return controls * RARE <= end - start
}
