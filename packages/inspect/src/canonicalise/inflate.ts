const MAX_BITS = 15
const FIXED_LITERALS = 288
/** Lengths of the codes of lengths come in this order (RFC 1951 section 3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
/** From this symbol on lengths are repeated: the last one, or zeros of two kinds. */
const REPEAT_LAST = 16
const REPEATS = [
  { bits: 2, least: 3 },
  { bits: 3, least: 3 },
  { bits: 7, least: 11 },
] as const
const LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
]
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
const DISTANCES = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
]
const DISTANCE_BITS = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
]

/** Codes of up to so many bits are found in one look. */
const SHORT_BITS = 9
/** For a length, in the low bits of what is found in one look. */
const LENGTH_MASK = 15

/** Bytes that there is room for first: most inputs come to no more, whatever they may come to. */
const FIRST_ROOM = 4_096

/** A canonical Huffman code: how many codes there are of each length, and their symbols in order. */
interface Code {
  readonly counts: Uint16Array
  readonly symbols: Uint16Array
  /** By the next bits: a symbol, and behind it how long its code is; zero where that is longer. */
  short: Uint16Array | undefined
  /** Symbols that were read without it. */
  read: number
}

/** Symbols after which what is found in one look pays: most entries of archives are looked at for fewer. */
const MANY = 160

/** @returns undefined where the lengths make no code that can be read: more codes than there is room for */
function codeOf(lengths: ArrayLike<number>, from: number, to: number): Code | undefined {
  const counts = new Uint16Array(MAX_BITS + 1)
  for (let i = from; i < to; i++) counts[lengths[i] as number] = (counts[lengths[i] as number] as number) + 1
  const offsets = new Uint16Array(MAX_BITS + 2)
  let left = 1
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    left = left * 2 - (counts[bits] as number)
    if (left < 0) return undefined
    offsets[bits + 1] = (offsets[bits] as number) + (counts[bits] as number)
  }
  counts[0] = 0
  const symbols = new Uint16Array(to - from)
  for (let i = from; i < to; i++) {
    const bits = lengths[i] as number
    if (bits === 0) continue
    symbols[offsets[bits] as number] = i - from
    offsets[bits] = (offsets[bits] as number) + 1
  }
  return { counts, symbols, short: undefined, read: 0 }
}

/** Codes begin with their highest bit, numbers with their lowest. */
function shortCodes(counts: Uint16Array, symbols: Uint16Array): Uint16Array {
  const short = new Uint16Array(1 << SHORT_BITS)
  let code = 0
  let index = 0
  for (let bits = 1; bits <= SHORT_BITS; bits++) {
    for (let left = counts[bits] as number; left > 0; left--) {
      const found = ((symbols[index++] as number) << 4) | bits
      for (let at = reversed(code++, bits); at < short.length; at += 1 << bits) short[at] = found
    }
    code <<= 1
  }
  return short
}

function reversed(code: number, bits: number): number {
  let turned = 0
  for (let at = 0; at < bits; at++) turned |= ((code >> at) & 1) << (bits - 1 - at)
  return turned
}

const FIXED = Uint8Array.from({ length: FIXED_LITERALS }, (_, i) =>
  i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8,
)
const FIXED_LITERAL = codeOf(FIXED, 0, FIXED_LITERALS)
const FIXED_DISTANCE = codeOf(new Uint8Array(30).fill(5), 0, 30)

/** Where the input ends in the middle of something: what was made before stands. */
const ENDED = -1
const BROKEN = -2
/** It comes to more than it may: what was made before stands. */
const FULL = -3
const DONE = -4

/** How far an input was read. */
export type Inflated = 'done' | 'ended' | 'broken' | 'full'

const STATES: Readonly<Record<number, Inflated>> = {
  [ENDED]: 'ended',
  [BROKEN]: 'broken',
  [FULL]: 'full',
  [DONE]: 'done',
}

/** The codes of a block. */
interface Codes {
  readonly literal: Code
  readonly distance: Code
}

/**
 * Undoes DEFLATE (RFC 1951) for short inputs, as far as they go. The library of the platform takes thirty
 * microseconds to begin, which a body of thousands of short values would pay for each; and whoever wants to
 * see more of an input goes on where it was left.
 */
export class Inflater {
  readonly #input: Uint8Array
  #most: number
  #out: Uint8Array
  #length = 0
  #at: number
  #bits = 0
  #held = 0
  #isLast = false
  /** Of the block at hand; undefined in one that is stored, and between two. */
  #codes: Codes | undefined
  /** Bytes of a stored block, and of what is repeated, that are still to come. */
  #stored = 0
  #repeated = 0
  #distance = 0
  /** A byte that there was no room for; -1: none. */
  #byte = -1
  #state = FULL

  /**
   * @param at where in the input the first block begins
   * @param most bytes that it may come to
   */
  constructor(input: Uint8Array, at: number, most: number) {
    this.#input = input
    this.#at = at
    this.#most = most
    this.#out = new Uint8Array(Math.min(most, 4 * input.length + 64, FIRST_ROOM))
  }

  /** Behind the last block, once `run` has read it. */
  get end(): number {
    return this.#at - (this.#held >> 3)
  }

  get bytes(): Uint8Array {
    return this.#out.subarray(0, Math.min(this.#length, this.#most))
  }

  /**
   * Goes on to where there is no more, or to as much as it may come to.
   * @param most bytes, from now on
   * @returns `full` where it comes to more than it may
   */
  run(most: number = this.#most): Inflated {
    this.#most = most
    if (this.#state === FULL && this.#length <= most) this.#state = this.#goOn()
    return STATES[this.#state] as Inflated
  }

  #goOn(): number {
    let state = this.#left()
    while (state === 0) {
      if (this.#codes !== undefined) state = this.#symbols(this.#codes)
      else if (this.#stored > 0) state = this.#storedBytes()
      else state = this.#isLast ? DONE : this.#begin()
    }
    return state
  }

  /** What there was no room for. */
  #left(): number {
    if (this.#byte >= 0) {
      if (!this.#put(this.#byte)) return FULL
      this.#byte = -1
    }
    return this.#repeat()
  }

  /** Begins a block, by its kind as RFC 1951 section 3.2.3 numbers them. */
  #begin(): number {
    const last = this.#take(1)
    const kind = this.#take(2)
    if (last < 0 || kind < 0) return ENDED
    this.#isLast = last === 1
    if (kind === 0) return this.#beginStored()
    if (kind === 3) return BROKEN
    const codes = kind === 1 ? { literal: FIXED_LITERAL, distance: FIXED_DISTANCE } : this.#ownCodes()
    if (typeof codes === 'number') return codes
    const { literal, distance } = codes
    if (literal === undefined || distance === undefined) return BROKEN
    this.#codes = { literal, distance }
    return 0
  }

  /** The next bits as a number; `ENDED` where there are too few. */
  #take(count: number): number {
    while (this.#held < count) {
      if (this.#at === this.#input.length) return ENDED
      this.#bits |= (this.#input[this.#at++] as number) << this.#held
      this.#held += 8
    }
    const taken = this.#bits & ((1 << count) - 1)
    this.#bits >>>= count
    this.#held -= count
    return taken
  }

  #symbol(code: Code): number {
    if (code.short === undefined) {
      if (++code.read < MANY) return this.#longSymbol(code)
      code.short = shortCodes(code.counts, code.symbols)
    }
    const input = this.#input
    while (this.#held < SHORT_BITS && this.#at < input.length) {
      this.#bits |= (input[this.#at++] as number) << this.#held
      this.#held += 8
    }
    const found = code.short[this.#bits & ((1 << SHORT_BITS) - 1)] as number
    const length = found & LENGTH_MASK
    if (length === 0 || length > this.#held) return this.#longSymbol(code)
    this.#bits >>>= length
    this.#held -= length
    return found >> 4
  }

  /** One bit after the other. */
  #longSymbol({ counts, symbols }: Code): number {
    let code = 0
    let first = 0
    let index = 0
    for (let bits = 1; bits <= MAX_BITS; bits++) {
      const bit = this.#take(1)
      if (bit < 0) return ENDED
      code |= bit
      const count = counts[bits] as number
      if (code - count < first) return symbols[index + code - first] as number
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    return BROKEN
  }

  #put(byte: number): boolean {
    if (this.#length >= this.#most) return false
    if (this.#length === this.#out.length) this.#grow()
    this.#out[this.#length++] = byte
    return true
  }

  #grow(): void {
    const more = new Uint8Array(Math.min(this.#most, Math.max(FIRST_ROOM, this.#length * 4)))
    more.set(this.#out)
    this.#out = more
  }

  #beginStored(): number {
    // Whole bytes that were taken ahead are of the block.
    this.#at -= this.#held >> 3
    this.#bits = 0
    this.#held = 0
    if (this.#at + 4 > this.#input.length) return ENDED
    const [a = 0, b = 0, c = 0, d = 0] = this.#input.subarray(this.#at, this.#at + 4)
    const length = a | (b << 8)
    if (length !== (~(c | (d << 8)) & 0xffff)) return BROKEN
    this.#at += 4
    this.#stored = length
    return 0
  }

  #storedBytes(): number {
    for (; this.#stored > 0; this.#stored--) {
      if (this.#at === this.#input.length) return ENDED
      if (!this.#put(this.#input[this.#at] as number)) return FULL
      this.#at++
    }
    return 0
  }

  #symbols({ literal, distance }: Codes): number {
    for (;;) {
      const symbol = this.#symbol(literal)
      if (symbol < 0) return symbol
      if (symbol === 256) {
        this.#codes = undefined
        return 0
      }
      if (symbol < 256) {
        if (this.#put(symbol)) continue
        this.#byte = symbol
        return FULL
      }
      const state = this.#copy(symbol - 257, distance)
      if (state < 0) return state
    }
  }

  /** Repeats what was made before. */
  #copy(index: number, distances: Code): number {
    if (index >= LENGTHS.length) return BROKEN
    const more = this.#take(LENGTH_BITS[index] as number)
    if (more < 0) return ENDED
    const symbol = this.#symbol(distances)
    if (symbol < 0) return symbol
    if (symbol >= DISTANCES.length) return BROKEN
    const further = this.#take(DISTANCE_BITS[symbol] as number)
    if (further < 0) return ENDED
    this.#distance = (DISTANCES[symbol] as number) + further
    if (this.#distance > this.#length) return BROKEN
    this.#repeated = (LENGTHS[index] as number) + more
    return this.#repeat()
  }

  #repeat(): number {
    for (; this.#repeated > 0; this.#repeated--)
      if (!this.#put(this.#out[this.#length - this.#distance] as number)) return FULL
    return 0
  }

  /** The codes that a block brings with it (RFC 1951 section 3.2.7). */
  #ownCodes(): { literal: Code | undefined; distance: Code | undefined } | number {
    const literals = this.#take(5) + 257
    const distances = this.#take(5) + 1
    const count = this.#take(4) + 4
    if (literals < 257 || distances < 1 || count < 4) return ENDED
    const lengths = new Uint8Array(320)
    for (let i = 0; i < count; i++) {
      const bits = this.#take(3)
      if (bits < 0) return ENDED
      lengths[ORDER[i] as number] = bits
    }
    const code = codeOf(lengths, 0, 19)
    if (code === undefined) return BROKEN
    lengths.fill(0)
    const all = literals + distances
    const state = this.#lengths(code, lengths, all)
    if (state < 0) return state
    return { literal: codeOf(lengths, 0, literals), distance: codeOf(lengths, literals, all) }
  }

  /** The lengths of both codes, one after the other, each repeated as often as it says. */
  #lengths(code: Code, lengths: Uint8Array, all: number): number {
    for (let at = 0; at < all; ) {
      const symbol = this.#symbol(code)
      if (symbol < 0) return symbol
      if (symbol < REPEAT_LAST) {
        lengths[at++] = symbol
        continue
      }
      if (symbol === REPEAT_LAST && at === 0) return BROKEN
      const { bits, least } = REPEATS[symbol - REPEAT_LAST] as (typeof REPEATS)[number]
      const more = this.#take(bits)
      if (more < 0) return ENDED
      const end = at + least + more
      if (end > all) return BROKEN
      lengths.fill(symbol === REPEAT_LAST ? (lengths[at - 1] as number) : 0, at, end)
      at = end
    }
    return 0
  }
}
