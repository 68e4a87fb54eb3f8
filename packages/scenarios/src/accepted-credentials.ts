import { type ClaimedCredential, claimedCredential, type Event, HttpEvent } from '@postern/core'
import { countedAddressOf } from './counted-client.ts'
import { hashOf, pathOf } from './target-hash.ts'

/** Clients with a credential that are remembered, a power of two: 512 KiB. */
const SLOTS = 32_768
/** Numbers a client: who it is, answers that were right, bits of their targets, answers that were wrong. */
const WIDTH = 4
const RIGHT = 1
const SEEN = 2
const WRONG = 3
/** Answers that may go wrong before the first one that is right, and beyond as many as were right. */
const ALLOWANCE = 10
/** Right answers needed for each wrong one, once a client's address misses very many targets. */
const STRICT = 2
/** Older answers count half from here on. */
const MEMORY = 40

/**
 * Whose credential the backend takes: anybody can send an `Authorization` header or a cookie named `session`.
 * One counts while the backend has answered at least one of its requests with success, and refused (4xx)
 * hardly more of them than it answered so, each target once. A tool that sends a made-up header gets missing
 * pages, and stays who it is.
 *
 * A table of fixed size in two places a client, the older of which goes when a newcomer needs room: every
 * request with a cookie comes here, and one object and one text a client kept the collector busy.
 */
export class AcceptedCredentials {
  readonly #table: Int32Array = new Int32Array(SLOTS * WIDTH)

  /**
   * Learns from the answer to a request.
   * @param isSuspect its address misses more targets than anybody is excused for: a made-up credential for
   *   every few of them would excuse them all
   * @returns how its client says who it is, if the backend takes that
   */
  of(event: Event, isSuspect = false): ClaimedCredential['kind'] | undefined {
    const claimed = claimOf(event)
    if (claimed === undefined) return undefined
    const table = this.#table
    const at = this.#placeOf(hashOf(countedAddressOf(event) ?? '', claimed.mark))
    if (event.outcome !== undefined && (event.decision === undefined || event.decision === 'allow'))
      learn(table, at, event.outcome.status, event)
    const right = table[at + RIGHT] as number
    const wrong = table[at + WRONG] as number
    const isTaken = isSuspect ? wrong * STRICT <= right : right > 0 && wrong <= right + ALLOWANCE
    return isTaken ? claimed.kind : undefined
  }

  /** Where a client stands; a new one takes the place of the older of two. */
  #placeOf(hash: number): number {
    const table = this.#table
    const who = hash === 0 ? 1 : hash
    const first = ((hash ^ (hash >>> 16)) & (SLOTS - 2)) * WIDTH
    if (table[first] === who) return first
    const second = first + WIDTH
    if (table[second] === who) return second
    table.copyWithin(second, first, second)
    table.fill(0, first, second)
    table[first] = who
    return first
  }
}

/** From the request itself, or as a worker noted it. */
function claimOf(event: Event): ClaimedCredential | undefined {
  if (event instanceof HttpEvent) return claimedCredential(event.exchange)
  const kept = event.data?.['credential']
  if (typeof kept !== 'object' || kept === null) return undefined
  const { kind, mark } = kept as Readonly<Record<string, unknown>>
  return (kind === 'authorization' || kind === 'key' || kind === 'session') && typeof mark === 'number'
    ? { kind, mark }
    : undefined
}

function learn(table: Int32Array, at: number, status: number, event: Event): void {
  if (status >= 200 && status < 400) {
    const bit = 1 << (hashOf(pathOf(event), 0) & 31)
    const seen = table[at + SEEN] as number
    if ((seen & bit) === 0) table[at + RIGHT] = (table[at + RIGHT] as number) + 1
    table[at + SEEN] = seen | bit
  } else if (status >= 400 && status < 500 && status !== 429)
    table[at + WRONG] = (table[at + WRONG] as number) + 1
  else return
  const right = table[at + RIGHT] as number
  const wrong = table[at + WRONG] as number
  if (right + wrong < MEMORY) return
  table[at + RIGHT] = (right + 1) >> 1
  table[at + WRONG] = wrong >> 1
  table[at + SEEN] = 0
}
