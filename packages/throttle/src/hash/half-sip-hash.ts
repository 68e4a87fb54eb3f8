// Held, not looked up: see `keyed-hash.ts`.
const { charCodeAt } = String.prototype

/**
 * HalfSipHash-1-3 with 64 bits of output (Aumasson and Bernstein's 32-bit variant of SipHash, the one
 * operating-system kernels use for hash tables): without the key nobody can choose texts that fall into one
 * bucket. Writes the two halves to `out[at]` and `out[at + 1]`, so that hashing allocates nothing.
 *
 * Texts of Latin-1 characters are read as four bytes a word, all others as two UTF-16 units a word; the last
 * word holds the length and the width, so no two texts give the same words.
 */
export function halfSipHash(text: string, key0: number, key1: number, out: Int32Array, at: number): void {
  const length = text.length
  let v0 = key0
  let v1 = key1 ^ 0xee
  let v2 = 0x6c796765 ^ key0
  let v3 = 0x74656462 ^ key1
  let i = 0
  for (; i + 3 < length; i += 4) {
    const a = charCodeAt.call(text, i)
    const b = charCodeAt.call(text, i + 1)
    const c = charCodeAt.call(text, i + 2)
    const d = charCodeAt.call(text, i + 3)
    if ((a | b | c | d) > 0xff) {
      hashWide(text, key0, key1, out, at)
      return
    }
    const word = a | (b << 8) | (c << 16) | (d << 24)
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  let tail = length << 24
  let seen = 0
  for (let shift = 0; i < length; i++, shift += 8) {
    const unit = charCodeAt.call(text, i)
    seen |= unit
    tail |= unit << shift
  }
  if (seen > 0xff) {
    hashWide(text, key0, key1, out, at)
    return
  }
  finish(v0, v1, v2, v3, tail, out, at)
}

/** The same over two UTF-16 units a word; the flipped key bit keeps it apart from the narrow form. */
function hashWide(text: string, key0: number, key1: number, out: Int32Array, at: number): void {
  const length = text.length
  let v0 = key0
  let v1 = key1 ^ 0xee
  let v2 = 0x6c796765 ^ key0
  let v3 = 0x74656462 ^ key1 ^ 0x80
  for (let i = 0; i < length; i += 2) {
    const next = i + 1 < length ? charCodeAt.call(text, i + 1) : 0
    const word = charCodeAt.call(text, i) | (next << 16)
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  finish(v0, v1, v2, v3, length, out, at)
}

function finish(
  start0: number,
  start1: number,
  start2: number,
  start3: number,
  last: number,
  out: Int32Array,
  at: number,
): void {
  let v0 = start0
  let v1 = start1
  let v2 = start2
  let v3 = start3 ^ last
  for (let round = 0; round < 7; round++) {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    // Round 0 takes in the last word, rounds 1 to 3 make the first half, rounds 4 to 6 the second.
    if (round === 0) {
      v0 ^= last
      v2 ^= 0xee
    } else if (round === 3) {
      out[at] = v1 ^ v3
      v1 ^= 0xdd
    }
  }
  out[at + 1] = v1 ^ v3
}
