import {
  ALLOW,
  type AnswerHead,
  type Decision,
  type Duration,
  type Event,
  type Exchange,
  type Guard,
  type Health,
  type HealthProbe,
  isPreflight,
  type Kept,
  type Mode,
  type Outcome,
  parseDuration,
  type RouteMatch,
  systemTimers,
  type Timers,
} from '@postern/core'
import type { FailurePolicy } from './failure-policy.ts'
import { FailureTolerantStore } from './failure-tolerant-store.ts'
import { boundedKey, type LimitStage, writtenKey } from './key.ts'
import { type CompiledLimit, compileLimits, compileRouteLimits, type Limit } from './limit.ts'
import { limitRefusal, unavailableRefusal } from './limit-refusal.ts'
import type { LimitStore } from './limit-store.ts'
import { LoadShedding, type LoadSheddingOptions, overloadRefusal } from './load-shedding.ts'
import { memoryStore } from './memory-store.ts'
import { Question } from './question.ts'
import { type HeaderStyle, RateLimitHeaders } from './rate-limit-headers.ts'
import { RefusalEvents } from './refusal-events.ts'
import type { Rule } from './rule.ts'

export interface ThrottleOptions {
  /** Default: `memoryStore()`. */
  readonly store?: LimitStore
  /** Limits for all requests; routes may add theirs. */
  readonly limits?: readonly Limit[]
  /**
   * What to do while a store beyond this process does not answer in time: let everything pass (`open`),
   * answer 503 (`closed`), or count in this process with a share of each limit (`local({ share })`, the
   * default with a share of 1).
   */
  readonly onStoreFailure?: FailurePolicy
  /** How long a decision may wait for the store. Default: `50ms`. */
  readonly deadline?: Duration
  /**
   * `two` where an engine learns between two guards who acts: this guard then decides the limits that are
   * known on arrival, and `identified`, placed after the guard that identifies, those about principals,
   * tenants and API keys. Each stage takes from all of its limits or from none; a request that the second
   * stage refuses keeps what the first took. Default: `one`.
   */
  readonly stages?: 'one' | 'two'
  /** Sheds load when the whole process has too much to do. Off unless given. */
  readonly overload?: LoadSheddingOptions
  /** Default: `standard`. */
  readonly headers?: HeaderStyle
  /** Overrides the engine's mode. */
  readonly mode?: Mode
  /** Where `limit.refused` events go: the engine's `emit`. */
  readonly onEvent?: (event: Event) => void
  /** How long refusals of one caller are counted together. Default: `10m`. */
  readonly eventSpan?: Duration
  readonly timers?: Timers
}

/** How much a key has of a limit. */
export interface Standing {
  readonly name: string
  readonly key: string
  readonly rule: Rule
  /** Units left. */
  readonly remaining: number
  /** Milliseconds until all of the limit is available again. */
  readonly resetAfter: number
  /** Milliseconds until one unit may be taken; 0 when one may now. */
  readonly retryAfter: number
}

/** Figures since the start, for metrics. */
export interface ThrottleFigures {
  readonly decisions: number
  readonly refused: number
  /** Decisions that the failure policy made because the store did not answer. */
  readonly degraded: number
}

/** A request's places in concurrency limits, and in the process. */
interface Held extends Kept {
  readonly entered: boolean
  place: Place | undefined
  /** Whether it was held at the last look already. */
  isOld: boolean
}

interface Place {
  readonly limit: CompiledLimit
  readonly key: string
  readonly rule: Rule
  /** The store's own word for the place; NaN while there is none. */
  ticket: number
  readonly cost: number
  /** Nearly every request has one place or none: a list would be one more thing to make for each. */
  readonly next: Place | undefined
}

/** Limits by when they are asked. */
interface Staged {
  readonly all: readonly CompiledLimit[]
  readonly arrival: readonly CompiledLimit[]
  readonly identified: readonly CompiledLimit[]
}

const NONE: readonly never[] = []
/** Takes the place of what was held: another guard's may still be in the map. */
const LET_GO: Kept = { owner: {} }
/** Questions kept for the next request; more in flight make new ones. */
const SPARE_QUESTIONS = 1_024

/**
 * The guard that holds limits. All limits of one request are one decision: it takes from all of them, or,
 * when one refuses, from none. Synchronous while keys and store are.
 */
export class Throttle implements Guard, HealthProbe {
  readonly name = 'throttle'
  readonly failure: 'open' | 'closed'
  declare readonly mode?: Mode
  /**
   * The guard of the second stage: limits about principals. What it takes is given back by this guard's
   * `settle`.
   */
  readonly identified: Guard
  readonly #stages: 'one' | 'two'
  readonly #store: LimitStore
  readonly #headers: RateLimitHeaders
  readonly #overload: LoadShedding | undefined
  readonly #events: RefusalEvents | undefined
  readonly #spare: Question[] = []
  /** What is held for exchanges that another guard keeps something on. */
  readonly #held = new WeakMap<Exchange, Held>()
  /** What has places in concurrency limits now: leases end, and are renewed while the exchange goes on. */
  readonly #placed = new Set<Held>()
  readonly #timers: Timers
  #renewing: (() => void) | undefined
  #renewEvery = Number.POSITIVE_INFINITY
  #limits: Staged
  /** Per route, the global limits followed by its own. Anew with each `replace`. */
  #byRoute = new Map<string, { readonly settings: object; readonly limits: Staged }>()
  #decisions = 0
  #refused = 0
  #degraded = 0

  /** @throws ConfigError for limits that cannot be used */
  constructor(options: ThrottleOptions = {}) {
    const store = options.store ?? memoryStore()
    const policy = options.onStoreFailure ?? { local: 1 }
    const deadline = parseDuration(options.deadline ?? '50ms', 'deadline')
    this.#store = store.name === 'memory' ? store : new FailureTolerantStore(store, { policy, deadline })
    this.failure = policy === 'open' ? 'open' : 'closed'
    this.#timers = options.timers ?? systemTimers
    if (options.mode !== undefined) this.mode = options.mode
    this.#stages = options.stages ?? 'one'
    this.#limits = this.#staged(compileLimits(options.limits ?? NONE))
    this.identified = {
      name: this.name,
      failure: this.failure,
      ...(options.mode !== undefined && { mode: options.mode }),
      decide: exchange => this.#decideIdentified(exchange),
      wouldRefuse: exchange => this.#look(exchange, this.#limitsFor(exchange.route)?.identified),
    }
    this.#headers = new RateLimitHeaders(options.headers ?? 'standard')
    this.#overload = options.overload === undefined ? undefined : new LoadShedding(options.overload)
    if (options.onEvent !== undefined) {
      this.#events = new RefusalEvents(
        options.onEvent,
        parseDuration(options.eventSpan ?? '10m', 'eventSpan'),
      )
    }
  }

  decide(exchange: Exchange): Decision | Promise<Decision> {
    const limits = this.#limitsFor(exchange.route)?.arrival
    if (limits === undefined || isPreflight(exchange)) return ALLOW
    this.#decisions++
    if (this.#overload?.enter(exchange) === 'shed') {
      this.#refused++
      return overloadRefusal(exchange, this.#overload)
    }
    if (limits.length === 0) return this.#allow(exchange, undefined)
    try {
      const decided = this.#decide(exchange, limits, 'arrival')
      if (decided instanceof Promise && this.#overload !== undefined)
        return decided.catch(error => this.#fail(error))
      return decided
    } catch (error) {
      return this.#fail(error)
    }
  }

  wouldRefuse(exchange: Exchange): Decision | Promise<Decision> {
    return this.#look(exchange, this.#limitsFor(exchange.route)?.arrival)
  }

  #look(exchange: Exchange, limits: readonly CompiledLimit[] = NONE): Decision | Promise<Decision> {
    if (limits.length === 0 || isPreflight(exchange)) return ALLOW
    const keys = limits.map(({ when, key }) => (when?.(exchange) === false ? undefined : key(exchange)))
    return keys.some(key => key instanceof Promise)
      ? Promise.all(keys).then(known => this.#lookAt(exchange, limits, known))
      : this.#lookAt(exchange, limits, keys as readonly (string | undefined)[])
  }

  /** Asks for nothing of each limit, which tells how much is left of it. */
  #lookAt(
    exchange: Exchange,
    limits: readonly CompiledLimit[],
    keys: readonly (string | undefined)[],
  ): Decision | Promise<Decision> {
    const question = new Question()
    const costs: number[] = []
    for (const [i, limit] of limits.entries()) {
      ask(question, limit, keys[i], exchange, 0)
      if (question.count > costs.length) costs.push(limit.costOf?.(exchange) ?? limit.cost)
    }
    const said = (): Decision => {
      const at = costs.findIndex((cost, i) => (question.remaining[i] as number) < cost)
      const limit = limits.find(({ name }) => name === question.limits[at]?.name)
      if (limit === undefined || question.degraded) return ALLOW
      question.refused = at
      return limitRefusal(question, limit, limits)
    }
    const pending = this.#store.decide(question)
    return pending === undefined ? said() : pending.then(said)
  }

  #decideIdentified(exchange: Exchange): Decision | Promise<Decision> {
    const limits = this.#limitsFor(exchange.route)?.identified
    return limits === undefined || limits.length === 0 || isPreflight(exchange)
      ? ALLOW
      : this.#decide(exchange, limits, 'identified')
  }

  #staged(all: readonly CompiledLimit[]): Staged {
    if (this.#stages === 'one') return { all, arrival: all, identified: NONE }
    return {
      all,
      arrival: all.filter(({ stage }) => stage === 'arrival'),
      identified: all.filter(({ stage }) => stage === 'identified'),
    }
  }

  #fail(error: unknown): never {
    this.#overload?.leave()
    throw error
  }

  #decide(
    exchange: Exchange,
    limits: readonly CompiledLimit[],
    stage: LimitStage,
  ): Decision | Promise<Decision> {
    const question = this.#spare.pop() ?? new Question()
    question.clear()
    for (let i = 0; i < limits.length; i++) {
      const limit = limits[i] as CompiledLimit
      if (limit.when !== undefined && !limit.when(exchange)) continue
      const key = limit.key(exchange)
      if (key instanceof Promise) return this.#decideLater(exchange, limits, stage, question, i, key)
      ask(question, limit, key, exchange)
    }
    const pending = this.#store.decide(question)
    if (pending === undefined) return this.#conclude(exchange, limits, stage, question)
    return pending.then(() => this.#conclude(exchange, limits, stage, question))
  }

  /** The same from the first key that had to be waited for. */
  async #decideLater(
    exchange: Exchange,
    limits: readonly CompiledLimit[],
    stage: LimitStage,
    question: Question,
    at: number,
    first: Promise<string | undefined>,
  ): Promise<Decision> {
    ask(question, limits[at] as CompiledLimit, await first, exchange)
    for (let i = at + 1; i < limits.length; i++) {
      const limit = limits[i] as CompiledLimit
      if (limit.when === undefined || limit.when(exchange))
        ask(question, limit, await limit.key(exchange), exchange)
    }
    await this.#store.decide(question)
    return this.#conclude(exchange, limits, stage, question)
  }

  #conclude(
    exchange: Exchange,
    limits: readonly CompiledLimit[],
    stage: LimitStage,
    question: Question,
  ): Decision {
    if (question.degraded) this.#degraded++
    const decision =
      question.refused < 0
        ? this.#admit(exchange, stage, question)
        : this.#refuse(exchange, limits, stage, question)
    if (this.#spare.length < SPARE_QUESTIONS) this.#spare.push(question)
    return decision
  }

  #admit(exchange: Exchange, stage: LimitStage, question: Question): Decision {
    this.#headers.write(exchange, question, stage)
    const place = firstPlace(question)
    return stage === 'arrival' ? this.#allow(exchange, place) : this.#allowMore(exchange, place)
  }

  /**
   * Adds places to those that are held. An exchange that ended while its limits were asked gives them back at
   * once.
   */
  #allowMore(exchange: Exchange, place: Place | undefined): Decision {
    if (place === undefined) return ALLOW
    if (exchange.settled) {
      this.#release(place)
      return ALLOW
    }
    const held = this.#letGo(exchange)
    const entered = held?.entered ?? false
    this.#hold(exchange, { owner: this, entered, place: joined(place, held?.place), isOld: false })
    return ALLOW
  }

  #allow(exchange: Exchange, place: Place | undefined): Decision {
    if (this.#overload !== undefined || place !== undefined) {
      this.#hold(exchange, { owner: this, entered: this.#overload !== undefined, place, isOld: false })
    }
    return ALLOW
  }

  #hold(exchange: Exchange, held: Held): void {
    if (held.place !== undefined) this.#renewLater(held, held.place)
    if (exchange.kept === undefined) exchange.kept = held
    else this.#held.set(exchange, held)
  }

  /** What is held for an exchange, which is then no longer held. */
  #letGo(exchange: Exchange): Held | undefined {
    const { kept } = exchange
    if (kept === undefined) return undefined
    const held = this.#heldFor(exchange)
    if (held === undefined) return undefined
    if (kept === held) exchange.kept = LET_GO
    else this.#held.delete(exchange)
    this.#placed.delete(held)
    return held
  }

  #refuse(
    exchange: Exchange,
    limits: readonly CompiledLimit[],
    stage: LimitStage,
    question: Question,
  ): Decision {
    this.#refused++
    // In the second stage the place in the process is held, and given back when the exchange ends.
    if (stage === 'arrival') this.#overload?.leave()
    const at = question.refused
    const limit = limits.find(({ name }) => name === question.limits[at]?.name)
    if (limit === undefined || (question.degraded && question.retryAfter[at] === 0))
      return unavailableRefusal()
    this.#headers.write(exchange, question, stage)
    const refusal = limitRefusal(question, limit, limits)
    this.#events?.note(exchange, refusal, limit.name, limit.kind, question.keys[at] as string)
    return refusal
  }

  settle(exchange: Exchange, outcome: Outcome): void {
    const held = this.#letGo(exchange)
    if (held === undefined) return
    if (held.entered) this.#overload?.settle(outcome)
    if (held.place !== undefined) this.#release(held.place)
  }

  #heldFor(exchange: Exchange): Held | undefined {
    const { kept } = exchange
    return kept?.owner === this ? (kept as Held) : this.#held.get(exchange)
  }

  /** A stream of events gives its places back where the limit says so: it is open for hours, and quiet. */
  onAnswer(exchange: Exchange, head: AnswerHead): void {
    if (this.#placed.size === 0) return
    const held = this.#heldFor(exchange)
    if (held?.place === undefined || head.get('content-type')?.startsWith('text/event-stream') !== true)
      return
    let counted: Place | undefined
    for (let place: Place | undefined = held.place; place !== undefined; place = place.next) {
      const alone = { ...place, next: undefined }
      if (place.limit.eventStreams === 'free') this.#release(alone)
      else counted = { ...place, next: counted }
    }
    held.place = counted
  }

  /** Looks after a quarter of the shortest lease: what was held by then already is renewed. */
  #renewLater(held: Held, first: Place): void {
    this.#placed.add(held)
    const { window } = first.rule
    if (window / 4 < this.#renewEvery) {
      this.#renewEvery = window / 4
      this.#renewing?.()
      this.#renewing = undefined
    }
    this.#renewing ??= this.#timers.after(this.#renewEvery, () => this.#renewAll())
  }

  #renewAll(): void {
    this.#renewing = undefined
    for (const held of this.#placed) {
      if (held.isOld)
        for (let place = held.place; place !== undefined; place = place.next) void this.#renew(held, place)
      held.isOld = true
    }
    if (this.#placed.size > 0) this.#renewing = this.#timers.after(this.#renewEvery, () => this.#renewAll())
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
    const isHeld = this.#placed.has(held)
    if (isHeld) place.ticket = ticket
    else if (!Number.isNaN(ticket)) this.#store.release(limit, key, rule, ticket, cost)
  }

  #release(first: Place): void {
    for (let place: Place | undefined = first; place !== undefined; place = place.next)
      if (!Number.isNaN(place.ticket))
        this.#store.release(place.limit, place.key, place.rule, place.ticket, place.cost)
  }

  /** The limits for a route, or undefined when it lifts them all. */
  #limitsFor(route: RouteMatch | undefined): Staged | undefined {
    const settings = route?.settings.throttle
    if (route === undefined || settings === undefined) return this.#limits
    if (settings === false) return undefined
    const known = this.#byRoute.get(route.pattern)
    if (known?.settings === settings) return known.limits
    const own = compileRouteLimits(route.pattern, settings)
    // Of two limits of one name only one may count a request, or both would pass on the same last unit.
    const limits = this.#staged([
      ...this.#limits.all.filter(({ name }) => own.every(other => other.name !== name)),
      ...own,
    ])
    this.#byRoute.set(route.pattern, { settings, limits })
    return limits
  }

  /**
   * Holds other limits from now on; what was counted under names and windows that stay is kept.
   * @throws ConfigError for limits that cannot be used; the old ones then stay
   */
  replace(limits: readonly Limit[]): void {
    this.#limits = this.#staged(compileLimits(limits))
    this.#byRoute = new Map()
  }

  /**
   * How much a key has of a limit, without taking any. Undefined for a limit whose rule depends on the
   * request, unless a rule is given.
   * @param name of the limit; for a nameless one of a route: `route`, and its key is the pattern, a space,
   * and the key
   * @throws StoreError (rejects) when the store does not answer
   */
  async peek(name: string, key: string, rule?: Rule): Promise<Standing | undefined> {
    const limit = this.#named(name)
    const used = rule ?? limit?.rule
    if (limit === undefined || used === undefined) return undefined
    const question = new Question()
    question.ask(limit, boundedKey(key), used, 0)
    await this.#store.decide(question)
    return {
      name,
      key,
      rule: used,
      remaining: question.remaining[0] as number,
      resetAfter: question.resetAfter[0] as number,
      retryAfter: question.retryAfter[0] as number,
    }
  }

  /**
   * Where a key stands in every limit whose rule does not depend on the request.
   * @throws StoreError (rejects) as `peek`
   */
  async show(key: string): Promise<readonly Standing[]> {
    const standings = await Promise.all(this.#limits.all.map(({ name }) => this.peek(name, key)))
    return standings.filter(standing => standing !== undefined)
  }

  /**
   * Forgets what a key has used, under one limit or all of them.
   * @throws StoreError (rejects) when the store does not answer
   */
  async reset(key: string, name?: string): Promise<void> {
    const limits = name === undefined ? this.#limits.all : [this.#named(name)]
    await Promise.all(limits.map(limit => limit && this.#store.reset(limit, boundedKey(key))))
  }

  #named(name: string): CompiledLimit | undefined {
    const own = this.#limits.all.find(limit => limit.name === name)
    if (own !== undefined) return own
    for (const { limits } of this.#byRoute.values()) {
      const found = limits.all.find(limit => limit.name === name)
      if (found !== undefined) return found
    }
    return undefined
  }

  figures(): ThrottleFigures {
    return { decisions: this.#decisions, refused: this.#refused, degraded: this.#degraded }
  }

  health(): Health {
    return this.#store.health()
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

/** The guard that holds limits; see `Throttle`. @throws ConfigError for limits that cannot be used */
export function throttle(options: ThrottleOptions = {}): Throttle {
  return new Throttle(options)
}

/** Adds what a limit asks of a request to the question, unless it does not apply. */
function ask(
  question: Question,
  limit: CompiledLimit,
  key: string | undefined,
  exchange: Exchange,
  taken?: 0,
): void {
  if (key === undefined) return
  const rule = limit.own?.(key) ?? limit.rule ?? limit.ruleOf?.(exchange)
  if (rule === undefined) return
  if (limit.exempt !== undefined && isExempt(limit, limit.exempt, key)) return
  if (limit.exemptNetworks?.has(exchange.client) === true) return
  const cost = taken ?? (limit.costOf === undefined ? limit.cost : limit.costOf(exchange))
  question.ask(limit, boundedKey(limit.prefix === '' ? key : limit.prefix + key), rule, cost)
}

function isExempt(limit: CompiledLimit, exempt: ReadonlySet<string>, key: string): boolean {
  return exempt.has(key) || exempt.has(writtenKey(limit.kind, boundedKey(limit.prefix + key)))
}

/** One list of places from two. */
function joined(first: Place, rest: Place | undefined): Place {
  return { ...first, next: first.next === undefined ? rest : joined(first.next, rest) }
}

function firstPlace(question: Question): Place | undefined {
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
