import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  type Decision,
  type Engine,
  type Exchange,
  ownAnswer,
  type RawHeaders,
  type RequestSource,
} from '@postern/core'
import { peerAddress } from '../message/peer-address.ts'
import { changeNodeRequest } from '../message/request-changes.ts'
import { type EngineSource, engineOf } from './engine-source.ts'
import { handOver } from './hand-over.ts'

/** What the guard asks of a server: `http.Server` and `https.Server` have it. */
export interface UpgradingServer {
  emit(event: string, ...args: unknown[]): boolean
}

/**
 * Lets an engine decide every upgrade (WebSocket and others) of a node server before anyone who listens for
 * `upgrade` receives it, whether they attached before or after. The exchange lasts as long as the connection.
 *
 * @returns takes the guard away again
 * @example
 * guardUpgrades(server, engine)
 * new WebSocketServer({ server })
 */
export function guardUpgrades(server: UpgradingServer, engine: EngineSource): () => void {
  const emit = server.emit
  const guarded = function (this: UpgradingServer, event: string, ...args: unknown[]): boolean {
    if (event !== 'upgrade') return Reflect.apply(emit, this, [event, ...args]) as boolean
    const [request, socket] = args as [IncomingMessage, Duplex]
    const current = engineOf(engine)
    const carrier = new UpgradeCarrier(current, request, socket)
    const proceed = (): boolean =>
      handOver(current, carrier.exchange, () => Reflect.apply(emit, this, [event, ...args]) as boolean)
    const pending = carrier.decide()
    if (pending === undefined) return carrier.admits() ? proceed() : true
    void pending.then(() => carrier.admits() && proceed())
    return true
  }
  server.emit = guarded
  return () => {
    if (server.emit === guarded) server.emit = emit
  }
}

/** Carries one upgrade request. */
class UpgradeCarrier implements RequestSource {
  readonly native: IncomingMessage
  readonly method: string
  readonly target: string
  readonly headers: RawHeaders
  readonly peer: string | undefined
  readonly secure: boolean
  readonly httpVersion: string
  readonly body = undefined
  readonly exchange: Exchange
  readonly #engine: Engine
  readonly #socket: Duplex
  readonly #bytesBefore: number
  #isDeciding = false
  #status = 0

  constructor(engine: Engine, request: IncomingMessage, socket: Duplex) {
    this.native = request
    this.method = request.method ?? 'GET'
    this.target = request.url ?? '/'
    this.headers = request.rawHeaders
    this.peer = peerAddress(request.socket)
    this.secure = (request.socket as { readonly encrypted?: boolean }).encrypted === true
    this.httpVersion = request.httpVersion
    this.#engine = engine
    this.#socket = socket
    this.#bytesBefore = request.socket.bytesWritten
    this.exchange = engine.open(this)
    socket.once('close', this.#onClose)
    if (this.peer === undefined) socket.destroy()
  }

  decide(): Promise<void> | undefined {
    const decision = this.#engine.decide(this.exchange)
    return decision instanceof Promise ? this.#waitFor(decision) : undefined
  }

  /**
   * Nobody else listens to the socket while the engine decides, and an unheard `error` would end the process.
   */
  async #waitFor(decision: Promise<Decision>): Promise<void> {
    this.#isDeciding = true
    this.#socket.on('error', ignore)
    await decision
    this.#socket.off('error', ignore)
    this.#isDeciding = false
    if (this.#socket.destroyed) this.#settle()
  }

  /** Whether the upgrade may go on; else the refusal is written and the connection closed. */
  admits(): boolean {
    if (this.#socket.destroyed) return false
    const answer = ownAnswer(this.exchange)
    if (answer === undefined) {
      const { requestChanges } = this.exchange
      if (requestChanges !== undefined) changeNodeRequest(this.native, requestChanges)
      this.#status = 101
      this.#engine.onUpgrade(this.exchange)
      return true
    }
    // Not imported: the namespace of this module makes Node load its WebSocket client, 30 ms of every start.
    const { STATUS_CODES } = process.getBuiltinModule('node:http')
    const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Refused'}`]
    for (let i = 0; i + 1 < answer.headers.length; i += 2) {
      const name = answer.headers[i] as string
      if (name.toLowerCase() !== 'connection')
        lines.push(`${name}: ${oneLine(answer.headers[i + 1] as string)}`)
    }
    lines.push('Connection: close')
    this.#status = answer.status
    this.#socket.on('error', ignore)
    const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
    this.#socket.end(Buffer.concat([head, Buffer.from(answer.body)]), () => this.#socket.destroy())
    return false
  }

  cutOff(): void {
    this.#socket.destroy()
  }

  readonly #onClose = (): void => {
    if (!this.#isDeciding) this.#settle()
  }

  #settle(): void {
    const duration = Math.max(0, this.#engine.clock.now() - this.exchange.time)
    const bytes = Math.max(0, this.native.socket.bytesWritten - this.#bytesBefore)
    this.#engine.settle(this.exchange, { status: this.#status, duration, bytes, aborted: this.#status === 0 })
  }
}

function ignore(): void {}

/** A header value written by hand must not be able to start another line. */
function oneLine(value: string): string {
  return value.replace(/[\r\n\0]/g, ' ')
}
