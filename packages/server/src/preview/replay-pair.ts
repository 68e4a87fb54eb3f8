import type { LoadedConfig } from '@postern/config'
import type { PagedRequest } from '@postern/console'
import type { Clock, Engine, Refusal } from '@postern/core'
import { replayEngine } from '@postern/runtime'
import { KeptRequests } from './kept-request.ts'

/** What both configurations say of a request; undefined for allowed. */
export interface Decided {
  readonly was: Refusal | undefined
  readonly will: Refusal | undefined
  /** Whether either set a remediation against somebody because of it. */
  readonly isMeasured: boolean
}

/** Both configurations as engines, each on a clock that the requests set. */
export class ReplayPair {
  readonly #before: ReplaySide
  readonly #after: ReplaySide

  private constructor(before: ReplaySide, after: ReplaySide) {
    this.#before = before
    this.#after = after
  }

  /** @param start epoch milliseconds @throws ConfigError for what only shows when one is put together */
  static async of(before: LoadedConfig, after: LoadedConfig, start: number): Promise<ReplayPair> {
    return new ReplayPair(await ReplaySide.of(before, start), await ReplaySide.of(after, start))
  }

  /** Decides a request; those of one actor are to be given in their order. */
  decide(request: PagedRequest): Decided | Promise<Decided> {
    const was = this.#before.decide(request)
    const will = this.#after.decide(request)
    if (was instanceof Promise || will instanceof Promise)
      return Promise.all([was, will]).then(([one, other]) => this.#decided(one, other))
    return this.#decided(was, will)
  }

  #decided(was: Refusal | undefined, will: Refusal | undefined): Decided {
    const isBefore = this.#before.takeMeasured()
    return { was, will, isMeasured: this.#after.takeMeasured() || isBefore }
  }
}

/**
 * Shows the time of the request at hand, however late others were: instances whose clocks differ keep theirs
 * in turns, and what is decided about one actor must not depend on who else is replayed.
 */
class RequestClock implements Clock {
  time: number

  /** @param start epoch milliseconds */
  constructor(start: number) {
    this.time = start
  }

  now(): number {
    return this.time
  }

  monotonic(): number {
    return this.time
  }
}

class ReplaySide {
  readonly #engine: Engine
  readonly #clock: RequestClock
  readonly #requests = new KeptRequests()
  #isMeasured = false

  private constructor(engine: Engine, clock: RequestClock) {
    this.#engine = engine
    this.#clock = clock
    engine.listen(({ type, data }) => {
      if (type === 'finding' && data?.['remediation'] !== undefined) this.#isMeasured = true
    })
  }

  static async of(loaded: LoadedConfig, start: number): Promise<ReplaySide> {
    const clock = new RequestClock(start)
    return new ReplaySide(await replayEngine(loaded, { access: 'decide' })(clock), clock)
  }

  takeMeasured(): boolean {
    const isMeasured = this.#isMeasured
    this.#isMeasured = false
    return isMeasured
  }

  decide(request: PagedRequest): Refusal | undefined | Promise<Refusal | undefined> {
    const engine = this.#engine
    this.#clock.time = request.time
    const exchange = engine.open(this.#requests.source(request))
    if (request.principal !== undefined) exchange.setPrincipal(request.principal)
    const said = engine.decide(exchange)
    const settle = (): Refusal | undefined => {
      const { decision } = exchange
      const { status, duration, bytes } = request.outcome
      const isAllowed = decision.effect === 'allow'
      engine.settle(exchange, {
        status: isAllowed ? status : decision.status,
        duration,
        bytes,
        aborted: false,
      })
      // What observe mode would refuse is what a preview is about.
      return isAllowed ? exchange.observed : decision
    }
    return said instanceof Promise ? said.then(settle) : settle()
  }
}
