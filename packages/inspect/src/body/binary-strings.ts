import { at, type ValueVisitor } from '../value/value-visitor.ts'

/** What is long enough in a message to be a text. */
const STRINGS = /[\t\n\r\u0020-\u007e]{8,2048}/g
/** Chance makes shorter ones: in two kilobytes of noise there is one of eight characters. */
const CERTAIN = 16

/** The strings of a message of a binary protocol (protobuf, MessagePack, CBOR, BSON, Thrift, AMF, Avro). */
export function visitStrings(bytes: Buffer, visitor: ValueVisitor): void {
  for (const { 0: text, index } of bytes.toString('latin1').matchAll(STRINGS)) {
    if (text.length < CERTAIN && !isCounted(bytes, index, text.length)) continue
    if (!visitor.value(text, 'body', at('body'))) return
  }
}

/**
 * Whether the length of a run stands before it, as these protocols write it: as such; in the low bits of a
 * marker; doubled (Avro, AMF 3); or in four bytes, with the zero at its end counted (BSON). A length, or the
 * marker of CBOR or Smile, may look like a character of the run itself, behind others that do.
 */
function isCounted(bytes: Buffer, start: number, length: number): boolean {
  const before = bytes[start - 1]
  if (before !== undefined && isLengthBefore(before, length)) return true
  if (before === 0 && bytes[start - 4] === length + 1) return true
  for (let at = 0; at < length; at++) {
    const code = bytes[start + at] as number
    const rest = length - at - 1
    if (code === rest || code === (0x60 | rest) || code === (0x40 | (rest - 1))) return true
    if (code >= 32) return false
  }
  return false
}

function isLengthBefore(byte: number, length: number): boolean {
  return byte === length || byte === (0xa0 | length) || byte >> 1 === length
}
