import { type Event, type Exchange, HttpEvent } from '@postern/core'
import type { Inspection, Match } from '@postern/inspect'

/** Findings that are remembered, so that each is recorded once an hour. */
const REMEMBERED = 1_000
const AGAIN_MS = 3_600_000

/** Families of attacks that act in a kind of call which is watched, and nowhere else. */
const DECIDED_BY: Readonly<Record<string, DecidingSink>> = { sqli: 'sql', rce: 'command' }

/** Kinds of calls that can show that a value is harmless: it was handed on as data. */
export type DecidingSink = 'sql' | 'command'

/** What a request waits for: each doubtful match, until a call of the application decides it. */
interface Pending {
  readonly matches: readonly Match[]
  /** Locations that a deciding call took as data, with its kind. */
  readonly bound: Set<string>
  isCondemned: boolean
}

/**
 * Records values that inspection let pass in doubt (`Match.isDoubted`) as events `inspection.doubt`, with the
 * setting that ends the doubt: each rule at each parameter of a route once an hour, however many requests
 * bring it.
 *
 * Where calls of the application are watched, a doubt waits until its request has ended. If every doubtful
 * value of a request reached the call that its kind of attack acts in, and each was handed on as data, the
 * event is `inspection.harmless` and nothing else: also in place of a refusal that observe mode noted.
 */
export class DoubtfulValues {
  readonly #emit: (event: Event) => void
  readonly #recorded = new Map<string, number>()
  readonly #pending = new WeakMap<Exchange, Pending>()

  /** @param emit takes the events */
  constructor(emit: (event: Event) => void) {
    this.#emit = emit
  }

  /** Takes what inspection found, and records a doubt at once. */
  record(exchange: Exchange, inspection: Inspection): void {
    const match = inspection.verdict === 'pass' ? inspection.matches.find(isDoubted) : undefined
    if (match !== undefined) this.#tell('inspection.doubt', exchange, match)
  }

  /** Takes what inspection found; `settle` records what is left of the doubt. */
  keep(exchange: Exchange, { verdict, matches }: Inspection): void {
    // What refuses is decided, unless the request goes on in observe mode.
    const open = verdict === 'pass' ? matches.filter(isDoubted) : verdict === 'block' ? matches : []
    if (open.length === 0) return
    this.#pending.set(exchange, { matches: open, bound: new Set(), isCondemned: false })
  }

  /** Where the values stand that a call can show to be harmless. */
  locations(exchange: Exchange): readonly string[] | undefined {
    return this.#pending
      .get(exchange)
      ?.matches.filter(({ family }) => Object.hasOwn(DECIDED_BY, family))
      .map(({ location }) => location)
  }

  /** A call took the value at a location as data. */
  bound(exchange: Exchange, kind: string, location: string): void {
    this.#pending.get(exchange)?.bound.add(`${kind} ${location}`)
  }

  /** A value of the request acted in a call: no doubt is left, and no value is harmless. */
  condemn(exchange: Exchange): void {
    const pending = this.#pending.get(exchange)
    if (pending !== undefined) pending.isCondemned = true
  }

  /** Records what is known of an exchange's doubts when it has ended. */
  settle(exchange: Exchange): void {
    const pending = this.#pending.get(exchange)
    if (pending === undefined) return
    this.#pending.delete(exchange)
    if (pending.isCondemned) return
    const { matches, bound } = pending
    const [first] = matches
    if (first === undefined) return
    const isBlocked = exchange.observed !== undefined
    if (matches.every(match => isCleared(match, bound))) {
      if (isBlocked && !isOnlyInspection(exchange)) return
      exchange.observed = undefined
      this.#tell('inspection.harmless', exchange, first)
      return
    }
    const doubted = matches.find(match => isDoubted(match) && !isCleared(match, bound))
    if (!isBlocked && doubted !== undefined) this.#tell('inspection.doubt', exchange, doubted)
  }

  #tell(type: string, exchange: Exchange, { rule, location, exception }: Match): void {
    const key = `${type} ${exchange.route?.pattern ?? ''} ${location} ${rule}`
    const { time } = exchange
    if (time - (this.#recorded.get(key) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return
    this.#recorded.delete(key)
    this.#recorded.set(key, time)
    for (const oldest of this.#recorded.keys()) {
      if (this.#recorded.size <= REMEMBERED) break
      this.#recorded.delete(oldest)
    }
    const { actor, request } = new HttpEvent(exchange, undefined)
    this.#emit({ type, time, actor, request, data: { rule, location, setting: exception } })
  }
}

function isDoubted(match: Match): boolean {
  return match.isDoubted === true
}

function isCleared({ family, location }: Match, bound: ReadonlySet<string>): boolean {
  return Object.hasOwn(DECIDED_BY, family) && bound.has(`${DECIDED_BY[family]} ${location}`)
}

/** Whether nothing but inspection would have refused an exchange. */
function isOnlyInspection({ observed }: Exchange): boolean {
  return observed?.reasons.every(({ rule }) => rule.startsWith('inspect/')) === true
}
