import type { RequestPage } from './merged-pages.ts'
import type { PageShare } from './page-share.ts'
import type { StoredEvent, TrafficEvent, Verdict } from './traffic-event.ts'

/** What to look for. All conditions must match. */
export interface TrafficQuery {
  readonly verdicts?: readonly Verdict[]
  readonly rule?: string
  readonly route?: string
  readonly address?: string
  readonly principal?: string
  /** `http`, `finding`, `remediation.added`, ... */
  readonly type?: string
  /** Epoch milliseconds. */
  readonly from?: number
  /** Name of the instance that kept it. */
  readonly instance?: string
  /** Only events before this one. */
  readonly before?: number
  /** At most 1,000. */
  readonly limit: number
}

/** What was counted of one minute, of everything, sampled or not. */
export interface TrafficCount {
  /** Epoch minutes. */
  readonly minute: number
  readonly verdict: Verdict
  /** Pattern of the route; empty without one. */
  readonly route: string
  /** The decisive rule; empty for allowed requests. */
  readonly rule: string
  readonly requests: number
  /** Milliseconds of all requests together, in the guards. */
  readonly layer: number
  /** Milliseconds of all requests together, backend included. */
  readonly total: number
}

/** What was counted of one hour and country, of everything, sampled or not. */
export interface PlaceCount {
  /** Epoch hours. */
  readonly hour: number
  /** ISO 3166-1 alpha-2; empty where it is not known. */
  readonly country: string
  readonly requests: number
  /** Requests that were refused, or would have been in observe mode. */
  readonly refused: number
}

/** A refusal that an operator calls a false positive. */
export interface FalsePositive {
  /** Id of the request. */
  readonly request: string
  /** The decisive rule. */
  readonly rule: string
  /** When it was marked, epoch milliseconds. */
  readonly time: number
  readonly operator: string
  readonly note: string
}

/** An address or principal whose requests were refused, and its last one. */
export interface RefusedActor {
  readonly requests: number
  readonly last: StoredEvent
}

/** How many events a store keeps, and their size in bytes. */
export interface TrafficSize {
  readonly events: number
  readonly bytes: number
  /** Epoch milliseconds of the oldest event; undefined when there is none. */
  readonly oldest: number | undefined
}

/** Requests and findings of the last days, bounded by size and age. */
export interface TrafficStore {
  /** Keeps events and adds counts, all or nothing. @throws StoreError when they cannot be written */
  write(
    events: readonly TrafficEvent[],
    counts: readonly TrafficCount[],
    places?: readonly PlaceCount[],
  ): Promise<void>
  /** Newest first. */
  find(query: TrafficQuery): Promise<readonly StoredEvent[]>
  /**
   * Every kept request since a time, in pages in the order of their first numbers; a page may hold older ones
   * too.
   * @param what `heads` where nothing is going to be opened, which reads a fraction
   * @param share leaves out pages that hold no request of one's own, by `isInShare`
   */
  pages(from: number, what: 'heads' | 'whole', share?: PageShare): AsyncIterable<RequestPage>
  /**
   * Puts requests that are on no page onto one: kept by an earlier version, or by a process that was killed.
   * @returns whether there were any
   */
  pack(): Promise<boolean>
  /** How many requests are kept since a time. */
  requestsFrom(from: number): Promise<number>
  /** Every event about a request, oldest first; 50 at most. */
  ofRequest(id: string): Promise<readonly StoredEvent[]>
  /** Counts from a time on, epoch milliseconds. */
  counts(from: number): Promise<readonly TrafficCount[]>
  /** Counts by hour and country from a time on, epoch milliseconds. */
  places(from: number): Promise<readonly PlaceCount[]>
  /** Marks a refusal as a false positive; a second mark of the same request replaces the first. */
  mark(mark: FalsePositive): Promise<void>
  /** @returns whether there was such a mark */
  unmark(request: string): Promise<boolean>
  /** Marks, newest first; 1,000 at most. */
  marks(): Promise<readonly FalsePositive[]>
  /** The addresses that most was refused to since a time. */
  refusedActors(from: number, limit: number): Promise<readonly RefusedActor[]>
  /** Removes what is too old or too much. */
  prune(now: number): Promise<void>
  /** Makes what a principal sent unreadable, and not to be found by their name or address. */
  erase(principal: string, tenant: string): Promise<void>
  size(): Promise<TrafficSize>
  close(): Promise<void>
}
