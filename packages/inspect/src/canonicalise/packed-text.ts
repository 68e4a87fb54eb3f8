import { constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { gunzipShort, inflateRawShort, inflateShort } from './gunzip-short.ts'
import { textIn } from './text-runs.ts'

/** How much of a compressed value is unpacked: what it is shows at its start. */
export const MOST_PACKED = 16_384
const UNPACKED = 65_536
/** Of all parts of a value together, and of each one behind that: none is hidden by those before it. */
const ALL_UNPACKED = 131_072
const LEAST_UNPACKED = 1_024

/** What may still be unpacked of one value. */
export interface Room {
  left: number
}

/** What may be unpacked of a value. */
export function roomForOne(): Room {
  return { left: ALL_UNPACKED }
}

/** How a format is unpacked: short inputs, and longer ones. */
export interface Format {
  readonly short: (packed: Uint8Array, most: number) => Uint8Array | undefined
  readonly long: typeof gunzipSync
}
export const GZIP: Format = { short: gunzipShort, long: gunzipSync }
export const ZLIB: Format = { short: inflateShort, long: inflateSync }
export const DEFLATE: Format = { short: inflateRawShort, long: inflateRawSync }

/** The text or the serialised object behind gzip or zlib; undefined when there is something else. */
export function insidePacked(coded: string, { short, long }: Format, room: Room): string | undefined {
  const packed = Buffer.from(coded.slice(0, MOST_PACKED), 'base64')
  const most = Math.max(LEAST_UNPACKED, Math.min(UNPACKED, room.left))
  const isShort = coded.length <= SHORT_PACKED || most < UNPACKED
  const bytes = isShort ? short(packed, most) : unpacked(packed, short, long)
  room.left -= bytes?.length ?? 0
  if (bytes === undefined || bytes.length === 0) return undefined
  if (bytes[0] === 0xac && bytes[1] === 0xed && bytes[2] === 0 && bytes[3] === 5)
    return '\u00ac\u00ed\u0000\u0005'
  return textIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
}

/** Of longer values a body holds few. */
const SHORT_PACKED = 512

/** What comes to more is read as far as it may go: what stands behind an attack must not hide it. */
function unpacked(packed: Buffer, short: Format['short'], long: Format['long']): Uint8Array | undefined {
  try {
    return long(packed, { maxOutputLength: UNPACKED, finishFlush: constants.Z_SYNC_FLUSH })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') return undefined
    return short(packed, UNPACKED)
  }
}
