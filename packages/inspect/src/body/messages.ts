import { gunzipped } from './unpacked.ts'

/** Flag, and length of what follows (gRPC over HTTP/2, "Length-Prefixed-Message"; Connect has the same). */
const FRAME_HEAD = 5
const FRAMED = /^application\/(?:grpc|connect\+)/
const COMPRESSED = 1
/** Bytes of a compressed message that are read. */
const MOST_UNPACKED = 4_096
const MAX_FRAMES = 16

/**
 * What the messages in a body of a binary protocol hold besides its bytes: what gRPC and Connect compress,
 * and strings that CBOR sends in chunks (RFC 8949 section 3.2.3), which decoders join.
 * @param type of the body, in lower case
 */
export function messagesIn(bytes: Buffer, type: string): readonly Buffer[] {
  if (FRAMED.test(type)) return compressedIn(bytes)
  return type.includes('cbor') ? joinedIn(bytes) : []
}

function compressedIn(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = []
  let at = 0
  while (at + FRAME_HEAD < bytes.length && found.length < MAX_FRAMES) {
    const end = at + FRAME_HEAD + bytes.readUInt32BE(at + 1)
    if (((bytes[at] as number) & COMPRESSED) !== 0)
      found.push(Buffer.from(gunzipped(bytes.subarray(at + FRAME_HEAD, end))(MOST_UNPACKED)))
    at = end
  }
  return found
}

const BYTES = 0x5f
const TEXT = 0x7f
const BREAK = 0xff
/** The first length that is a character too. */
const SHORT = 32

/** Each string in chunks as one in a message of its own, a short one behind its length. */
function joinedIn(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== BYTES && bytes[at] !== TEXT) continue
    const joined = chunksFrom(bytes, at)
    if (joined === undefined) continue
    const { length } = joined.text
    found.push(Buffer.concat([Buffer.from([length < SHORT ? length : 0]), joined.text]))
    at = joined.end
  }
  return found
}

/** @returns the chunks and where the break is behind them; undefined where that is not such a string */
function chunksFrom(
  bytes: Buffer,
  start: number,
): { readonly text: Buffer; readonly end: number } | undefined {
  const kind = (bytes[start] as number) & 0xe0
  const chunks: Buffer[] = []
  let at = start + 1
  while (bytes[at] !== BREAK) {
    const head = bytes[at] ?? 0
    const short = head & 0x1f
    if ((head & 0xe0) !== kind || short > 25) return undefined
    const sized = short < 24 ? 0 : short - 23
    if (at + sized >= bytes.length) return undefined
    const length = sized === 0 ? short : bytes.readUIntBE(at + 1, sized)
    at += 1 + sized
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  return { text: Buffer.concat(chunks), end: at }
}
