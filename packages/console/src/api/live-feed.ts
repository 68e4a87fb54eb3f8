import { type TrafficEvent, type Verdict, verdictOf } from '../traffic/traffic-event.ts'
import { type EventRow, eventRow } from './event-row.ts'

/** Requests by verdict. */
export type VerdictCounts = Readonly<Partial<Record<Verdict, number>>>

/** Takes rows of events, some at a time, and how many requests before them were left out of a flood. */
export type LiveListener = (rows: readonly EventRow[], missed: VerdictCounts) => void

const EVERY_MS = 150
/** Rows of one delivery; of a flood the newest are shown and the others counted. */
const MAX_ROWS = 200
const MAX_LISTENERS = 16
/** Of one session, and of all of one name: somebody with many pages open leaves room for others. */
const MAX_OF_SESSION = 4
const MAX_OF_NAME = 8

/** The session that watches. */
export interface LiveOwner {
  /** Several sessions may have it. */
  readonly name: string
}

/**
 * Hands events to the pages that watch, a few times a second, so that a page draws a bounded number of rows
 * however
 * many requests arrive. Costs nothing while nobody watches.
 */
export class LiveFeed {
  readonly #listeners = new Map<LiveListener, LiveOwner>()
  #waiting: TrafficEvent[] = []
  #missed: Partial<Record<Verdict, number>> = {}
  #timer: NodeJS.Timeout | undefined

  /** Whether anybody watches. */
  get isWatched(): boolean {
    return this.#listeners.size > 0
  }

  /** Takes an event. */
  take(event: TrafficEvent): void {
    if (this.#listeners.size === 0) return
    if (this.#waiting.length >= MAX_ROWS) this.#leaveOut(this.#waiting.shift())
    this.#waiting.push(event)
    this.#timer ??= setTimeout(() => this.#deliver(), EVERY_MS).unref()
  }

  #leaveOut(left: TrafficEvent | undefined): void {
    if (left?.event.type !== 'http') return
    const verdict = verdictOf(left.event)
    this.#missed[verdict] = (this.#missed[verdict] ?? 0) + left.weight
  }

  #deliver(): void {
    this.#timer = undefined
    const rows = this.#waiting.map(event => eventRow(event))
    this.#waiting = []
    const missed = this.#missed
    this.#missed = {}
    for (const listener of this.#listeners.keys()) listener(rows, missed)
  }

  /**
   * Adds a listener; the returned function removes it.
   * @param owner the session that watches
   * @returns undefined when too many watch, in all or of this owner
   */
  listen(listener: LiveListener, owner: LiveOwner): (() => void) | undefined {
    if (this.#listeners.size >= MAX_LISTENERS) return undefined
    let ofSession = 0
    let ofName = 0
    for (const other of this.#listeners.values()) {
      if (other === owner) ofSession++
      if (other.name === owner.name) ofName++
    }
    if (ofSession >= MAX_OF_SESSION || ofName >= MAX_OF_NAME) return undefined
    this.#listeners.set(listener, owner)
    return () => this.#listeners.delete(listener)
  }
}
