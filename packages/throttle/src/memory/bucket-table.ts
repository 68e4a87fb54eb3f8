import { ConfigError, type RandomSource, systemRandom } from '@postern/core'
import { decodeStep } from '../rule/step-code.ts'
import type { BucketLocks } from './bucket-locks.ts'

/** Slots of a bucket; 32 bytes each. */
const SLOTS_PER_BUCKET = 4
/** 32-bit words of a slot. */
const SLOT_WORDS = 8
const BUCKET_WORDS = SLOTS_PER_BUCKET * SLOT_WORDS
const HEADER_BYTES = 64
const MAGIC = 0x50_74_68_01
/**
 * Everything of a tag but the pressure: 1 bit wide counters, 7 bits of hash, 16 bits of sub-window length.
 */
const IDENTITY = 0xff00ffff | 0
const HASH_IN_TAG = 0x7f000000
const WIDE = 0x80000000 | 0
/** The code of slots that hold a GCRA's theoretical arrival time instead of counters. */
export const GCRA_CODE = 1
const PER_WORD = 2 ** -32

/** Bytes of a table of so many buckets, each with a lock word when it is to be shared. */
export function tableBytes(buckets: number, locked: 'locked' | 'unlocked'): number {
  return HEADER_BYTES + lockBytes(buckets, locked) + buckets * BUCKET_WORDS * 4
}

function lockBytes(buckets: number, locked: 'locked' | 'unlocked'): number {
  return locked === 'locked' ? Math.ceil(buckets / 16) * 64 : 0
}

/** Buckets for at least so many slots. @throws ConfigError for a number that is not from 64 to 2^26 */
export function bucketsFor(slots: number): number {
  if (!(Number.isInteger(slots) && slots >= 64 && slots <= 2 ** 26)) {
    throw new ConfigError({
      place: 'slots',
      problem: `${String(slots).slice(0, 40)} is not a whole number from 64 to 67,108,864`,
      hint: 'give about 1.4 slots for every key that is active within its window',
    })
  }
  return Math.ceil(slots / SLOTS_PER_BUCKET)
}

/** Writes the header of a new table: its size, a fresh hash key, and the start of its time. */
export function formatTable(
  buffer: ArrayBufferLike,
  buckets: number,
  epoch: number,
  random: RandomSource = systemRandom,
): void {
  const seed = new DataView(random.bytes(8).slice().buffer)
  const header = new Int32Array(buffer, 0, HEADER_BYTES / 4)
  header[1] = buckets
  header[2] = seed.getInt32(0)
  header[3] = seed.getInt32(4)
  new Float64Array(buffer, 24, 1)[0] = epoch
  header[0] = MAGIC
}

/**
 * A hash table of fixed size in one buffer. A slot is 8 words: 32 bits of hash; a tag (see `IDENTITY`, and 8
 * bits of pressure: how much of its limit the key has used); the newest sub-window's number; 20 bytes of
 * counters. A key lives in one of two buckets of four slots; when both are full, a slot is freed by moving
 * its key to that key's other bucket, and only when that fails is the key with the least pressure forgotten.
 * Slots whose window has passed are free; nothing ever has to be swept.
 */
export class BucketTable {
  readonly words: Int32Array
  readonly halves: Uint16Array
  readonly floats: Float64Array
  readonly key0: number
  readonly key1: number
  /** Milliseconds; what the table's times count from. */
  readonly epoch: number
  readonly buckets: number
  /** Means nothing: the compiler would leave out reads whose result is not kept. */
  fetched = 0
  /** From a hash of 32 bits to a bucket. */
  readonly #scale: number
  readonly #header: Int32Array
  readonly #locks: BucketLocks | undefined

  /** @throws ConfigError for a buffer that is not a table */
  constructor(buffer: ArrayBufferLike, locks?: BucketLocks) {
    this.#header = new Int32Array(buffer, 0, HEADER_BYTES / 4)
    const buckets = this.#header[1] as number
    const locked = locks === undefined ? 'unlocked' : 'locked'
    if (this.#header[0] !== MAGIC || tableBytes(buckets, locked) !== buffer.byteLength) {
      throw new ConfigError({
        place: 'table',
        problem: 'is not a table of limits',
        hint: 'make it with sharedTable()',
      })
    }
    this.buckets = buckets
    this.#scale = buckets * PER_WORD
    this.key0 = this.#header[2] as number
    this.key1 = this.#header[3] as number
    this.epoch = new Float64Array(buffer, 24, 1)[0] as number
    const start = HEADER_BYTES + lockBytes(buckets, locked)
    this.words = new Int32Array(buffer, start)
    this.halves = new Uint16Array(buffer, start)
    this.floats = new Float64Array(buffer, start)
    this.#locks = locks
  }

  /** Keys forgotten although their window had not passed, since the table was made. */
  get liveEvictions(): number {
    return Atomics.load(this.#header, 4)
  }

  firstBucket(hash0: number): number {
    // Whole numbers while they are enough: a conversion to a double and back takes 5 ns, on the way of every
    // decision.
    if (this.buckets <= 65_536) return Math.imul(hash0 >>> 16, this.buckets) >>> 16
    return ((hash0 >>> 0) * this.#scale) | 0
  }

  /**
   * The other bucket of a key: an involution, so it can be found from either bucket and the stored half of
   * the hash.
   */
  otherBucket(bucket: number, hash1: number): number {
    const sum = ((Math.imul(hash1, 0x9e3779b1) >>> 0) * this.#scale) | 0
    const other = sum - bucket
    return other < 0 ? other + this.buckets : other
  }

  /**
   * Reads from every cache line that a key can be in. The table is larger than the caches near the processor:
   * what is asked for at once comes at once, where each look by itself would wait for the one before it.
   */
  fetch(hash0: number, hash1: number): void {
    const words = this.words
    const bucket = this.firstBucket(hash0)
    const at = bucket * BUCKET_WORDS
    const other = this.otherBucket(bucket, hash1) * BUCKET_WORDS
    this.fetched =
      (words[at] as number) ^
      (words[at + 16] as number) ^
      (words[other] as number) ^
      (words[other + 16] as number)
  }

  /** Offset (in words) of the slot of a key with counters of this shape, or -1. */
  locate(hash0: number, hash1: number, shape: number): number {
    const words = this.words
    const tag = ((hash0 << 24) & HASH_IN_TAG) | shape
    const bucket = this.firstBucket(hash0)
    let at = bucket * BUCKET_WORDS
    if (words[at] === hash1 && ((words[at + 1] as number) & IDENTITY) === tag) return at
    if (words[at + 8] === hash1 && ((words[at + 9] as number) & IDENTITY) === tag) return at + 8
    if (words[at + 16] === hash1 && ((words[at + 17] as number) & IDENTITY) === tag) return at + 16
    if (words[at + 24] === hash1 && ((words[at + 25] as number) & IDENTITY) === tag) return at + 24
    at = this.otherBucket(bucket, hash1) * BUCKET_WORDS
    if (words[at] === hash1 && ((words[at + 1] as number) & IDENTITY) === tag) return at
    if (words[at + 8] === hash1 && ((words[at + 9] as number) & IDENTITY) === tag) return at + 8
    if (words[at + 16] === hash1 && ((words[at + 17] as number) & IDENTITY) === tag) return at + 16
    if (words[at + 24] === hash1 && ((words[at + 25] as number) & IDENTITY) === tag) return at + 24
    return -1
  }

  /** A slot for a key that has none: zeroed but for its hash and tag. */
  place(hash0: number, hash1: number, shape: number, now: number): number {
    const first = this.firstBucket(hash0)
    const second = this.otherBucket(first, hash1)
    let at = this.#freeSlot(first, now)
    if (at < 0) at = this.#freeSlot(second, now)
    if (at < 0) at = this.#makeRoom(first, now)
    if (at < 0) at = this.#makeRoom(second, now)
    if (at < 0) {
      at = this.#lightest(first, second)
      Atomics.add(this.#header, 4, 1)
    }
    const words = this.words
    for (let i = 2; i < SLOT_WORDS; i++) words[at + i] = 0
    words[at] = hash1
    words[at + 1] = ((hash0 << 24) & HASH_IN_TAG) | shape
    return at
  }

  /** Forgets a key, whatever the shape of its counters. */
  forget(hash0: number, hash1: number): void {
    const first = this.firstBucket(hash0)
    this.#forgetIn(first, hash0, hash1)
    this.#forgetIn(this.otherBucket(first, hash1), hash0, hash1)
  }

  /** Writes down how much of its limit a key has used, 0 to 254: the least goes first when room is needed. */
  setPressure(at: number, pressure: number): void {
    this.words[at + 1] = ((this.words[at + 1] as number) & IDENTITY) | (pressure << 16)
  }

  #forgetIn(bucket: number, hash0: number, hash1: number): void {
    const words = this.words
    const start = bucket * BUCKET_WORDS
    for (let at = start; at < start + BUCKET_WORDS; at += SLOT_WORDS) {
      const sameHash = (((words[at + 1] as number) ^ (hash0 << 24)) & HASH_IN_TAG) === 0
      if (words[at] === hash1 && sameHash) words.fill(0, at, at + SLOT_WORDS)
    }
  }

  #freeSlot(bucket: number, now: number): number {
    const start = bucket * BUCKET_WORDS
    for (let at = start; at < start + BUCKET_WORDS; at += SLOT_WORDS) if (!this.#isLive(at, now)) return at
    return -1
  }

  /** Moves one key of a full bucket to its other bucket, and returns the slot that this freed. */
  #makeRoom(bucket: number, now: number): number {
    const words = this.words
    const start = bucket * BUCKET_WORDS
    for (let at = start; at < start + BUCKET_WORDS; at += SLOT_WORDS) {
      const other = this.otherBucket(bucket, words[at] as number)
      if (other === bucket || this.#locks?.tryLock(other) === 'busy') continue
      const free = this.#freeSlot(other, now)
      if (free >= 0) for (let i = 0; i < SLOT_WORDS; i++) words[free + i] = words[at + i] as number
      this.#locks?.unlockTried()
      if (free >= 0) return at
    }
    return -1
  }

  #lightest(first: number, second: number): number {
    const words = this.words
    let lightest = -1
    let least = 256
    for (let i = 0; i < SLOTS_PER_BUCKET * 2; i++) {
      const bucket = i < SLOTS_PER_BUCKET ? first : second
      const at = bucket * BUCKET_WORDS + (i % SLOTS_PER_BUCKET) * SLOT_WORDS
      const pressure = ((words[at + 1] as number) >>> 16) & 0xff
      if (pressure < least) {
        least = pressure
        lightest = at
      }
    }
    return lightest
  }

  #isLive(at: number, now: number): boolean {
    const tag = this.words[at + 1] as number
    const code = tag & 0xffff
    if (code === 0) return false
    if (code === GCRA_CODE) return (this.floats[(at >> 1) + 2] as number) > now
    const age = (Math.floor(now / decodeStep(code)) | 0) - (this.words[at + 2] as number)
    return (age | 0) <= ((tag & WIDE) === 0 ? 8 : 4)
  }
}

/** The part of a slot's tag that says how its counters are to be read. */
export function slotShape(code: number, parts: number): number {
  return parts === 4 ? code | WIDE : code
}
