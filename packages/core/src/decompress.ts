import * as zlib from 'node:zlib'

// Zstandard is looked up when it is needed: an older Node has none, and must be able to load this file to
// say which Node is needed.
const { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } = zlib

/** What became of a compressed body. */
export type Decompressed = { readonly bytes: Uint8Array } | { readonly problem: 'too-big' | 'unreadable' }

const MAX_CODINGS = 2

/**
 * Undoes `Content-Encoding` (RFC 9110 section 8.4): gzip, deflate with and without its wrapper, br, zstd,
 * at most two over each other, never to more than `limit` bytes. A body that was cut
 * is decoded as far as it goes.
 */
export function decompress(body: Uint8Array, contentEncoding: string, limit: number): Decompressed {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map(coding => coding.trim())
    .filter(coding => coding !== '' && coding !== 'identity')
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
    default:
      return undefined
  }
}
