import type { Socket } from 'node:net'
import { type Duration, type Engine, type Exchange, type Health, parseDuration } from '@postern/core'
import { ConnectionLedger } from './connection/connection-ledger.ts'
import { ProxyProtocolGate } from './connection/proxy-protocol-gate.ts'
import { Traffic } from './exchange/traffic.ts'
import { type Listener, openListener } from './intake/listener.ts'
import { RequestIntake } from './intake/request-intake.ts'
import { type Management, openManagement } from './management.ts'
import { type GatewayOptions, parseGatewayOptions, type TlsOptions } from './options/gateway-options.ts'

/** How long a stop waits for the first byte of those who have just connected. */
const NEWCOMERS_MS = 250

/** How long requests in progress, and connections without one, may last when a gateway closes. */
export interface CloseOptions {
  /** For requests under way: 30s. */
  readonly grace?: Duration
  /**
   * For connections that are kept between two requests: 0. Where others answer on the same port, a client
   * that learns from an answer that its connection ends loses no request; one that finds it closed may.
   */
  readonly linger?: Duration
}

/** A running reverse proxy. */
export class Gateway {
  /** Where clients reach it. */
  readonly url: string
  /** Where `/healthz` and `/readyz` are; undefined when not asked for. */
  readonly managementUrl: string | undefined
  readonly #traffic: Traffic
  readonly #intake: RequestIntake
  readonly #ledger: ConnectionLedger
  readonly #listener: Listener
  readonly #management: Management | undefined
  readonly #current: { engine: () => Engine }
  #closing: Promise<void> | undefined = undefined
  readonly #graceOver: PromiseWithResolvers<void> = Promise.withResolvers<void>()
  /** When the grace ends, monotonic milliseconds. */
  #graceEnds = Number.POSITIVE_INFINITY
  #graceTimer: NodeJS.Timeout | undefined = undefined

  /** Use `startGateway`. */
  constructor(parts: {
    traffic: Traffic
    intake: RequestIntake
    ledger: ConnectionLedger
    listener: Listener
    management: Management | undefined
    current: { engine: () => Engine }
  }) {
    this.#traffic = parts.traffic
    this.#intake = parts.intake
    this.#ledger = parts.ledger
    this.#listener = parts.listener
    this.#management = parts.management
    this.#current = parts.current
    this.url = parts.listener.url
    this.managementUrl = parts.management?.url
  }

  /** Requests from now on are decided by this engine; those under way finish and settle on theirs. */
  swap(engine: Engine): void {
    this.#current.engine = () => engine
  }

  /**
   * Connections from now on are shown this certificate; those that are open go on.
   * @throws Error when the gateway was started without TLS, or certificate and key do not fit: the old one
   * stays
   */
  renew(tls: TlsOptions): void {
    this.#listener.renew(tls)
  }

  /**
   * Asks `recheck` now about the tunnels and streams of events that this may concern: something was revoked.
   * @param concerns Default: all
   */
  recheck(concerns: (exchange: Exchange) => boolean = () => true): void {
    for (const tunnel of this.#intake.tunnels) if (concerns(tunnel.exchange)) tunnel.recheck()
    this.#traffic.streams.recheck(concerns)
  }

  /** Exchanges under way, tunnels included. */
  get inFlight(): number {
    return this.#traffic.inFlight
  }

  /** Connections of clients. */
  get connections(): number {
    return this.#ledger.size
  }

  /** What every part says of itself, this one included. */
  health(): readonly Health[] {
    return gatewayHealth(this.#traffic, this.#current.engine())
  }

  /**
   * Stops: no new connection, tunnels end, requests under way finish, idle connections close. What is not
   * done by the end of the grace is cut off. Calling again returns the same promise; a grace that ends
   * earlier than the first one counts.
   */
  close({ grace = '30s', linger = 0 }: CloseOptions = {}): Promise<void> {
    this.#setGrace(parseDuration(grace, 'grace'))
    this.#closing ??= this.#close(parseDuration(linger, 'linger'))
    return this.#closing
  }

  #setGrace(ms: number): void {
    const ends = performance.now() + ms
    if (ends >= this.#graceEnds) return
    this.#graceEnds = ends
    clearTimeout(this.#graceTimer)
    this.#graceTimer = setTimeout(this.#graceOver.resolve, ms)
  }

  async #close(linger: number): Promise<void> {
    void this.#traffic.drain()
    const stopped = this.#listener.stop()
    for (const tunnel of this.#intake.tunnels) tunnel.close()
    await stopped
    await this.#lastRequests(linger)
    this.#listener.closeIdle()
    await Promise.race([this.#traffic.drain(), this.#graceOver.promise])
    clearTimeout(this.#graceTimer)
    if (this.#traffic.inFlight === 0) this.#ledger.closeAll()
    else this.#ledger.destroyAll()
    await this.#traffic.drain()
    await this.#traffic.pool.destroy()
    await this.#management?.close()
  }

  /**
   * Waits for the first byte of those who have just connected, and for the last request of those whose
   * connection is kept.
   */
  async #lastRequests(linger: number): Promise<void> {
    const end = performance.now() + Math.max(linger, NEWCOMERS_MS)
    const someone = (): boolean => (linger > 0 ? this.#ledger.size > 0 : this.#ledger.hasNewcomers)
    while (someone() && performance.now() < Math.min(end, this.#graceEnds))
      await new Promise(resolve => setTimeout(resolve, 5))
  }
}

function gatewayHealth(traffic: Traffic, engine: Engine): readonly Health[] {
  const own: Health = traffic.isDraining
    ? { name: 'gateway', ok: false, required: true, detail: 'stopping' }
    : { name: 'gateway', ok: true, required: true }
  return [own, ...engine.health()]
}

/**
 * Starts a reverse proxy in front of a backend: every request is decided by the engine and, if allowed,
 * passed on.
 *
 * ```ts
 * const gateway = await startGateway({ engine, upstream: 'http://127.0.0.1:3000', listen: { port: 8080 } })
 * ```
 * @throws ConfigError naming everything in the options that cannot be used
 * @throws Error of the operating system when the address is unavailable
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const settings = parseGatewayOptions(options)
  const { engine } = options
  const current = { engine: typeof engine === 'function' ? engine : (): Engine => engine }
  const ask = (): Engine => current.engine()
  const gate =
    settings.proxyProtocolFrom === undefined ? undefined : new ProxyProtocolGate(settings.proxyProtocolFrom)
  const peerOf: (socket: Socket) => string | undefined =
    options.listen.path === undefined ? socket => socket.remoteAddress : () => '127.0.0.1'
  const ledger = new ConnectionLedger(settings.limits, () => ask().trustedProxies, peerOf)
  const traffic = new Traffic(settings, () => ledger.isScarce)
  const intake = new RequestIntake(traffic, ask, gate === undefined ? peerOf : s => gate.peerOf(s), ledger)
  try {
    const listener = await openListener({ listen: options.listen, settings, intake, ledger, gate })
    const management =
      options.management === undefined
        ? undefined
        : await openManagement(options.management, () => gatewayHealth(traffic, ask()))
    return new Gateway({ traffic, intake, ledger, listener, management, current })
  } catch (error) {
    await traffic.pool.destroy()
    throw error
  }
}
