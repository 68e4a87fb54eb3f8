import type { Event } from '@postern/core'
import { addressOf } from './event-fields.ts'
import { hashOf, pathOf } from './target-hash.ts'

/** Clients that are remembered, a power of two: 192 KiB. */
const SLOTS = 16_384
/** Numbers a client: who it is, bits of targets that were found, bits of those that were not. */
const WIDTH = 3
const FOUND = 1
const MISSED = 2
/** Targets of one kind from which on both are half forgotten: of 32 bits, more say little. */
const MEMORY = 24

/**
 * Whether an address finds at least one page for two that it misses. Link checkers, search engines after a
 * site has moved and old bookmarks meet dozens of missing pages among those that exist; who guesses at names
 * meets hardly anything else. Each path counts once, so that asking for the front page again and again shows
 * nothing.
 *
 * A table of fixed size in which a newcomer takes the place of an older one: nothing is allocated for
 * a request.
 */
export class FoundTargets {
  readonly #table: Int32Array = new Int32Array(SLOTS * WIDTH)

  /**
   * Learns from the answer to a request.
   * @returns whether its client, who just missed something, finds enough
   */
  of(event: Event): boolean {
    const status = event.decision === undefined || event.decision === 'allow' ? event.outcome?.status : 0
    const kind = status === undefined ? 0 : kindOf(status)
    if (kind === 0) return false
    const table = this.#table
    const who = hashOf(addressOf(event) ?? '', 0) || 1
    const at = ((who ^ (who >>> 16)) & (SLOTS - 1)) * WIDTH
    if (table[at] !== who) {
      table.fill(0, at, at + WIDTH)
      table[at] = who
    }
    table[at + kind] = (table[at + kind] as number) | (1 << (hashOf(pathOf(event), 0) & 31))
    // Only who misses something is asked about.
    if (kind === FOUND) return false
    const found = bits(table[at + FOUND] as number)
    const missed = bits(table[at + MISSED] as number)
    if (found >= MEMORY || missed >= MEMORY) {
      table[at + FOUND] = (table[at + FOUND] as number) & 0x55555555
      table[at + MISSED] = (table[at + MISSED] as number) & 0x55555555
    }
    return found * 2 >= missed
  }
}

function kindOf(status: number): number {
  if (status >= 200 && status < 400) return FOUND
  return status >= 400 && status < 500 && status !== 429 ? MISSED : 0
}

/** How many bits are set. */
function bits(value: number): number {
  const pairs = value - ((value >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
