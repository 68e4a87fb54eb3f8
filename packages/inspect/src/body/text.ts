import { charsetOf, decodeCharset } from './charset.ts'

const utf8 = new TextDecoder('utf-8')

/**
 * Bytes as text: UTF-8, or Latin-1 when they are not valid UTF-8, so that no byte is lost to a replacement
 * character.
 */
export function decodeBytes(bytes: Uint8Array): string {
  const text = utf8.decode(bytes)
  return text.includes('\ufffd')
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    : text
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
