import { CidrSet } from '../address/cidr.ts'
import { ALLOW, type Decision, type Refusal } from '../decision/decision.ts'
import type { Mode } from '../decision/mode.ts'
import type { Event, EventRecorder } from '../event/event.ts'
import { HttpEvent } from '../event/http-event.ts'
import type { AnswerHead } from '../exchange/answer-head.ts'
import { Exchange, type ExchangeContext, type RecordTime, type RequestSource } from '../exchange/exchange.ts'
import { GuardStopwatch } from '../exchange/guard-stopwatch.ts'
import type { Outcome } from '../exchange/outcome.ts'
import { checkedPrincipal, isSamePrincipal, type Principal } from '../exchange/principal.ts'
import { requestIds } from '../exchange/request-id.ts'
import { checkedDecision, isPending, NotADecision } from '../guard/checked-decision.ts'
import { type CompiledGuard, compiledGuards } from '../guard/compiled-guard.ts'
import { RouteTable } from '../route/route-table.ts'
import { type Clock, systemClock } from '../system/clock.ts'
import { standardErrorLines } from '../system/error-lines.ts'
import type { Health, HealthProbe } from '../system/health.ts'
import { systemRandom } from '../system/random.ts'
import { systemTimers } from '../system/timers.ts'
import type { Around, EngineOptions } from './engine-options.ts'
import { type EventListener, EventPublisher } from './event-publisher.ts'
import { joined, WholeException } from './whole-exception.ts'

/**
 * Runs guards over exchanges, merges their decisions, and turns outcomes into events.
 * Immutable: a new configuration is a new engine.
 *
 * A carrier calls `open`, then `decide`, enforces the decision, and calls `settle`
 * exactly once when the exchange ended.
 */
export class Engine {
  readonly mode: Mode
  readonly clock: Clock
  /**
   * What carriers in the application's own process put around its handler; undefined when
   * there is nothing, so that it costs nothing.
   */
  readonly around: Around | undefined
  /** Whether any guard wants to see the head of an answer; a carrier calls `onAnswer` only then. */
  readonly hasAnswerHooks: boolean
  readonly #guards: readonly CompiledGuard[]
  /** Those that want to know how an exchange ended, and those that want to see the head of its answer. */
  readonly #settling: readonly CompiledGuard[]
  readonly #answering: readonly CompiledGuard[]
  /**
   * Whether the application may name the principal after `decide`; carriers let it
   * find its exchange only then.
   */
  readonly takesPrincipals: boolean
  readonly #identified: readonly CompiledGuard[]
  readonly #recorder: EventRecorder | undefined
  readonly #publisher: EventPublisher
  readonly #record: (exchange: Exchange) => RecordTime
  readonly #onError: (part: string, error: unknown) => void
  readonly #probes: readonly HealthProbe[]
  readonly #context: ExchangeContext
  /** Names of the guards, where they are timed. */
  readonly #timed: readonly string[] | undefined
  readonly #wholeException: WholeException

  constructor(options: EngineOptions = {}) {
    this.mode = options.mode ?? 'enforce'
    this.clock = options.clock ?? systemClock
    this.around = options.around
    this.#guards = compiledGuards(options.guards ?? [])
    this.#settling = this.#guards.filter(({ settle }) => settle !== undefined)
    this.#answering = this.#guards.filter(({ onAnswer }) => onAnswer !== undefined)
    this.#identified = compiledGuards(options.identified ?? [])
    this.takesPrincipals = options.identified !== undefined
    this.hasAnswerHooks = this.#answering.length > 0
    this.#recorder = options.recorder
    this.#record = options.record ?? defaultRecord
    this.#onError = options.onError ?? standardErrorLines(this.clock)
    this.#publisher = new EventPublisher({
      detectors: options.detectors ?? [],
      recorder: options.recorder,
      remediations: options.remediations,
      report: (part, error) => this.#report(part, error),
    })
    this.#probes = options.probes ?? []
    this.#timed = options.timing === 'guards' ? this.#guards.map(({ name }) => name) : undefined
    this.#wholeException = new WholeException({
      clock: this.clock,
      timers: options.timers ?? systemTimers,
      onError: (part, error) => this.#report(part, error),
    })
    this.#context = {
      trustedProxies: options.trustedProxies ?? CidrSet.parse([]),
      routes: options.routes ?? new RouteTable(),
      nextId: requestIds(this.clock, options.random ?? systemRandom),
      mode: this.mode,
      bodyLimit: options.bodyLimit ?? 1_048_576,
      ...(options.style !== undefined && { style: options.style }),
    }
  }

  /**
   * Proxies whose headers about the client's address are trusted; a carrier that
   * forwards requests keeps those headers.
   */
  get trustedProxies(): CidrSet {
    return this.#context.trustedProxies
  }

  /** An exchange for a request that just arrived. */
  open(source: RequestSource): Exchange {
    const exchange = new Exchange(source, this.#context, this.clock.now())
    if (this.#timed !== undefined) exchange.stopwatch = new GuardStopwatch(this.#timed)
    return exchange
  }

  /**
   * Asks the guards. Synchronous when all of them answer at once and nothing must be recorded first.
   * Never throws or rejects: a guard that fails is answered by its failure policy.
   */
  decide(exchange: Exchange): Decision | Promise<Decision> {
    const guards = this.#guards
    exchange.stopwatch?.start(this.clock.monotonic())
    for (let i = 0; i < guards.length; i++) {
      const said = this.#ask(guards[i] as CompiledGuard, exchange)
      if (said instanceof Promise) return this.#decideRest(exchange, i, said)
      if (said !== ALLOW && this.#ends(exchange, guards[i] as CompiledGuard, said))
        return this.#concluded(exchange)
      exchange.passed = i + 1
    }
    return this.#concluded(exchange)
  }

  /**
   * Sets the principal that the application's own code found, and asks the guards that decide about
   * principals. Setting the same principal again asks no guard. A refusal becomes the decision of the
   * exchange, and the carrier enforces it. A failing guard does not reject it.
   * @throws TypeError (rejects) for a value that is not a principal
   */
  async identify(exchange: Exchange, principal: Principal | undefined): Promise<Decision> {
    const checked = checkedPrincipal(principal)
    if (isSamePrincipal(exchange.principal, checked)) return exchange.decision
    exchange.setPrincipal(checked)
    if (checked.id === '' || exchange.settled || exchange.decision.effect !== 'allow')
      return exchange.decision
    for (const guard of this.#identified) {
      exchange.stopwatch?.start(this.clock.monotonic())
      const said = await this.#answerOf(guard, exchange)
      exchange.stopwatch?.lapOf(guard.name, this.clock.monotonic())
      if (said.effect === 'allow') continue
      if (guard.enforces && exchange.mode === 'enforce') {
        exchange.decision = said
        return said
      }
      exchange.observed ??= said
    }
    return exchange.decision
  }

  /** The final decision; an allowed exchange may have to be recorded first. */
  #concluded(exchange: Exchange): Decision | Promise<Decision> {
    const { decision } = exchange
    if (decision.effect === 'allow')
      return this.#isRecordedFirst(exchange) ? this.#recordIntent(exchange) : decision
    const whole = this.#wholeException.of(exchange, decision, this.#guards.slice(exchange.passed + 1))
    if (whole instanceof Promise) return whole.then(refusal => this.#refused(exchange, refusal))
    return this.#refused(exchange, whole)
  }

  #refused(exchange: Exchange, refusal: Refusal): Refusal {
    exchange.decision = refusal
    return refusal
  }

  /** Chooses the durability mode once; settling uses the same one. */
  #isRecordedFirst(exchange: Exchange): boolean {
    if (this.#recorder === undefined) return false
    return this.#recordingOf(exchange) === 'before'
  }

  /** When choosing fails, the mode is `after`: nothing is lost, and nothing waits. */
  #recordingOf(exchange: Exchange): RecordTime {
    if (exchange.recording === undefined) {
      try {
        exchange.recording = this.#record(exchange)
      } catch (error) {
        this.#report('record', error)
        exchange.recording = 'after'
      }
    }
    return exchange.recording
  }

  async #decideRest(exchange: Exchange, at: number, pending: Promise<Decision>): Promise<Decision> {
    const guards = this.#guards
    let next: Decision | Promise<Decision> = pending
    for (let i = at; i < guards.length; i++) {
      if (i > at) next = this.#ask(guards[i] as CompiledGuard, exchange)
      const said: Decision = next instanceof Promise ? await next : next
      if (said !== ALLOW && this.#ends(exchange, guards[i] as CompiledGuard, said))
        return this.#concluded(exchange)
      exchange.passed = i + 1
    }
    return this.#concluded(exchange)
  }

  #ask(guard: CompiledGuard, exchange: Exchange): Decision | Promise<Decision> {
    const { stopwatch } = exchange
    const said = this.#answerOf(guard, exchange)
    if (stopwatch === undefined) return said
    if (said instanceof Promise) return said.finally(() => stopwatch.lap(this.clock.monotonic()))
    stopwatch.lap(this.clock.monotonic())
    return said
  }

  #answerOf(guard: CompiledGuard, exchange: Exchange): Decision | Promise<Decision> {
    try {
      const said: unknown = guard.decide.call(guard.guard, exchange)
      if (said === ALLOW) return ALLOW
      return isPending(said) ? this.#wait(guard, said) : checkedDecision(said)
    } catch (error) {
      return this.#failed(guard, error)
    }
  }

  async #wait(guard: CompiledGuard, pending: PromiseLike<unknown>): Promise<Decision> {
    try {
      return checkedDecision(await pending)
    } catch (error) {
      return this.#failed(guard, error)
    }
  }

  #failed(guard: CompiledGuard, error: unknown): Decision {
    this.#report(`guard ${guard.name}`, error)
    const mayPass = guard.guard.failure === 'open' && !(error instanceof NotADecision && error.mustNotPass)
    return mayPass ? ALLOW : unavailable(guard.name)
  }

  /** `onError` may be the application's own code: an error in it must not fail a request. */
  #report(part: string, error: unknown): void {
    try {
      this.#onError(part, error)
    } catch {
      // There is nowhere left to report to.
    }
  }

  /**
   * Whether a guard's decision is final. A refusal in observe mode is only noted; a
   * served answer is always served.
   */
  #ends(exchange: Exchange, { place, enforces }: CompiledGuard, said: Decision): boolean {
    if (said.effect === 'allow') {
      if (said.answer === undefined) return false
      exchange.decision = said
      exchange.passed = place + 1
      return true
    }
    if (enforces && exchange.mode === 'enforce') {
      exchange.decision = said
      return true
    }
    exchange.observed = exchange.observed === undefined ? said : this.#observed(exchange, said)
    return false
  }

  /** In observe mode all guards are asked: one exception answers what all of them say. */
  #observed({ observed, mode }: Exchange, said: Refusal): Refusal {
    return mode === 'observe' ? joined(observed ?? said, said) : (observed ?? said)
  }

  async #recordIntent(exchange: Exchange): Promise<Decision> {
    if (this.#recorder === undefined) return exchange.decision
    try {
      await this.#recorder.commit(new HttpEvent(exchange, undefined).toJSON())
      return exchange.decision
    } catch (error) {
      this.#report('recorder', error)
      const refusal = unavailable('audit')
      if (exchange.mode === 'observe') {
        exchange.observed ??= refusal
        return exchange.decision
      }
      exchange.decision = refusal
      return refusal
    }
  }

  /**
   * Shows the head of an answer to the guards that allowed the exchange. Call once,
   * before the head is sent. Never throws.
   */
  onAnswer(exchange: Exchange, head: AnswerHead): void {
    if (exchange.decision.effect !== 'allow') return
    const guards = this.#answering
    for (let i = 0; i < guards.length; i++) {
      const guard = guards[i] as CompiledGuard
      if (guard.place >= exchange.passed) return
      try {
        guard.onAnswer?.call(guard.guard, exchange, head)
      } catch (error) {
        this.#report(`guard ${guard.name}`, error)
      }
    }
  }

  /**
   * Tells the guards that allowed an exchange that its connection is upgraded. Call once, before the
   * application takes it. Never throws.
   */
  onUpgrade(exchange: Exchange): void {
    for (let i = 0; i < exchange.passed; i++) {
      const { guard, name } = this.#guards[i] as CompiledGuard
      try {
        guard.onUpgrade?.(exchange)
      } catch (error) {
        this.#report(`guard ${name}`, error)
      }
    }
  }

  /**
   * Notifies guards, detectors, recorder and listeners of how an exchange ended.
   * Call exactly once. Never throws.
   */
  settle(exchange: Exchange, outcome: Outcome): void {
    exchange.settled = true
    this.#settleGuards(exchange, outcome)
    const record =
      exchange.decision.effect !== 'allow' ||
      exchange.observed !== undefined ||
      this.#isRecorded(exchange, outcome)
    if (this.#publisher.isHeard || (record && this.#recorder !== undefined))
      this.#publisher.publish(new HttpEvent(exchange, outcome), record)
  }

  #isRecorded(exchange: Exchange, outcome: Outcome): boolean {
    if (this.#recorder === undefined) return false
    return outcome.status >= 400 || this.#recordingOf(exchange) !== 'none'
  }

  #settleGuards(exchange: Exchange, outcome: Outcome): void {
    const guards = this.#settling
    for (let i = 0; i < guards.length; i++) {
      const guard = guards[i] as CompiledGuard
      if (guard.place >= exchange.passed) return
      try {
        guard.settle?.call(guard.guard, exchange, outcome)
      } catch (error) {
        this.#report(`guard ${guard.name}`, error)
      }
    }
  }

  /** Takes an event from a package or the application: detectors see it, and it is recorded. Never throws. */
  emit(event: Event): void {
    this.#publisher.publish(event, true)
  }

  /**
   * Takes an event of an exchange that another thread decided and that is not to be
   * recorded: detectors see it. Never throws.
   */
  witness(event: Event): void {
    this.#publisher.publish(event, false)
  }

  /** Adds a listener; the returned function removes it. */
  listen(listener: EventListener): () => void {
    return this.#publisher.listen(listener)
  }

  /** The health that every part reports. The process is ready when every required part is ok. */
  health(): readonly Health[] {
    return this.#probes.map(probe => probe.health())
  }
}

function unavailable(guard: string): Refusal {
  return {
    effect: 'deny',
    guard,
    status: 503,
    retryAfter: 5,
    reasons: [
      {
        rule: `${guard}/unavailable`,
        message:
          'A part of this service that must check requests first is not available. Please try again shortly.',
      },
    ],
  }
}

function defaultRecord(exchange: Exchange): RecordTime {
  const method = exchange.method
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 'none' : 'after'
}
