import * as zlib from 'node:zlib'
import { snappyDecompress } from './snappy.ts'

// Zstandard is looked up when it is needed: an older Node has none, and must be able to load this file to
// say which Node is needed.
const { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } = zlib

/** What became of a compressed body. */
export type Decompressed = { readonly bytes: Uint8Array } | { readonly problem: 'too-big' | 'unreadable' }

const MAX_CODINGS = 2
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
 * `limit` bytes. A body that was cut is decoded as far as it goes.
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
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return { problem: code === 'ERR_BUFFER_TOO_LARGE' ? 'too-big' : 'unreadable' }
  }
  return { bytes }
}

function decodeOne(bytes: Uint8Array, coding: string, limit: number): Uint8Array | undefined {
  const options = { maxOutputLength: limit, finishFlush: constants.Z_SYNC_FLUSH }
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(bytes, options)
    case 'deflate':
      // RFC 9110 means zlib's wrapper; some clients send the bare stream.
      return ((bytes[0] ?? 0) & 0x0f) === 8 && (((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)) % 31 === 0
        ? inflateSync(bytes, options)
        : inflateRawSync(bytes, options)
    case 'br':
      return brotliDecompressSync(bytes, {
        maxOutputLength: limit,
        finishFlush: constants.BROTLI_OPERATION_FLUSH,
      })
    case 'zstd':
      return zlib.zstdDecompressSync(bytes, { maxOutputLength: limit, finishFlush: constants.ZSTD_e_flush })
    case 'snappy':
    case 'x-snappy':
      return snappyDecompress(bytes, limit)
    default:
      return undefined
  }
}
