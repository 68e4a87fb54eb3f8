import { networkOf, parseAddress } from '@postern/core'
import { type EncodedPage, encodePage } from './packed-page.ts'
import { isPaged, type NumberedEvent, type PageTokens, tokenNumber } from './request-page.ts'
import type { TrafficEvent } from './traffic-event.ts'

/** A page, and the range of numbers of which it holds every request. */
export interface CutPage extends EncodedPage {
  /** Number before the range. */
  readonly after: number
  /** Last number of the range. */
  readonly covered: number
}

/** Finds somebody without naming them. */
export type Token = (kind: 'address' | 'principal', value: string) => Uint8Array

/** Requests of a page, at most: with more of them, each person's box is opened for more of theirs at once. */
const PAGE_REQUESTS = 2_048
/** A page spans no more, so that what is too old leaves in time. */
const HOUR_MS = 3_600_000
const PREFIX_V6 = 48
const MAX_TOKENS = 20_000

/**
 * Requests that were written and are on no page yet. Immutable, so that a write that failed leaves what was
 * before: what `with` returns is kept only once it is durable.
 */
export class PageTail {
  readonly #after: number
  readonly #events: readonly NumberedEvent[]

  /** @param after number up to which pages hold every request, or are not to */
  constructor(after: number, events: readonly NumberedEvent[] = []) {
    this.#after = after
    this.#events = events
  }

  /**
   * With a batch that is being written, and the pages that this makes full.
   * @param ids of the events, ascending
   */
  with(
    events: readonly TrafficEvent[],
    ids: readonly number[],
    tokensOf: (event: TrafficEvent) => PageTokens,
  ): { readonly pages: readonly CutPage[]; readonly tail: PageTail } {
    const added = events.flatMap((kept, i) =>
      isPaged(kept.event) ? [{ id: ids[i] ?? 0, kept, tokens: tokensOf(kept) }] : [],
    )
    const all = this.#events.length === 0 ? added : [...this.#events, ...added]
    const pages: CutPage[] = []
    let after = this.#after
    let at = 0
    while (all.length - at >= PAGE_REQUESTS) {
      const own = all.slice(at, at + PAGE_REQUESTS)
      const covered = own.at(-1)?.id ?? after
      pages.push({ ...encodePage(own), after, covered })
      after = covered
      at += PAGE_REQUESTS
    }
    const rest = at === 0 ? all : all.slice(at)
    if (spanOf(rest) < HOUR_MS) return { pages, tail: new PageTail(after, rest) }
    const last = ids.at(-1) ?? after
    return { pages: [...pages, { ...encodePage(rest), after, covered: last }], tail: new PageTail(last) }
  }

  /** What is left as a page, where nothing more comes. @param last number that was written */
  rest(last: number): CutPage | undefined {
    if (this.#events.length === 0) return undefined
    return { ...encodePage(this.#events), after: this.#after, covered: last }
  }

  /** Number up to which pages hold every request, or others put them there. */
  get after(): number {
    return this.#after
  }
}

/**
 * A page of events that were read again from a gap. @param covered number up to which the gap holds no others
 */
export function pageOfGap(
  events: readonly NumberedEvent[],
  { after, covered }: { readonly after: number; readonly covered: number },
): CutPage {
  return { ...encodePage(events), after, covered }
}

function spanOf(events: readonly NumberedEvent[]): number {
  const [first] = events
  const last = events.at(-1)
  return first === undefined || last === undefined ? 0 : last.kept.event.time - first.kept.event.time
}

/** Tokens of who sent an event, each computed once for as long as few are different. */
export class PageTokenCache {
  readonly #token: Token
  #known = new Map<string, number>()

  constructor(token: Token) {
    this.#token = token
  }

  of({ event: { actor } }: TrafficEvent): PageTokens {
    const { address, principal, tenant } = actor
    return {
      network: address === undefined ? 0 : this.#number('address', networkText(address)),
      principal: principal === undefined ? 0 : this.#number('principal', principal),
      tenant: tenant === undefined ? 0 : this.#number('principal', `tenant\n${tenant}`),
    }
  }

  #number(kind: 'address' | 'principal', value: string): number {
    const name = `${kind}\n${value}`
    const known = this.#known.get(name)
    if (known !== undefined) return known
    if (this.#known.size >= MAX_TOKENS) this.#known = new Map()
    const number = tokenNumber(this.#token(kind, value))
    this.#known.set(name, number)
    return number
  }
}

/** Whatever is held against an address of IPv6 is held against its /48 at most. */
function networkText(address: string): string {
  if (!address.includes(':')) return address
  const parsed = parseAddress(address)
  return parsed === undefined ? address : networkOf(parsed, { v6: PREFIX_V6 })
}
