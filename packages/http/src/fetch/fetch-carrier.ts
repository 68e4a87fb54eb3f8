import { type Engine, type Exchange, ownAnswer, type RawHeaders, type RequestSource } from '@postern/core'
import { changeHeaders } from '../message/request-changes.ts'
import { headersFor } from '../node/node-answer.ts'
import { bodyOf, FetchAnswerHead } from './fetch-answer-head.ts'
import { FetchBody } from './fetch-body.ts'
import { RequestRefused } from './request-refused.ts'

/** Nobody sees this status; nginx writes it down for the same. */
export const CLIENT_LEFT = 499

/** By the requests that handlers see; filled only where the application may say who sent them. */
const CARRIED = new WeakMap<Request, FetchCarrier>()

/** The carrier of a Request whose application may say who sent it. */
export function carriedByFetch(request: Request): FetchCarrier | undefined {
  return CARRIED.get(request)
}

/**
 * Carries one fetch Request through an engine. The exchange settles exactly once: when the last byte of the
 * response was read, or the reader cancelled, or the request was aborted, or the handler threw.
 */
export class FetchCarrier implements RequestSource {
  readonly native: Request
  readonly method: string
  readonly target: string
  readonly headers: RawHeaders
  readonly peer: string | undefined
  readonly secure: boolean
  /** Fetch does not tell; no header that belongs to a connection may be set on a Response. */
  readonly httpVersion = '2.0'
  readonly body: FetchBody | undefined
  readonly exchange: Exchange
  readonly engine: Engine
  #isDeciding = false
  #hasAnswered = false
  #isSettled = false
  #status = 0
  /** Ends the body of the answer; there once one is on its way. */
  #cut: (() => void) | undefined

  constructor(engine: Engine, request: Request, peer: string | undefined) {
    const { url } = request
    const host = url.indexOf('//') + 2
    const path = url.indexOf('/', host)
    this.engine = engine
    this.native = request
    this.method = request.method
    this.target = path < 0 ? '/' : url.slice(path)
    this.headers = rawHeaders(request.headers, path < 0 ? url.slice(host) : url.slice(host, path))
    this.peer = peer
    this.secure = url.startsWith('https:')
    this.body = request.body === null ? undefined : new FetchBody(request)
    this.exchange = engine.open(this)
    if (engine.takesPrincipals) CARRIED.set(request, this)
    if (request.signal.aborted) this.#onAbort()
    else request.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Whether the handler's answer is on its way: nothing can stand in its place any more. */
  get hasAnswered(): boolean {
    return this.#hasAnswered
  }

  /** The Request for the handler: its body is whole, and its headers are as guards changed them. */
  get request(): Request {
    let request = this.body?.replay ?? this.native
    const { requestChanges } = this.exchange
    if (requestChanges !== undefined) {
      request = new Request(request)
      changeHeaders(request.headers, requestChanges)
    }
    if (this.engine.takesPrincipals) CARRIED.set(request, this)
    return request
  }

  /** Asks the engine. The answer is `exchange.decision`; a promise only where the engine had to wait. */
  decide(): Promise<void> | undefined {
    const decision = this.engine.decide(this.exchange)
    if (!(decision instanceof Promise)) return undefined
    this.#isDeciding = true
    return decision.then(() => {
      this.#isDeciding = false
      if (this.native.signal.aborted) this.#settle(0, true)
    })
  }

  /**
   * The answer when the handler is not to run (the exchange was refused, a guard serves it, or the client
   * left), else undefined.
   */
  ownResponse(): Response | undefined {
    if (this.#isSettled) return new Response(null, { status: CLIENT_LEFT })
    const answer = ownAnswer(this.exchange)
    if (answer === undefined) return undefined
    const headers = new Headers()
    addHeaders(headers, headersFor(this.exchange, answer.headers))
    this.#status = answer.status
    const isHead = this.method === 'HEAD'
    this.#settle(isHead ? 0 : Buffer.byteLength(answer.body), false)
    return new Response(isHead || answer.body === '' ? null : bodyOf(answer.body), {
      status: answer.status,
      headers,
    })
  }

  /** The handler's response on its way out: with the reply headers, and watched to its last byte. */
  finish(response: Response): Response {
    this.#hasAnswered = true
    const own = this.exchange.decision.effect === 'allow' ? undefined : this.ownResponse()
    if (own !== undefined) {
      // Refused after the handler began: whatever it answered, the refusal stands.
      void response.body?.cancel().catch(() => undefined)
      return own
    }
    this.#status = response.status
    const extra = this.exchange.replyHeaders
    if (response.body === null || this.method === 'HEAD') {
      this.#settle(0, false)
      if (extra === undefined && !this.engine.hasAnswerHooks) return response
      return this.#shown(withHeaders(response.body, response, extra))
    }
    return this.#shown(withHeaders(this.#watch(response.body), response, extra))
  }

  /** A response of our own making, after guards saw and changed its head. */
  #shown(response: Response): Response {
    if (this.engine.hasAnswerHooks) this.engine.onAnswer(this.exchange, new FetchAnswerHead(response))
    return response
  }

  /** The answer to a handler that let the refusal of its principal through; undefined for any other error. */
  refusedLate(error: unknown): Response | undefined {
    return error instanceof RequestRefused ? this.ownResponse() : undefined
  }

  /** The handler threw: the runtime answers 500. */
  fail(): void {
    this.#status = 500
    this.#settle(0, false)
  }

  /** The request goes on to where its end is never heard of: settles with status 0. */
  leave(response: Response): Response {
    this.#hasAnswered = true
    this.#settle(0, false)
    return withHeaders(response.body, response, this.exchange.replyHeaders)
  }

  /** Ends an answer under way with an error, so that nobody takes it for whole. */
  cutOff(): void {
    this.#cut?.()
  }

  #watch(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader()
    let bytes = 0
    return new ReadableStream<Uint8Array>(
      {
        start: controller => {
          this.#cut = () => {
            if (this.#isSettled) return
            this.#settle(bytes, true)
            const reason = new Error('the connection no longer holds')
            controller.error(reason)
            void reader.cancel(reason).catch(() => undefined)
          }
        },
        pull: async controller => {
          try {
            const { done, value } = await reader.read()
            if (this.#isSettled) return
            if (!done) {
              bytes += value.length
              this.exchange.answerWatch?.take(value)
              controller.enqueue(value)
              return
            }
            this.#settle(bytes, false)
            controller.close()
          } catch (error) {
            this.#settle(bytes, true)
            controller.error(error)
          }
        },
        cancel: reason => {
          this.#settle(bytes, true)
          return reader.cancel(reason)
        },
      },
      { highWaterMark: 0 },
    )
  }

  readonly #onAbort = (): void => {
    if (!this.#isDeciding) this.#settle(0, true)
  }

  #settle(bytes: number, aborted: boolean): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.native.signal.removeEventListener('abort', this.#onAbort)
    const duration = Math.max(0, this.engine.clock.now() - this.exchange.time)
    this.engine.settle(this.exchange, { status: this.#status, duration, bytes, aborted })
  }
}

function rawHeaders(headers: Headers, host: string): RawHeaders {
  const raw: string[] = []
  for (const [name, value] of headers) raw.push(name, value)
  if (!headers.has('host')) raw.push('host', host)
  return raw
}

function withHeaders(
  body: ReadableStream<Uint8Array> | null,
  response: Response,
  extra: readonly string[] | undefined,
): Response {
  const copy = new Response(body, response)
  if (extra !== undefined) addHeaders(copy.headers, extra)
  return copy
}

function addHeaders(headers: Headers, list: readonly string[]): void {
  for (let i = 0; i + 1 < list.length; i += 2) {
    const name = list[i] as string
    const value = list[i + 1] as string
    if (name.toLowerCase() === 'set-cookie') headers.append(name, value)
    else headers.set(name, value)
  }
}
