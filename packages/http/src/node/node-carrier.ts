import type {
  BodySource,
  Decision,
  Engine,
  Exchange,
  Outcome,
  RawHeaders,
  RequestSource,
} from '@postern/core'
import type { NodeRequest, NodeResponse, RequestExtras, ResponseExtras } from '../message/node-message.ts'
import { peerAddress } from '../message/peer-address.ts'
import { headersOf } from '../message/request-headers.ts'
import { hasBody, NodeBody } from './node-body.ts'

const CARRIER = Symbol('postern carrier')

type CarriedRequest = NodeRequest & { [CARRIER]?: NodeCarrier }
type Carried = NodeResponse & ResponseExtras & { [CARRIER]?: NodeCarrier }

/**
 * Carries one request of a node server through an engine: gives the engine what it asks for, and settles the
 * exchange exactly once, when the response closed (after its last byte, or because the client left).
 *
 * One object and one listener per request: the listener is shared and finds the carrier on the response.
 */
export class NodeCarrier implements RequestSource {
  readonly engine: Engine
  readonly native: NodeRequest & RequestExtras
  readonly response: NodeResponse
  readonly method: string
  readonly target: string
  readonly headers: RawHeaders
  /** Read at once: a socket forgets its peer when it closes, and events are written after that. */
  readonly peer: string | undefined
  readonly exchange: Exchange
  readonly #bytesBefore: number
  /** A layer further out with another engine, which shares the listener. */
  readonly #outer: NodeCarrier | undefined
  readonly #reader: BodySource | undefined
  #body: BodySource | undefined | null = null
  #isDeciding = false
  #isClosed = false
  #outcome: Outcome | undefined = undefined

  private constructor(
    engine: Engine,
    request: NodeRequest,
    response: Carried,
    reader: BodySource | undefined,
  ) {
    const { socket } = request
    this.engine = engine
    this.native = request
    this.response = response
    this.method = request.method ?? 'GET'
    this.target = targetOf(request)
    this.headers = headersOf(request)
    this.peer = peerAddress(socket)
    this.#bytesBefore = socket.bytesWritten ?? 0
    this.#outer = response[CARRIER]
    this.#reader = reader
    this.exchange = engine.open(this)
  }

  /**
   * Takes a request up. Undefined when this engine already carries it: a layer mounted twice decides once.
   * @param reader reads the body, if there is one, in place of the node stream
   */
  static open(
    engine: Engine,
    request: NodeRequest,
    response: NodeResponse,
    reader?: BodySource,
  ): NodeCarrier | undefined {
    const carried: Carried = response
    const outer = carried[CARRIER]
    if (outer?.carries(engine) === true) return undefined
    const carrier = new NodeCarrier(engine, request, carried, reader)
    carried[CARRIER] = carrier
    if (engine.takesPrincipals || engine.around !== undefined) (request as CarriedRequest)[CARRIER] = carrier
    if (outer === undefined) response.on('close', onClose)
    if (isGone(carried)) carrier.close()
    else if (carrier.peer === undefined) carrier.leave()
    return carrier
  }

  get localPort(): number | undefined {
    return this.native.socket.localPort
  }

  get secure(): boolean {
    return (this.native.socket as { readonly encrypted?: boolean }).encrypted === true
  }

  get httpVersion(): string {
    return this.native.httpVersion
  }

  get body(): BodySource | undefined {
    if (this.#body === null) {
      this.#body = hasBody(this.native)
        ? (this.#reader ?? new NodeBody(this.native, this.response))
        : undefined
    }
    return this.#body
  }

  /** Whether the client left before the answer. */
  get isGone(): boolean {
    return this.#isClosed
  }

  /** The client reset the connection before its request was read: nobody is there to be served. */
  leave(): void {
    this.close()
    this.response.destroy()
  }

  /** Ends the connection, or on HTTP/2 the stream: an answer under way has no other end. */
  cutOff(): void {
    this.response.destroy()
  }

  /** Asks the engine. The answer is `exchange.decision`; a promise only where the engine had to wait. */
  decide(): Promise<void> | undefined {
    const decision = this.engine.decide(this.exchange)
    if (!(decision instanceof Promise)) return undefined
    this.#isDeciding = true
    return this.#waitFor(decision)
  }

  /** Guards that answer after the client left are owed a `settle` too, so it waits for them. */
  async #waitFor(decision: Promise<Decision>): Promise<void> {
    await decision
    this.#isDeciding = false
    if (this.#isClosed) this.#settle()
  }

  /**
   * Puts headers that guards replied after the handler began on the answer, if it is not out yet. Cookies
   * were added when they were replied first.
   */
  showReplies(): void {
    const { replyHeaders } = this.exchange
    if (replyHeaders === undefined || this.response.headersSent) return
    for (let i = 0; i + 1 < replyHeaders.length; i += 2) {
      const name = replyHeaders[i] as string
      if (name.toLowerCase() !== 'set-cookie') this.response.setHeader(name, replyHeaders[i + 1] as string)
    }
  }

  private carries(engine: Engine): boolean {
    return this.engine === engine || this.#outer?.carries(engine) === true
  }

  /** The response is over. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (!this.#isDeciding) this.#settle()
    this.#outer?.close()
  }

  /**
   * Notes how it ended; told at the end of this turn of the event loop, together with all others that end in
   * it.
   */
  #settle(): void {
    const response: Carried = this.response
    const { clock } = this.engine
    this.#outcome = {
      status: response.headersSent ? response.statusCode : 0,
      duration: Math.max(0, clock.now() - this.exchange.time),
      bytes: this.#bytes(response),
      aborted: (response.writableFinished ?? response.stream?.writableFinished) !== true,
    }
    ended.add(this)
  }

  /** Tells the engine. */
  tell(): void {
    if (this.#outcome !== undefined) this.engine.settle(this.exchange, this.#outcome)
  }

  /**
   * On HTTP/1 what the connection wrote beyond the head (chunk framing included); else what the head
   * announced.
   */
  #bytes(response: Carried): number {
    const head = response._header
    const written = this.native.socket?.bytesWritten
    if (typeof head === 'string' && written !== undefined) {
      return Math.max(0, written - this.#bytesBefore - head.length)
    }
    return response.headersSent ? Number(response.getHeader('content-length') ?? 0) : 0
  }
}

/**
 * Exchanges that ended in this turn. Told one after the other, detectors find their own code and tables still
 * in the processor's caches; told between the answers of a framework they do not, which cost a hello of
 * Express a microsecond in twenty. A client that waits for its answer cannot have sent its next request by
 * then.
 */
class EndedExchanges {
  #list: NodeCarrier[] = []
  readonly #settle = (): void => {
    const list = this.#list
    this.#list = []
    for (let i = 0; i < list.length; i++) list[i]?.tell()
  }

  add(carrier: NodeCarrier): void {
    if (this.#list.length === 0) setImmediate(this.#settle)
    this.#list.push(carrier)
  }
}

const ended = new EndedExchanges()

/** The carrier of a request whose application may say who sent it; undefined for any other object. */
export function carriedByNode(request: object): NodeCarrier | undefined {
  return (request as { readonly [CARRIER]?: NodeCarrier })[CARRIER]
}

function onClose(this: unknown): void {
  ;(this as Carried)[CARRIER]?.close()
}

/** The target as the client sent it: mounts and rewriters change `url`, never `originalUrl`. */
function targetOf(request: NodeRequest & RequestExtras): string {
  const { originalUrl } = request
  return typeof originalUrl === 'string' ? originalUrl : (request.url ?? '/')
}

function isGone(response: Carried): boolean {
  return response.closed === true || response.destroyed === true || response.stream?.destroyed === true
}
