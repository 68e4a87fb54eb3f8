import { Inflater } from './inflate.ts'

/** Characters of base64 in which no message is too short, and in which the codes of a block are seen. */
const SHORTEST = 64
const START = 512
/** Bytes that show how a file begins. */
const FILE_START = 384
/** Characters that rule most values out. */
const FIRST = 8
/** Bytes of a text that show how it begins. */
const BEGINNING = 8

/**
 * Whether base64 stands for XML in raw DEFLATE (RFC 1951), as SAML sends messages in a query (SAML 2.0
 * Bindings, section 3.4.4.1). Raw DEFLATE has no header that would say so: what it comes to must begin like
 * XML.
 */
export function isDeflatedXml(coded: string): boolean {
  if (coded.length < SHORTEST || !mayBeDeflated(Buffer.from(coded.slice(0, FIRST), 'base64'))) return false
  return beginsDeflatedXml(Buffer.from(coded.slice(0, START), 'base64'))
}

/** Whether bytes are XML in raw DEFLATE. */
export function areDeflatedXml(bytes: Uint8Array): boolean {
  return mayBeDeflated(bytes) && !beginsAsAscii(bytes) && beginsDeflatedXml(bytes.subarray(0, FILE_START))
}

/** Whether the first bytes are ASCII, as those of most bodies are, and those of nothing packed. */
function beginsAsAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < ASCII; at++) {
    const byte = bytes[at] ?? 0
    if (byte < 9 || byte > 126) return false
  }
  return true
}

const ASCII = 24

function beginsDeflatedXml(bytes: Uint8Array): boolean {
  const inflater = new Inflater(bytes, 0, BEGINNING)
  return inflater.run() !== 'broken' && beginsLikeXml(inflater.bytes)
}

/**
 * How the fixed codes begin a block, a last one or another, with what XML begins with: `<`, space of any
 * kind, a mark of byte order.
 */
const FIXED: ReadonlySet<number> = new Set([0xb2, 0xb3, 0x52, 0x53, 0xe2, 0xe3, 0x7a, 0x7b])
/** Most codes of lengths beyond 257, and of distances beyond 1 (RFC 1951 section 3.2.7). */
const MOST_CODES = 29

/** Whether bytes may begin XML in raw DEFLATE, by their first block. */
function mayBeDeflated(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0
  const second = bytes[1] ?? 0
  switch ((first >> 1) & 3) {
    case 0:
      // A length, and the same with all bits turned.
      return (second ^ (bytes[3] ?? 0)) === 0xff && ((bytes[2] ?? 0) ^ (bytes[4] ?? 0)) === 0xff
    case 1:
      return FIXED.has(first)
    case 2:
      return first >> 3 <= MOST_CODES && (second & 31) <= MOST_CODES
    default:
      return false
  }
}

const LESS = 0x3c
/** `%3C`: draw.io encodes a diagram for a URL before it packs it. */
const ENCODED_LESS = [0x25, 0x33, 0x43]
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

function beginsLikeXml(bytes: Uint8Array): boolean {
  let at = BYTE_ORDER_MARK.every((mark, i) => bytes[i] === mark) ? BYTE_ORDER_MARK.length : 0
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++
  return bytes[at] === LESS || ENCODED_LESS.every((byte, i) => bytes[at + i] === byte)
}
