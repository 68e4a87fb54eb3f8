import { gzipDataStart } from '../canonicalise/gunzip-short.ts'
import { Inflater } from '../canonicalise/inflate.ts'

/** As many bytes of something packed as are asked for, or as there are. */
export type Reader = (most: number) => Uint8Array

/** Bytes behind the blocks of a member of gzip. */
const TRAILER = 8
const ZLIB_HEADER = 2
/** Bytes of something packed that are read. */
const LONGEST_PACKED = 131_072

/** Whether bytes begin as gzip (RFC 1952) does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** Whether bytes begin as zlib (RFC 1950) does: a window of 32 KB, the check of the header, no dictionary. */
export function isZlib(bytes: Uint8Array): boolean {
  const flags = bytes[1] ?? 0
  return bytes[0] === 0x78 && (0x7800 + flags) % 31 === 0 && (flags & 0x20) === 0
}

/** What is stored as it is. */
export function stored(bytes: Uint8Array): Reader {
  return most => bytes.subarray(0, most)
}

/** What raw DEFLATE (RFC 1951) stands for, as far as it goes. */
export function inflated(bytes: Uint8Array, start = 0): Reader {
  const packed = bytes.subarray(0, LONGEST_PACKED)
  let inflater: Inflater | undefined
  // Whoever asks for more gets what was unpacked before, and what follows it.
  return most => {
    inflater ??= new Inflater(packed, start, most)
    inflater.run(most)
    return inflater.bytes
  }
}

/** What zlib stands for, as far as it goes. */
export function unzlibbed(bytes: Uint8Array): Reader {
  return inflated(bytes, ZLIB_HEADER)
}

/** What gzip stands for, all its members, also cut or broken: who reads it as it arrives gets that. */
export function gunzipped(bytes: Uint8Array): Reader {
  const packed = bytes.subarray(0, LONGEST_PACKED)
  return most => {
    const parts: Uint8Array[] = []
    let length = 0
    for (let at = 0; isGzip(packed.subarray(at)) && parts.length < MOST_MEMBERS; ) {
      // A header that is not valid is passed over by lenient readers.
      const inflater = new Inflater(packed, gzipDataStart(packed, at) ?? at + HEADER, most - length)
      const state = inflater.run()
      parts.push(inflater.bytes)
      length += inflater.bytes.length
      if (state !== 'done') break
      at = inflater.end + TRAILER
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
  }
}

const HEADER = 10
/** Members of one file that are read. */
const MOST_MEMBERS = 64
