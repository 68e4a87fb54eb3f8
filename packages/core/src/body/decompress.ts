import * as zlib from 'node:zlib'
import { errorCode } from '../error/error-code.ts'
import { snappyDecompress } from './snappy.ts'

// Zstandard is looked up when it is needed: an older Node has none, and must be able to load this file to
// say which Node is needed.
const { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } = zlib

/** What became of a compressed body. */
export type Decompressed = { readonly bytes: Uint8Array } | { readonly problem: 'too-big' | 'unreadable' }

const MAX_CODINGS = 2
const MAX_FRAMES = 64
/**
 * What leaves the bytes readable as they are: the chunks of S3, the marks of AWS's JSON protocols, and names
 * of character sets, which clients put here by mistake.
 */
const NOT_COMPRESSED: ReadonlySet<string> = new Set([
  '',
  'identity',
  'none',
  'aws-chunked',
  'amz-1.0',
  'utf-8',
  'utf8',
  'us-ascii',
  'iso-8859-1',
])

/**
 * Undoes `Content-Encoding` (RFC 9110 section 8.4): gzip, deflate with and without its wrapper, br, zstd,
 * the blocks of Snappy (metrics and logs are pushed in them), at most two over each other, never to more than
 * `limit` bytes. A body that was cut is decoded as far as it goes; one with more behind its end is
 * unreadable, for backends differ in what they make of the rest.
 */
export function decompress(body: Uint8Array, contentEncoding: string, limit: number): Decompressed {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map(coding => coding.trim())
    .filter(coding => !NOT_COMPRESSED.has(coding))
  if (codings.length > MAX_CODINGS) return { problem: 'unreadable' }
  let bytes = body
  try {
    for (const coding of codings.reverse()) {
      const decoded = decodeOne(bytes, coding, limit)
      if (decoded === undefined) return { problem: 'unreadable' }
      bytes = decoded
    }
  } catch (error) {
    return { problem: errorCode(error) === 'ERR_BUFFER_TOO_LARGE' ? 'too-big' : 'unreadable' }
  }
  return { bytes }
}

function decodeOne(bytes: Uint8Array, coding: string, limit: number): Uint8Array | undefined {
  const options = { maxOutputLength: limit, finishFlush: constants.Z_SYNC_FLUSH, info: true } as const
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return wholeOf(gunzipSync(bytes, options), bytes)
    case 'deflate':
      // RFC 9110 means zlib's wrapper; some clients send the bare stream.
      return ((bytes[0] ?? 0) & 0x0f) === 8 && (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) % 31 === 0
        ? wholeOf(inflateSync(bytes, options), bytes)
        : wholeOf(inflateRawSync(bytes, options), bytes)
    case 'br':
      return wholeOf(
        brotliDecompressSync(bytes, { ...options, finishFlush: constants.BROTLI_OPERATION_FLUSH }),
        bytes,
      )
    case 'zstd':
      return framesOf(bytes, limit)
    case 'snappy':
    case 'x-snappy':
      return snappyDecompress(bytes, limit)
    default:
      return undefined
  }
}

/** The frames of Zstandard behind one another (RFC 8878 section 3): Node decodes the first one only. */
function framesOf(bytes: Uint8Array, limit: number): Uint8Array | undefined {
  const frames: Uint8Array[] = []
  let left = limit
  let at = 0
  while (at < bytes.length) {
    if (frames.length === MAX_FRAMES) return undefined
    const options = { maxOutputLength: Math.max(1, left), finishFlush: constants.ZSTD_e_flush, info: true }
    const decoded: unknown = zlib.zstdDecompressSync(bytes.subarray(at), options)
    if (!hasInfo(decoded) || decoded.engine.bytesWritten === 0) return undefined
    frames.push(decoded.buffer)
    left -= decoded.buffer.length
    at += decoded.engine.bytesWritten
  }
  return Buffer.concat(frames)
}

/** What decoding gives of `bytes` with `info: true`; undefined when it did not read all of them. */
function wholeOf(decoded: unknown, bytes: Uint8Array): Uint8Array | undefined {
  if (!hasInfo(decoded)) return undefined
  const rest = bytes.subarray(decoded.engine.bytesWritten)
  return rest.every(byte => byte === 0) ? decoded.buffer : undefined
}

interface DecodedWithInfo {
  readonly buffer: Uint8Array
  readonly engine: { readonly bytesWritten: number }
}

/** The types of Node leave out what `info` changes. */
function hasInfo(decoded: unknown): decoded is DecodedWithInfo {
  return typeof decoded === 'object' && decoded !== null && 'buffer' in decoded && 'engine' in decoded
}
