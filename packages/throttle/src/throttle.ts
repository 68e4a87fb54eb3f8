import {
  ALLOW,
  type AnswerHead,
  type Decision,
  type Exchange,
  type Guard,
  type Health,
  type HealthProbe,
  isPreflight,
  type Mode,
  type Outcome,
  parseDuration,
  type RouteMatch,
  systemTimers,
} from '@postern/core'
import { limitRefusal, unavailableRefusal } from './answer/limit-refusal.ts'
import { RateLimitHeaders } from './answer/rate-limit-headers.ts'
import { RefusalEvents } from './answer/refusal-events.ts'
import { FailureTolerantStore } from './failure/failure-tolerant-store.ts'
import { askLimit } from './guard/ask-limit.ts'
import { HeldPlaces, type Place, placesOf } from './guard/held-places.ts'
import { lookAt } from './guard/look-at-limits.ts'
import { boundedKey, type LimitStage } from './limit/key.ts'
import { type CompiledLimit, compileLimits, compileRouteLimits, type Limit } from './limit/limit.ts'
import type { LimitStore } from './limit/limit-store.ts'
import { Question } from './limit/question.ts'
import { LoadShedding, overloadRefusal } from './load/load-shedding.ts'
import { memoryStore } from './memory/memory-store.ts'
import type { Rule } from './rule/rule.ts'
import type { ThrottleOptions } from './throttle-options.ts'

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

/** Limits by when they are asked. */
interface Staged {
  readonly all: readonly CompiledLimit[]
  readonly arrival: readonly CompiledLimit[]
  readonly identified: readonly CompiledLimit[]
}

const NONE: readonly never[] = []
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
  readonly #places: HeldPlaces
  #limits: Staged
  /** Per route, the global limits followed by its own. Compiled again by each `replace`. */
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
    this.#places = new HeldPlaces(this.#store, options.timers ?? systemTimers)
    if (options.mode !== undefined) this.mode = options.mode
    this.#stages = options.stages ?? 'one'
    this.#limits = this.#staged(compileLimits(options.limits ?? NONE))
    this.identified = {
      name: this.name,
      failure: this.failure,
      ...(options.mode !== undefined && { mode: options.mode }),
      decide: exchange => this.#decideIdentified(exchange),
      wouldRefuse: exchange => lookAt(this.#store, exchange, this.#limitsFor(exchange.route)?.identified),
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
    return lookAt(this.#store, exchange, this.#limitsFor(exchange.route)?.arrival)
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
      askLimit(question, limit, key, exchange)
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
    askLimit(question, limits[at] as CompiledLimit, await first, exchange)
    for (let i = at + 1; i < limits.length; i++) {
      const limit = limits[i] as CompiledLimit
      if (limit.when === undefined || limit.when(exchange))
        askLimit(question, limit, await limit.key(exchange), exchange)
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
    const place = placesOf(question)
    return stage === 'arrival' ? this.#allow(exchange, place) : this.#allowMore(exchange, place)
  }

  /**
   * Adds places to those that are held. An exchange that ended while its limits were asked gives them back at
   * once.
   */
  #allowMore(exchange: Exchange, place: Place | undefined): Decision {
    if (place === undefined) return ALLOW
    if (exchange.settled) this.#places.release(place)
    else this.#places.holdMore(exchange, place)
    return ALLOW
  }

  #allow(exchange: Exchange, place: Place | undefined): Decision {
    if (this.#overload !== undefined || place !== undefined)
      this.#places.hold(exchange, this.#overload !== undefined, place)
    return ALLOW
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
    const held = this.#places.letGo(exchange)
    if (held === undefined) return
    if (held.entered) this.#overload?.settle(outcome)
    if (held.place !== undefined) this.#places.release(held.place)
  }

  /** A stream of events gives its places back where the limit says so: it is open for hours, and quiet. */
  onAnswer(exchange: Exchange, head: AnswerHead): void {
    if (this.#places.isEmpty) return
    const held = this.#places.heldFor(exchange)
    if (held?.place === undefined || head.get('content-type')?.startsWith('text/event-stream') !== true)
      return
    this.#places.releaseQuiet(held)
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
    const names = name === undefined ? this.#limits.all.map(limit => limit.name) : [name]
    const inRoutes = Array.from(this.#byRoute.values(), ({ limits }) => limits.all)
    // A route may have a limit of the same name with another window, which counts apart.
    const limits = new Set([this.#limits.all, ...inRoutes].flat().filter(limit => names.includes(limit.name)))
    await Promise.all([...limits].map(limit => this.#store.reset(limit, boundedKey(key))))
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
