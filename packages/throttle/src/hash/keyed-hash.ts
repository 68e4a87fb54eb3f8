import { halfSipHash } from './half-sip-hash.ts'

/**
 * Held, because V8 looks the method up at every character, and takes five times as long, once any module of
 * the process has a class that extends `String`. The usual driver of Redis has one.
 */
const { charCodeAt } = String.prototype

/** Longer keys are hashed by HalfSipHash; callers fold keys beyond 256 characters anyway. */
const LONGEST = 256

/**
 * A hash whose collisions nobody can choose without its key: 64 bits, two independent sums of random
 * multipliers over the characters.
 *
 * For two different Latin-1 texts the chance that one sum agrees in its upper 25 bits is at most 2^-25,
 * whatever the texts: vector multiply-shift (Dietzfelbinger 1996; Thorup, "High Speed Hashing for Integers
 * and Strings", 2015). The multipliers do not wait for each other, so it takes about 18 ns for an address
 * where HalfSipHash-1-3 takes 47. Other and very long texts take the HalfSipHash way.
 */
export class KeyedHash {
  readonly #key0: number
  readonly #key1: number
  readonly #multipliers: Int32Array = new Int32Array((LONGEST + 1) * 2)

  /** Two halves of a secret, random key. Equal keys make equal hashes, also in another thread. */
  constructor(key0: number, key1: number) {
    this.#key0 = key0
    this.#key1 = key1
    for (let i = 0; i <= LONGEST; i++) halfSipHash(String(i), key0, key1, this.#multipliers, i * 2)
  }

  /** Writes both halves of the hash of a text under a limit to `out[at]` and `out[at + 1]`. */
  hash(text: string, salt0: number, salt1: number, out: Int32Array, at: number): void {
    const multipliers = this.#multipliers
    const length = text.length
    if (length > LONGEST) {
      this.#hashOther(text, salt0, salt1, out, at)
      return
    }
    let a = salt0 + Math.imul(length, multipliers[LONGEST * 2] as number)
    let b = salt1 + Math.imul(length, multipliers[LONGEST * 2 + 1] as number)
    let seen = 0
    for (let i = 0; i < length; i++) {
      const unit = charCodeAt.call(text, i)
      seen |= unit
      a = (a + Math.imul(unit, multipliers[i * 2] as number)) | 0
      b = (b + Math.imul(unit, multipliers[i * 2 + 1] as number)) | 0
    }
    if (seen > 0xff) {
      this.#hashOther(text, salt0, salt1, out, at)
      return
    }
    // The upper bits are the strong ones: fold them down, reversibly.
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b)
    b = Math.imul(b ^ (b >>> 16), 0xc2b2ae35)
    out[at] = a ^ (a >>> 13)
    out[at + 1] = b ^ (b >>> 13)
  }

  #hashOther(text: string, salt0: number, salt1: number, out: Int32Array, at: number): void {
    halfSipHash(text, this.#key0 ^ salt0, this.#key1 ^ salt1, out, at)
  }
}
