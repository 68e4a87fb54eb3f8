import type { Event } from '@postern/core'
import { countedAddressOf } from './counted-client.ts'
import { hashOf, pathOf } from './target-hash.ts'

/** Clients that are remembered, a power of two: 320 KiB. */
const SLOTS = 8_192
/** Bits of the targets of one kind: of a few hundred different ones their number is still known. */
const BITS = 128
const WORDS = BITS / 32
/** Numbers a client: who it is, when, bits of targets that were found, bits of those that were not. */
const FOUND = 2
const MISSED = FOUND + WORDS
const WIDTH = MISSED + WORDS
/**
 * Of the 128, about 200 different targets (140 to 360, by the seed): whoever misses more within the time is
 * excused no longer.
 */
const MOST_MISSED = 96
const TIME_MS = 600_000
const EVERY_SECOND = 0x55555555

/** What is known of a client that just missed something; `none` when it did not. */
export type Finding = 'none' | 'little' | 'enough' | 'exhausted'

/**
 * Whether an address finds at least one page for two that it misses. Link checkers, search engines after a
 * site has moved and old bookmarks meet dozens of missing pages among those that exist; who guesses at names
 * meets hardly anything else. Within ten minutes each path counts once, so that asking for the same pages
 * again and again shows nothing, and nobody is excused for more than about 200 missing ones, however many
 * known pages are mixed in.
 *
 * A table of fixed size in which a newcomer takes the place of an older one: nothing is allocated for
 * a request.
 */
export class FoundTargets {
  readonly #table: Int32Array = new Int32Array(SLOTS * WIDTH)
  readonly #seed: number

  /**
   * @param seed unknown to clients, who could otherwise choose paths that all count as one. Default: random
   */
  constructor(seed: number = globalThis.crypto.getRandomValues(new Int32Array(1))[0] as number) {
    this.#seed = seed
  }

  /** Learns from the answer to a request. */
  of(event: Event): Finding {
    const status = event.decision === undefined || event.decision === 'allow' ? event.outcome?.status : 0
    const kind = status === undefined ? 0 : kindOf(status)
    if (kind === 0) return 'none'
    const table = this.#table
    const at = this.#placeOf(event)
    const bit = hashOf(pathOf(event), this.#seed) & (BITS - 1)
    const word = at + kind + (bit >>> 5)
    table[word] = (table[word] as number) | (1 << (bit & 31))
    // Only who misses something is asked about.
    if (kind === FOUND) return 'none'
    const missed = count(table, at + MISSED)
    if (missed > MOST_MISSED) return 'exhausted'
    return count(table, at + FOUND) * 2 >= missed ? 'enough' : 'little'
  }

  #placeOf(event: Event): number {
    const table = this.#table
    const who = hashOf(countedAddressOf(event) ?? '', this.#seed) || 1
    const at = ((who ^ (who >>> 16)) & (SLOTS - 1)) * WIDTH
    const now = Math.floor(event.time / TIME_MS) | 0
    if (table[at] !== who || table[at + 1] !== now) {
      const isNext = table[at] === who && now - (table[at + 1] as number) === 1
      for (let word = at + FOUND; word < at + WIDTH; word++)
        table[word] = isNext ? (table[word] as number) & EVERY_SECOND : 0
      table[at] = who
      table[at + 1] = now
    }
    return at
  }
}

function kindOf(status: number): number {
  if (status >= 200 && status < 400) return FOUND
  return status >= 400 && status < 500 && status !== 429 ? MISSED : 0
}

/** How many bits of one kind are set. */
function count(table: Int32Array, from: number): number {
  let all = 0
  for (let word = from; word < from + WORDS; word++) all += bits(table[word] as number)
  return all
}

function bits(value: number): number {
  const pairs = value - ((value >>> 1) & EVERY_SECOND)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
