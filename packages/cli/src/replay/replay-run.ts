import type { LogRecord } from '@postern/access-log'
import type { Engine, Event, Refusal, RequestSource, VirtualClock } from '@postern/core'
import { type Counted, TopCounts } from './top-counts.ts'

/** What one configuration would have done with a log. */
export interface ReplayReport {
  readonly requests: number
  readonly allowed: number
  readonly blocked: number
  readonly throttled: number
  readonly challenged: number
  readonly rules: readonly Counted[]
  readonly actors: readonly Counted[]
  readonly routes: readonly Counted[]
  /** By scenario, with the actors it was held against as examples. */
  readonly findings: readonly Counted[]
}

/**
 * Runs one engine over the entries of a log, on the log's own time, and counts. Memory does not grow with the
 * log.
 */
export class ReplayRun {
  readonly #engine: Engine
  readonly #clock: VirtualClock
  readonly #rules = new TopCounts()
  readonly #actors = new TopCounts()
  readonly #routes = new TopCounts()
  readonly #findings = new TopCounts()
  #requests = 0
  #blocked = 0
  #throttled = 0
  #challenged = 0

  /** @param clock the engine's own; the run moves it */
  constructor(engine: Engine, clock: VirtualClock) {
    this.#engine = engine
    this.#clock = clock
    engine.listen(event => this.#notice(event))
  }

  /**
   * Decides one entry; the refusal it would have met, or undefined. Synchronous when all guards are.
   * @param request the entry as a request
   */
  take(entry: LogRecord, request: RequestSource): Refusal | undefined | Promise<Refusal | undefined> {
    // Servers log when an answer ends, so lines can step back a little; the clock never does.
    this.#clock.advance(Math.max(0, entry.time - this.#clock.now()))
    const exchange = this.#engine.open(request)
    const decision = this.#engine.decide(exchange)
    if (decision instanceof Promise) return decision.then(() => this.#count(exchange, entry))
    return this.#count(exchange, entry)
  }

  #count(exchange: ReturnType<Engine['open']>, entry: LogRecord): Refusal | undefined {
    const { decision } = exchange
    // A guard in observe mode is shown as what it would do, for that is the question a replay answers.
    const refusal = decision.effect === 'allow' ? exchange.observed : decision
    const status = decision.effect === 'allow' ? entry.status : decision.status
    this.#engine.settle(exchange, {
      status,
      duration: entry.duration ?? 0,
      bytes: entry.bytes,
      aborted: false,
    })
    this.#requests++
    if (refusal === undefined) return undefined
    if (refusal.effect === 'throttle') this.#throttled++
    else if (refusal.effect === 'challenge') this.#challenged++
    else this.#blocked++
    const [{ rule, evidence }] = refusal.reasons
    const matched =
      evidence?.span === undefined ? '' : `  (${evidence.location}: ${evidence.span.slice(0, 80)})`
    this.#rules.add(rule, `${entry.method} ${entry.target.slice(0, 200)}${matched}`)
    this.#actors.add(exchange.client, rule)
    this.#routes.add(
      exchange.route?.pattern ?? `${entry.method} ${exchange.path.canonical}`.slice(0, 200),
      rule,
    )
    return refusal
  }

  #notice(event: Event): void {
    if (event.type !== 'finding') return
    const { scenario, actorKind, actorValue } = event.data ?? {}
    this.#findings.add(String(scenario), `${String(actorKind)} ${String(actorValue)}`)
  }

  report(top = 10): ReplayReport {
    return {
      requests: this.#requests,
      allowed: this.#requests - this.#blocked - this.#throttled - this.#challenged,
      blocked: this.#blocked,
      throttled: this.#throttled,
      challenged: this.#challenged,
      rules: this.#rules.top(Math.max(top, 20)),
      actors: this.#actors.top(top),
      routes: this.#routes.top(top),
      findings: this.#findings.top(Math.max(top, 20)),
    }
  }
}
