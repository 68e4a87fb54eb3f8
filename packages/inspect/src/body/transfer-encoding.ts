import { brotliDecompressSync, constants } from 'node:zlib'
import { gunzipped, inflated, isZlib, type Reader, unzlibbed } from './unpacked.ts'

const ENCODED = /^\s{0,64}content-transfer-encoding\s{0,8}:\s{0,8}"?(quoted-printable|base64)/i
/** Some parsers undo a content coding of a part as well (aiohttp). */
const CODED = /^\s{0,64}content-encoding\s{0,8}:\s{0,8}"?(?:x-)?(gzip|deflate|br)\b/i
/** Bytes that are unpacked of a part. */
export const MOST_UNPACKED = 131_072
const EQUALS = 0x3d
const SPACE = 32
const TAB = 9
const CR = 13
const LF = 10
const HEXADECIMAL = new Int8Array(256).fill(-1)
for (const [value, digit] of [...'0123456789abcdef'].entries()) {
  HEXADECIMAL[digit.charCodeAt(0)] = value
  HEXADECIMAL[digit.toUpperCase().charCodeAt(0)] = value
}

/**
 * What the content of a part stands for under the transfer encodings (RFC 2045 section 6) and the content
 * coding that its head names: some parsers undo them, and others do not.
 * @param lines of the head
 */
export function transferDecoded(content: Buffer, lines: readonly string[]): readonly Buffer[] {
  const encodings = new Set(lines.map(line => ENCODED.exec(line)?.[1]?.toLowerCase()))
  const decoded: Buffer[] = []
  if (encodings.has('base64')) decoded.push(Buffer.from(content.toString('latin1'), 'base64'))
  if (encodings.has('quoted-printable')) decoded.push(fromQuotedPrintable(content))
  const codings = new Set(lines.map(line => CODED.exec(line)?.[1]?.toLowerCase()))
  if (codings.has('gzip')) decoded.push(unpacked(content, gunzipped))
  if (codings.has('deflate')) decoded.push(unpacked(content, isZlib(content) ? unzlibbed : inflated))
  if (codings.has('br')) decoded.push(unbrotlied(content))
  return decoded
}

/** What Brotli (RFC 7932) stands for, as far as it is read; nothing where it is broken. */
function unbrotlied(content: Buffer): Buffer {
  const options = { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength: MOST_UNPACKED }
  try {
    return brotliDecompressSync(content, options)
  } catch (error) {
    const isLonger = error instanceof RangeError
    // As long as what is refused for its length.
    return isLonger ? Buffer.alloc(MOST_UNPACKED) : Buffer.alloc(0)
  }
}

function unpacked(content: Buffer, read: (bytes: Buffer) => Reader): Buffer {
  return Buffer.from(read(content)(MOST_UNPACKED))
}

/** Undoes quoted-printable (RFC 2045 section 6.7); what is not valid stands for itself. */
function fromQuotedPrintable(coded: Buffer): Buffer {
  const out = Buffer.alloc(coded.length)
  let length = 0
  for (let at = 0; at < coded.length; ) {
    const byte = coded[at++] as number
    if (byte !== EQUALS) {
      out[length++] = byte
      continue
    }
    const high = HEXADECIMAL[coded[at] ?? 0] as number
    const low = HEXADECIMAL[coded[at + 1] ?? 0] as number
    if (high >= 0 && low >= 0) {
      out[length++] = high * 16 + low
      at += 2
    } else {
      const end = softBreakEnd(coded, at)
      if (end === at) out[length++] = byte
      at = end
    }
  }
  return out.subarray(0, length)
}

/** Behind the line end that begins there, and the spaces before it; the same place where there is none. */
function softBreakEnd(coded: Buffer, start: number): number {
  let at = start
  while (at < start + MOST_SPACES && (coded[at] === SPACE || coded[at] === TAB)) at++
  if (coded[at] === CR) at++
  return coded[at] === LF ? at + 1 : start
}

const MOST_SPACES = 64
