import type { Duplex, Readable } from 'node:stream'
import {
  ALLOW,
  type Answer,
  type Engine,
  type Exchange,
  errorCode,
  HeaderListHead,
  networkOf,
  type Outcome,
  ownAnswer,
  type Refusal,
  refusalAnswer,
} from '@postern/core'
import type { Dispatcher } from 'undici'
import { type Attempt, isEarlyAnswer, leavesBodiesUnread, maySendAgain } from '../backend/backend-attempt.ts'
import { backendFailure, failureRefusal } from '../backend/backend-failure.ts'
import type { BackendConnection, BackendHandler } from '../backend/backend-pool.ts'
import type { SlotHolder } from '../backend/backend-slots.ts'
import { addForwarded, changeForwarded } from '../message/forwarded-headers.ts'
import { framingFault, framingRefusal } from '../message/framing-fault.ts'
import type { RequestBody, RequestBodyOwner } from '../message/request-body.ts'
import type { RequestHead } from '../message/request-head.ts'
import {
  agreesToWebSocket,
  answerHeaders,
  type BackendHeaders,
  ResponseFault,
  readTrailers,
} from '../message/response-head.ts'
import type { Downstream, DownstreamOwner } from './downstream.ts'
import { isEventStream } from './event-streams.ts'
import type { Phase } from './exchange-phase.ts'
import type { Traffic } from './traffic.ts'

const CLIENT_GONE = new Error('the client went away')

type Controller = Dispatcher.DispatchController

/** Takes over when the backend agreed to leave HTTP. */
export type TunnelOpener = (backend: Duplex, headers: BackendHeaders, exchange: ProxiedExchange) => void

/**
 * One request on its way: asked of the engine, sent to the backend, the answer brought back. It is the
 * handler that undici calls, the owner of the client's side and of the request body, and settles with the
 * engine exactly once.
 */
export class ProxiedExchange implements BackendHandler, DownstreamOwner, RequestBodyOwner, SlotHolder {
  connection: BackendConnection | undefined = undefined
  stalledSince: number | undefined = undefined
  readonly client: string
  readonly exchange: Exchange
  readonly engine: Engine
  outcome: Outcome | undefined = undefined
  readonly #traffic: Traffic
  readonly #head: RequestHead
  readonly #downstream: Downstream
  readonly #openTunnel: TunnelOpener | undefined
  #body: RequestBody | undefined = undefined
  #sent: Readable | Buffer | null = null
  #controller: Controller | undefined = undefined
  #stall: NodeJS.Timeout | undefined = undefined
  #slot: 'none' | 'waiting' | 'held' = 'none'
  #phase: Phase = 'open'
  #attempt: Attempt = 'none'
  /** Until then the engine still asks its guards, and nothing may be settled. */
  #decided = false
  /** Whether the client has all of the answer. */
  #complete = false
  /** Whether the backend may have answered without reading all of the request. */
  #early = false
  #status = 0
  #bytes = 0

  constructor(
    engine: Engine,
    exchange: Exchange,
    traffic: Traffic,
    head: RequestHead,
    downstream: Downstream,
    openTunnel?: TunnelOpener,
  ) {
    this.engine = engine
    this.exchange = exchange
    this.#traffic = traffic
    this.#head = head
    this.#downstream = downstream
    this.#openTunnel = openTunnel
    this.client = networkOf(exchange.client)
    downstream.owner = this
  }

  /** Where it stands. */
  get phase(): Phase {
    return this.#phase
  }

  /** @param body absent when the request has none */
  start(body: RequestBody | undefined): void {
    this.#body = body
    this.#traffic.entered(this.client)
    this.#traffic.arrived.add(this)
  }

  /** Asks the engine. */
  decide(): void {
    const decision = this.engine.decide(this.exchange)
    if (decision instanceof Promise)
      decision.then(() => {
        this.#decided = true
        this.enforce()
      })
    else this.#decided = true
  }

  /** Refuses without asking the engine: the request cannot be understood, or there is no room for it. */
  startRefused(refusal: Refusal, body: RequestBody | undefined): void {
    this.#body = body
    this.#traffic.entered(this.client)
    this.#decided = true
    this.exchange.decision = refusal
    this.#refuse(refusal)
  }

  /** Does what was decided, unless the engine still asks its guards. */
  enforce(): void {
    if (!this.#decided) return
    if (this.#phase === 'closed') this.#settle()
    if (this.#phase !== 'open') return
    // A refusal, or an answer that a guard serves.
    const own = this.exchange.decision === ALLOW ? undefined : ownAnswer(this.exchange)
    if (own === undefined) this.#proceed()
    else this.#answer(own)
  }

  #proceed(): void {
    if (this.#head.path === '*')
      this.#answer({ status: 204, headers: ['X-Request-Id', this.exchange.id], body: '' })
    else this.#send()
  }

  #send(): void {
    const { forward } = this.#head
    if (this.#attempt !== 'again') {
      changeForwarded(forward, this.exchange)
      addForwarded(this.exchange, this.#head, this.engine.trustedProxies, this.#traffic.settings)
      if (this.#head.contentLength !== undefined)
        forward.push('Content-Length', String(this.#head.contentLength))
    }
    if (this.#slot === 'held') this.#dispatch()
    else {
      this.#slot = 'waiting'
      this.#traffic.slots.take(this)
    }
  }

  begin(): void {
    this.#slot = 'held'
    this.#dispatch()
  }

  #dispatch(): void {
    const body = this.#body === undefined ? null : this.#body.forward()
    if (body === undefined) {
      this.#freeSlot()
      return
    }
    this.#sent = body
    this.#traffic.pool.dispatch(
      {
        path: this.#head.path,
        method: this.exchange.method,
        headers: this.#head.forward,
        body: this.#sent,
        upgrade: this.#openTunnel === undefined ? null : 'websocket',
        reset: this.#sent !== null && leavesBodiesUnread(this.exchange.method),
      },
      this,
    )
  }

  /** The backend is done with this request, or it never will be. */
  #freeSlot(): void {
    const held = this.#slot
    this.#slot = 'none'
    if (held === 'held') this.#traffic.slots.release(this)
    else if (held === 'waiting') this.#traffic.slots.forget(this)
  }

  cutOff(): void {
    this.#downstream.abort()
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller
    if (this.#attempt !== 'again') this.#attempt = (this.connection?.answers ?? 0) > 0 ? 'reused' : 'fresh'
    if (this.#phase !== 'open') controller.abort(CLIENT_GONE)
  }

  onResponseStarted(): void {
    this.#attempt = 'began'
  }

  onResponseStart(controller: Controller, status: number, _headers: unknown, message?: string): void {
    if (this.#phase !== 'open') return
    const raw = (controller.rawHeaders ?? []) as BackendHeaders
    if (status < 200) {
      this.#downstream.informational(status, raw.map(String))
      return
    }
    const headers = answerHeaders(raw, status, this.exchange)
    this.showAnswer(status, headers)
    this.#downstream.head(status, message ?? '', headers)
    this.#status = status
    this.#early = isEarlyAnswer(status, this.#body, this.connection)
    if (isEventStream(headers)) {
      this.#traffic.slots.streams(this)
      this.#traffic.streams.add(this)
    }
  }

  /** Shows the head of the backend's answer to the guards. @param headers changed in place */
  showAnswer(status: number, headers: string[]): void {
    if (this.engine.hasAnswerHooks) this.engine.onAnswer(this.exchange, new HeaderListHead(status, headers))
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#phase !== 'open') return
    this.#bytes += chunk.length
    this.exchange.answerWatch?.take(chunk)
    if (this.#downstream.write(chunk)) return
    controller.pause()
    this.stalledSince = performance.now()
    this.#traffic.slots.stalled(this)
    this.#watchClient()
  }

  /** A client that does not take what it was sent is cut off in time. */
  #watchClient(): void {
    this.#stall ??= setTimeout(() => this.#downstream.abort(), this.#traffic.settings.timeouts.clientStall)
  }

  onResponseEnd(controller: Controller): void {
    this.connection?.answered()
    if (this.#early) this.connection?.retire()
    this.#freeSlot()
    if (this.#phase !== 'open') return
    this.#phase = 'answered'
    this.#body?.finish(this.#head.expectsContinue)
    this.#endAnswer(readTrailers((controller.rawTrailers ?? []) as BackendHeaders))
  }

  /**
   * The rest of an answer may still wait for the client to read: it holds its place until then, so that wait
   * has an end too.
   */
  #endAnswer(trailers: readonly string[] | undefined): void {
    this.#downstream.end(trailers)
    if (this.#phase === 'answered' && !this.#downstream.flushed) this.#watchClient()
  }

  onResponseError(_controller: unknown, error: Error): void {
    const isPlain = this.#body === undefined && this.#openTunnel === undefined
    const retries =
      this.#phase === 'open' && isPlain && maySendAgain(this.#attempt, this.exchange.method, error)
    if (!retries) this.#freeSlot()
    if (this.#phase !== 'open') return
    if (retries) {
      this.#attempt = 'again'
      this.#send()
      return
    }
    const failure = backendFailure(error)
    this.#traffic.backendFailed(failure, errorCode(error), this.exchange, this.engine)
    this.#refuseOrBreakOff(failureRefusal(failure))
  }

  onRequestUpgrade(controller: Controller, _status: number, _headers: unknown, backend: Duplex): void {
    // From here on the connection is the tunnel's: the pool opens another in its place.
    this.#freeSlot()
    const raw = (controller.rawHeaders ?? []) as BackendHeaders
    const agrees = agreesToWebSocket(raw, this.exchange.header('sec-websocket-key'))
    if (this.#phase !== 'open' || this.#openTunnel === undefined || !agrees) {
      backend.destroy()
      this.onResponseError(controller, new ResponseFault('bad upgrade'))
      return
    }
    this.#phase = 'tunnelled'
    this.#status = 101
    this.#openTunnel(backend, raw, this)
  }

  /** Refuses for a reason outside the engine; without effect once an answer has begun. */
  refuse(refusal: Refusal): void {
    if (this.#phase !== 'open') return
    this.#refuseOrBreakOff(refusal)
    this.#controller?.abort(CLIENT_GONE)
  }

  #refuseOrBreakOff(refusal: Refusal): void {
    if (this.#downstream.headSent) {
      this.#phase = 'answered'
      this.#downstream.abort()
    } else this.#refuse(refusal)
  }

  #refuse(refusal: Refusal): void {
    this.#answer(refusalAnswer(refusal, this.exchange))
  }

  #answer(answer: Answer): void {
    this.#phase = 'answered'
    this.#status = answer.status
    const headers = [...answer.headers]
    // Nobody asked for the body, so the client may or may not send it: the connection cannot be used further.
    if (this.#head.expectsContinue && this.#body?.begun !== true && !headers.includes('close'))
      headers.push('Connection', 'close')
    try {
      this.#downstream.head(answer.status, '', headers)
    } catch {
      // A guard asked for a header that cannot be sent. The refusal stands; only its words are lost.
      this.#downstream.abort()
      return
    }
    if (this.exchange.method !== 'HEAD' && answer.body.length > 0) {
      const body = Buffer.from(answer.body)
      this.#bytes = body.length
      this.#downstream.write(body)
    }
    this.#body?.finish(this.#head.expectsContinue)
    this.#endAnswer(undefined)
  }

  drained(): void {
    clearTimeout(this.#stall)
    this.#stall = undefined
    if (this.stalledSince !== undefined) {
      this.stalledSince = undefined
      this.#traffic.slots.reads(this)
    }
    this.#controller?.resume()
  }

  closed(complete: boolean): void {
    if (this.#phase === 'open' || this.#phase === 'answered') this.#end(complete)
  }

  /** The tunnel that took over is closed. @param bytes sent to the client */
  tunnelClosed(bytes: number): void {
    if (this.#phase !== 'tunnelled') return
    this.#bytes = bytes
    this.#end(true)
  }

  #end(complete: boolean): void {
    const isCutShort = this.#phase === 'open'
    this.#phase = 'closed'
    this.#complete = complete
    clearTimeout(this.#stall)
    this.#body?.close()
    if (this.#slot === 'waiting') this.#freeSlot()
    if (isCutShort) {
      this.#controller?.abort(CLIENT_GONE)
      if (this.#sent !== null && 'destroy' in this.#sent) this.#sent.destroy()
    }
    if (this.#decided) this.#settle()
  }

  #settle(): void {
    this.#phase = 'settled'
    this.#traffic.streams.delete(this)
    this.outcome = {
      status: this.#status,
      duration: this.engine.clock.now() - this.exchange.time,
      bytes: this.#bytes,
      aborted: !this.#complete,
    }
    this.#traffic.ended.add(this)
  }

  bodyWanted(): void {
    if (this.#head.expectsContinue && this.#phase === 'open') this.#downstream.askForBody()
  }

  bodyStalled(): void {
    if (this.#phase !== 'open') this.#downstream.hangUp()
    else this.refuse(framingRefusal(framingFault('body-timeout')))
  }

  bodyUnwanted(): void {
    this.#downstream.hangUp()
  }

  /** The answer, where none has begun, ends the connection: the client is still sending. */
  bodyRefused(): void {
    const { decision } = this.exchange
    if (decision.effect !== 'allow') this.refuse(decision)
    else this.#downstream.abort()
  }
}
