import type { Pausing } from '../canonicalise/in-parts.ts'
import { isZlib, type Reader, stored, unzlibbed } from './unpacked.ts'

/** What looking at a stream costs, and at what may begin one, in characters that are decoded. */
const STREAM = 64
const WORD = 4
/** Places between two pauses. */
const BETWEEN = 256
/** Bytes before a stream in which its filters are named. */
const DICTIONARY = 512
/** Bytes of a coded stream that are decoded. */
const LONGEST = 262_144
const START = 64

const IN_HEXADECIMAL = /\/(?:ASCIIHexDecode|AHx)\b/
const IN_ASCII_85 = /\/(?:ASCII85Decode|A85)\b/

/**
 * The streams of PDF (ISO 32000 7.3.8) that are packed or written in ASCII, each as what it stands for.
 * Undefined where a walk may pause.
 */
export function* streamsOf(content: Buffer, driver: Pausing): Generator<Reader | undefined> {
  const mayBeAscii = content.includes('ASCII', 0, 'latin1') || /\/A(?:Hx|85)\b/.test(startOf(content))
  let count = 0
  for (let at = content.indexOf('stream'); at >= 0; at = content.indexOf('stream', at + 'stream'.length)) {
    driver.work(WORD)
    if (++count % BETWEEN === 0) yield undefined
    const stream = streamAt(content, at + 'stream'.length)
    if (stream === undefined) continue
    const bytes = mayBeAscii
      ? decoded(stream, content.toString('latin1', Math.max(0, at - DICTIONARY), at), driver)
      : stream
    if (bytes === undefined || (bytes === stream && !isZlib(bytes))) continue
    driver.work(STREAM)
    yield isZlib(bytes) ? unzlibbed(bytes) : stored(bytes)
  }
}

/** As much as shows which filters a file has. */
function startOf(content: Buffer): string {
  return content.toString('latin1', 0, 65_536)
}

/** Spaces before the end of a line that lenient readers pass over. */
const MOST_SPACES = 16

/** What stands behind the end of the line of a keyword. */
function streamAt(content: Buffer, end: number): Buffer | undefined {
  let line = end
  while (line < end + MOST_SPACES && (content[line] === 32 || content[line] === 9)) line++
  let start = content[line] === 13 ? line + 1 : line
  if (content[start] === 10) start++
  return start > line ? content.subarray(start) : undefined
}

/** A stream without the filters that write it in ASCII, the last of which stands first. */
function decoded(stream: Buffer, dictionary: string, driver: Pausing): Buffer | undefined {
  const isHexadecimal = IN_HEXADECIMAL.test(dictionary)
  if (!isHexadecimal && !IN_ASCII_85.test(dictionary)) return stream
  const decode = isHexadecimal ? fromHexadecimal : fromAscii85
  const start = decode(stream.subarray(0, START))
  if (!isZlib(start) && start[0] !== LESS && (start[0] ?? 0) < MARK) return undefined
  const coded = stream.subarray(0, LONGEST)
  driver.work(coded.length >> 2)
  return decode(coded)
}

const LESS = 0x3c
/** From here on, first bytes of marks of encodings. */
const MARK = 0xef

/** `ASCIIHexDecode` (ISO 32000 7.4.2), to its end. */
function fromHexadecimal(coded: Buffer): Buffer {
  const text = coded.toString('latin1')
  const end = text.indexOf('>')
  return Buffer.from((end < 0 ? text : text.slice(0, end)).replace(/\s+/g, ''), 'hex')
}

/** `ASCII85Decode` (ISO 32000 7.4.3), to its end. */
function fromAscii85(coded: Buffer): Buffer {
  const out = Buffer.alloc(Math.ceil(coded.length / 5) * 4 + coded.length * 3)
  let length = 0
  let count = 0
  let value = 0
  for (const byte of coded) {
    if (byte === 0x7e) break
    if (byte === 0x7a && count === 0) {
      length = out.writeUInt32BE(0, length)
      continue
    }
    if (byte < 0x21 || byte > 0x75) continue
    value = value * 85 + (byte - 0x21)
    if (++count < 5) continue
    length = out.writeUInt32BE(value >>> 0, length)
    count = 0
    value = 0
  }
  if (count < 2) return out.subarray(0, length)
  for (let more = count; more < 5; more++) value = value * 85 + 84
  out.writeUInt32BE(value >>> 0, length)
  return out.subarray(0, length + count - 1)
}
