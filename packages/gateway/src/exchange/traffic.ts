import type { Engine, Exchange, Outcome } from '@postern/core'
import type { Pool } from 'undici'
import type { BackendFailure } from '../backend/backend-failure.ts'
import { backendPool } from '../backend/backend-pool.ts'
import { BackendSlots } from '../backend/backend-slots.ts'
import type { GatewaySettings } from '../options/gateway-options.ts'
import { PacedWork } from '../pacing/paced-work.ts'
import { TurnWork } from '../pacing/turn-work.ts'
import { EventStreams } from './event-streams.ts'
import type { Phase } from './exchange-phase.ts'

/**
 * Requests that ran out of time before they were complete: 50 in a second, and 200 while places are scarce.
 * Refusing one is as much work as an ordinary request, a crowd of slow clients runs out of time together, and
 * whoever is cut off connects again at once: to wait costs less than to cut off, while there is room.
 */
const LATE_EVERY_MS = 20
const LATE_EACH = 1
const LATE_EACH_WHEN_SCARCE = 4
/** The part of all requests for which there must be room for places not to be scarce. */
const PLENTY = 1 / 8
/** Requests under way that make a client a crowd. */
const CROWD = 16

/** An exchange that begins. */
interface ArrivedExchange extends EndedExchange {
  readonly phase: Phase
  decide(): void
  enforce(): void
}

/** An exchange that is over, as the engine settles it. */
interface EndedExchange {
  readonly client: string
  readonly engine: Engine
  readonly exchange: Exchange
  readonly outcome: Outcome | undefined
}

/** What all exchanges of a gateway share: the way to the backend, and how many are under way. */
export class Traffic {
  readonly settings: GatewaySettings
  readonly pool: Pool
  readonly slots: BackendSlots
  /** Refusals of requests that did not arrive in time. */
  readonly late: PacedWork
  /** Requests about which the engine has not been asked yet. */
  readonly arrived: TurnWork<ArrivedExchange> = new TurnWork(
    exchange => this.#decide(exchange),
    exchange => exchange.enforce(),
  )
  /** Exchanges that are over, of which the engine does not know yet. */
  readonly ended: TurnWork<EndedExchange> = new TurnWork(({ client, engine, exchange, outcome }) => {
    this.left(client)
    if (outcome !== undefined) engine.settle(exchange, outcome)
  })
  readonly #perClient = new Map<string, number>()
  readonly streams: EventStreams
  #inFlight = 0
  #draining = false
  #onEmpty: (() => void) | undefined = undefined

  /** @param isScarce whether there is little room for more connections of clients */
  constructor(settings: GatewaySettings, isScarce: () => boolean) {
    this.settings = settings
    this.pool = backendPool(settings)
    this.streams = new EventStreams(settings)
    const clock = {
      now: () => performance.now(),
      later: (ms: number, call: () => void) => void setTimeout(call, ms).unref(),
    }
    this.slots = new BackendSlots({ total: settings.limits.upstreamConnections, ...clock })
    const each = (): number => (isScarce() || this.#isScarce() ? LATE_EACH_WHEN_SCARCE : LATE_EACH)
    this.late = new PacedWork({ each, every: LATE_EVERY_MS, ...clock })
  }

  /** Exchanges under way. */
  get inFlight(): number {
    return this.#inFlight
  }

  /**
   * Whether there is room for another request of a client. One client gets at most half of what is left for
   * all, so that one with many connections, or many streams on each, leaves room for the others.
   */
  hasRoom(client: string): boolean {
    const left = this.settings.limits.requests - this.#inFlight
    return left > 0 && (this.#perClient.get(client) ?? 0) <= left
  }

  /**
   * Has the engine asked. A request that its client took back in the same turn, among many of its own (rapid
   * reset), had no effect: it costs nothing more. Its client counts as a crowd until all of them are gone.
   */
  #decide(exchange: ArrivedExchange): void {
    if (exchange.phase === 'closed' && this.isCrowd(exchange.client)) this.ended.add(exchange)
    else exchange.decide()
  }

  #isScarce(): boolean {
    const { requests } = this.settings.limits
    return requests - this.#inFlight < requests * PLENTY
  }

  /** Whether a client has so many requests under way that its next refusal may wait. */
  isCrowd(client: string): boolean {
    return (this.#perClient.get(client) ?? 0) >= CROWD
  }

  get isDraining(): boolean {
    return this.#draining
  }

  /** An exchange began. @param client its address, or IPv6 /56 */
  entered(client: string): void {
    this.settings.underWay[0] = ++this.#inFlight
    this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1)
  }

  /** An exchange ended. */
  left(client: string): void {
    this.settings.underWay[0] = --this.#inFlight
    const count = (this.#perClient.get(client) ?? 1) - 1
    if (count === 0) this.#perClient.delete(client)
    else this.#perClient.set(client, count)
    if (this.#inFlight === 0) this.#onEmpty?.()
  }

  /** From now on every answer is the last of its connection. Resolves once no exchange is under way. */
  drain(): Promise<void> {
    this.#draining = true
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#onEmpty = resolve
    })
  }

  /**
   * The backend failed an exchange: an event for the operator, who alone learns how.
   * @param cause the code of the error, such as `ECONNREFUSED`
   */
  backendFailed(
    failure: BackendFailure,
    cause: string | undefined,
    exchange: Exchange,
    engine: Engine,
  ): void {
    engine.emit({
      type: 'gateway.backend-failed',
      time: engine.clock.now(),
      actor: { address: exchange.client },
      request: {
        id: exchange.id,
        method: exchange.method.slice(0, 32),
        host: exchange.host.slice(0, 255),
        path: exchange.path.canonical.slice(0, 1_024),
        query: '',
      },
      data: { failure, ...(cause !== undefined && { cause }) },
    })
  }
}
