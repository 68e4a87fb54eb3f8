import type { Exchange, Kept, Timers } from '@postern/core'
import type { CompiledLimit } from '../limit/limit.ts'
import type { LimitStore } from '../limit/limit-store.ts'
import { Question } from '../limit/question.ts'
import type { Rule } from '../rule/rule.ts'

/** A place that a request has in a concurrency limit. */
export interface Place {
  readonly limit: CompiledLimit
  readonly key: string
  readonly rule: Rule
  /** The store's own word for the place; NaN while there is none. */
  ticket: number
  readonly cost: number
  /** Nearly every request has one place or none: a list would be one more thing to make for each. */
  next: Place | undefined
}

/** A request's places in concurrency limits, and in the process. Places are held in a chain. */
export interface Held extends Kept {
  readonly entered: boolean
  place: Place | undefined
  /** Whether it was held at the last look already. */
  isOld: boolean
  /** Whether it is in the chain, and its neighbours there. */
  isChained: boolean
  older: Held | undefined
  newer: Held | undefined
}

/** Takes the place of what was held: another guard's may still be in the map. */
const LET_GO: Kept = { owner: {} }

/**
 * The places in concurrency limits of requests that are being handled. Leases end by themselves, so those of
 * long requests are renewed while the request goes on.
 */
export class HeldPlaces {
  readonly #store: LimitStore
  readonly #timers: Timers
  /** What is held for exchanges that another guard keeps something on. */
  readonly #elsewhere = new WeakMap<Exchange, Held>()
  /** The last of the chain of what has places; a `Set` cost each request more than its place. */
  #newest: Held | undefined
  #renewing: (() => void) | undefined
  #renewEvery = Number.POSITIVE_INFINITY

  constructor(store: LimitStore, timers: Timers) {
    this.#store = store
    this.#timers = timers
  }

  /** Whether no request has a place. */
  get isEmpty(): boolean {
    return this.#newest === undefined
  }

  /** @param entered whether the request also counts in the load of the process */
  hold(exchange: Exchange, entered: boolean, place: Place | undefined): void {
    const held: Held = {
      owner: this,
      entered,
      place,
      isOld: false,
      isChained: false,
      older: undefined,
      newer: undefined,
    }
    if (place !== undefined) this.#renewLater(held, place)
    if (exchange.kept === undefined) exchange.kept = held
    else this.#elsewhere.set(exchange, held)
  }

  /** Adds places to those that are held already. */
  holdMore(exchange: Exchange, place: Place): void {
    const held = this.letGo(exchange)
    this.hold(exchange, held?.entered ?? false, joined(place, held?.place))
  }

  /** What is held for an exchange. */
  heldFor(exchange: Exchange): Held | undefined {
    const { kept } = exchange
    if (kept === undefined) return undefined
    return kept.owner === this ? (kept as Held) : this.#elsewhere.get(exchange)
  }

  /** What is held for an exchange, which is then no longer held. */
  letGo(exchange: Exchange): Held | undefined {
    const held = this.heldFor(exchange)
    if (held === undefined) return undefined
    if (exchange.kept === held) exchange.kept = LET_GO
    else this.#elsewhere.delete(exchange)
    this.#unchain(held)
    return held
  }

  /** Gives places back to the store. */
  release(first: Place): void {
    for (let place: Place | undefined = first; place !== undefined; place = place.next)
      if (!Number.isNaN(place.ticket))
        this.#store.release(place.limit, place.key, place.rule, place.ticket, place.cost)
  }

  /** Gives back the places of limits that do not count streams of events, for a request that became one. */
  releaseQuiet(held: Held): void {
    let counted: Place | undefined
    for (let place = held.place; place !== undefined; ) {
      const { next } = place
      // Not copied: a place that is being renewed gets its ticket later.
      if (place.limit.eventStreams === 'free') {
        place.next = undefined
        this.release(place)
      } else {
        place.next = counted
        counted = place
      }
      place = next
    }
    held.place = counted
  }

  /** Looks after a quarter of the shortest lease: what was held by then already is renewed. */
  #renewLater(held: Held, first: Place): void {
    this.#chain(held)
    let shortest = first.rule.window
    for (let place = first.next; place !== undefined; place = place.next)
      if (place.rule.window < shortest) shortest = place.rule.window
    if (shortest / 4 < this.#renewEvery) {
      this.#renewEvery = shortest / 4
      this.#renewing?.()
      this.#renewing = undefined
    }
    this.#renewing ??= this.#timers.after(this.#renewEvery, () => this.#renewAll())
  }

  #renewAll(): void {
    this.#renewing = undefined
    for (let held = this.#newest; held !== undefined; held = held.older) {
      if (held.isOld)
        for (let place = held.place; place !== undefined; place = place.next) void this.#renew(held, place)
      held.isOld = true
    }
    if (!this.isEmpty) this.#renewing = this.#timers.after(this.#renewEvery, () => this.#renewAll())
  }

  /**
   * Gives a place back and takes it again, in one call of the store; one that others took meanwhile is tried
   * for at the next look.
   */
  async #renew(held: Held, place: Place): Promise<void> {
    const { limit, key, rule, cost } = place
    if (!Number.isNaN(place.ticket)) this.#store.release(limit, key, rule, place.ticket, cost)
    place.ticket = Number.NaN
    const question = new Question()
    question.ask(limit, key, rule, cost)
    try {
      await this.#store.decide(question)
    } catch {
      return
    }
    const ticket = question.refused < 0 ? (question.tickets[0] as number) : Number.NaN
    if (held.isChained && isHeld(place, held)) place.ticket = ticket
    else if (!Number.isNaN(ticket)) this.#store.release(limit, key, rule, ticket, cost)
  }

  #chain(held: Held): void {
    held.isChained = true
    held.older = this.#newest
    if (this.#newest !== undefined) this.#newest.newer = held
    this.#newest = held
  }

  #unchain(held: Held): void {
    if (!held.isChained) return
    const { older, newer } = held
    if (older !== undefined) older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    held.isChained = false
    held.older = undefined
    held.newer = undefined
  }
}

/** Whether a place is still among those that are held: it may have been given back while it was renewed. */
function isHeld(wanted: Place, { place: first }: Held): boolean {
  for (let place = first; place !== undefined; place = place.next) if (place === wanted) return true
  return false
}

/** One list of places from two. */
function joined(first: Place, rest: Place | undefined): Place {
  return { ...first, next: first.next === undefined ? rest : joined(first.next, rest) }
}

/** The places that an answered question took. */
export function placesOf(question: Question): Place | undefined {
  let first: Place | undefined
  for (let i = question.count - 1; i >= 0; i--) {
    const rule = question.rules[i] as Rule
    if (rule.kind !== 'concurrency' || question.costs[i] === 0) continue
    first = {
      limit: question.limits[i] as CompiledLimit,
      key: question.keys[i] as string,
      rule,
      ticket: question.tickets[i] as number,
      cost: question.costs[i] as number,
      next: first,
    }
  }
  return first
}
