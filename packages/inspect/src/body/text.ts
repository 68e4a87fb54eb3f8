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

/** As `decodeBytes`, in the charset a content type names where that changes what ASCII means. */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  const charset = /charset\s{0,4}=\s{0,4}"?([\w-]{1,24})/i.exec(contentType)?.[1]?.toLowerCase()
  if (charset === 'utf-16' || charset === 'utf-16le' || charset === 'utf-16be')
    return new TextDecoder(charset).decode(bytes)
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  return decodeBytes(bytes)
}

/** Bytes that are looked at, at the start, in the middle and at the end each. */
const SAMPLE = 512
/** Control characters in this many bytes make them no text. */
const RARE = 50

/**
 * Whether bytes are no text. Text in UTF-16 says so with a mark or in its charset; in every other encoding
 * control characters are rare. Looked at in three places, so that a text
 * with some bytes before it stays a text.
 */
export function isBinary(bytes: Uint8Array, contentType: string): boolean {
  if (isWide(bytes, contentType)) return false
  if (bytes.length <= SAMPLE * 3) return !isMostlyText(bytes, 0, bytes.length)
  const middle = (bytes.length - SAMPLE) >> 1
  let texts = 0
  for (const start of [0, middle, bytes.length - SAMPLE])
    if (isMostlyText(bytes, start, start + SAMPLE)) texts++
  return texts < 2
}

function isWide(bytes: Uint8Array, contentType: string): boolean {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return true
  return contentType.length > 16 && /charset\s{0,4}=\s{0,4}"?utf-?(?:16|32)/i.test(contentType)
}

function isMostlyText(bytes: Uint8Array, start: number, end: number): boolean {
  let controls = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number
    if (byte < 32 && byte !== 10 && byte !== 13 && byte !== 9) controls++
  }
  return controls * RARE <= end - start
}
