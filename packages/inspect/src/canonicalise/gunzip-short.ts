import { Inflater } from './inflate.ts'

/** Flags of a gzip header (RFC 1952 section 2.3.1). */
const FLAG = { check: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const
const HEADER = 10
const TRAILER = 8

/**
 * What a short text in gzip (RFC 1952) stands for, all its members, as far as they go and at most `most`
 * bytes of it; undefined where it is broken. Checksums are not compared.
 */
export function gunzipShort(bytes: Uint8Array, most: number): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  let length = 0
  for (let at = 0; bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8; ) {
    const start = gzipDataStart(bytes, at)
    if (start === undefined) return undefined
    const inflater = new Inflater(bytes, start, most - length)
    const state = inflater.run()
    if (state === 'broken') return undefined
    parts.push(inflater.bytes)
    length += inflater.bytes.length
    if (state !== 'done') break
    at = inflater.end + TRAILER
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts)
}

/** Bytes of a zlib header (RFC 1950 section 2.2). */
const ZLIB_HEADER = 2

/**
 * What a short text in zlib (RFC 1950) stands for, as far as it goes and at most `most` bytes of it;
 * undefined where it is not zlib, or broken. The checksum is not compared.
 */
export function inflateShort(bytes: Uint8Array, most: number): Uint8Array | undefined {
  const [method = 0, flags = 0] = bytes
  // Deflate with a window of 32 KB, the check of the header, and no dictionary, which nobody has.
  if (method !== 0x78 || (method * 256 + flags) % 31 !== 0 || (flags & 0x20) !== 0) return undefined
  const inflater = new Inflater(bytes, ZLIB_HEADER, most)
  return inflater.run() === 'broken' ? undefined : inflater.bytes
}

/** What a short text in raw DEFLATE stands for, as far as it goes and at most `most` bytes of it. */
export function inflateRawShort(bytes: Uint8Array, most: number): Uint8Array | undefined {
  const inflater = new Inflater(bytes, 0, most)
  return inflater.run() === 'broken' ? undefined : inflater.bytes
}

/** Where the first block of a member begins; undefined where its header is invalid. */
export function gzipDataStart(bytes: Uint8Array, start: number): number | undefined {
  const flags = bytes[start + 3] ?? 0
  if ((flags & FLAG.reserved) !== 0) return undefined
  let at = start + HEADER
  if ((flags & FLAG.extra) !== 0) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8)
  for (const flag of [FLAG.name, FLAG.comment]) {
    if ((flags & flag) === 0) continue
    const zero = bytes.indexOf(0, at)
    at = zero < 0 ? bytes.length : zero + 1
  }
  if ((flags & FLAG.check) !== 0) at += 2
  return Math.min(at, bytes.length)
}
