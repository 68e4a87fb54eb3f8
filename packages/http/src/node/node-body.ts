import { type BodyGate, type BodyPrefix, type BodySource, ConfigError, headerValue } from '@postern/core'
import type { NodeRequest, NodeResponse, RequestExtras, ResponseExtras } from '../message/node-message.ts'
import { PassingBody } from './passing-body.ts'

const EMPTY = new Uint8Array(0)

/** Whether a message says that it has a body (RFC 9112 section 6.3; RFC 9113 section 8.1). */
export function hasBody(request: NodeRequest & RequestExtras): boolean {
  if (request.stream !== undefined) return request.stream.endAfterHeaders !== true
  return announcesBody(request.rawHeaders)
}

/** One pass: nearly every request is asked, and most have neither header. */
function announcesBody(headers: readonly string[]): boolean {
  let saysNone = false
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') return true
    if (name.length === 14 && name.toLowerCase() === 'content-length') {
      if (headers[i + 1] !== '0' || saysNone) return true
      saysNone = true
    }
  }
  return false
}

/**
 * Reads a node request ahead and puts everything back. The stream stays in paused mode, and what was read is
 * unshifted in the very tick of the last read: a stream that has bytes cannot emit `end`, so whoever reads
 * next sees the body whole.
 */
export class NodeBody implements BodySource {
  readonly #request: NodeRequest & RequestExtras
  readonly #response: NodeResponse & ResponseExtras
  #passing: PassingBody | undefined

  constructor(request: NodeRequest, response: NodeResponse) {
    this.#request = request
    this.#response = response
  }

  /** @throws ConfigError when something read the body before, and kept no `rawBody` */
  read(limit: number): Promise<BodyPrefix> {
    const request = this.#request
    if (request.readableEnded) return readElsewhere(request.rawBody, limit)
    this.#invite()
    return new Promise(resolve => {
      const reading = new ReadAhead(request, limit, (whole, complete) => {
        if (!isWhole(request)) this.#response.on('close', () => forget(request))
        if (whole.length > limit && request.push !== undefined)
          this.#passing = new PassingBody(request, whole.subarray(limit))
        resolve({ bytes: whole.subarray(0, limit), complete })
      })
      process.nextTick(() => reading.start())
    })
  }

  watch(gate: BodyGate): boolean | Promise<boolean> {
    return this.#passing?.watch(gate) ?? false
  }

  /**
   * Where the application answers `Expect: 100-continue` itself, nobody has yet, and the body would never
   * come.
   */
  #invite(): void {
    const response = this.#response
    if (response._sent100 !== false || response.headersSent) return
    if (headerValue(this.#request.rawHeaders, 'expect')?.toLowerCase() === '100-continue') {
      response.writeContinue?.()
    }
  }
}

/**
 * Reads what is left of a body that nobody took, once it was answered. Node does so for a request that was
 * never read, but takes one that was read ahead for one that the handler reads: the next request on its
 * connection would never be seen.
 */
function forget(request: NodeRequest & RequestExtras): void {
  const isTaken =
    request.readableFlowing === true ||
    (request.listenerCount?.('readable') ?? 0) > 0 ||
    (request.listenerCount?.('data') ?? 0) > 0
  if (!isTaken && !request.destroyed && !request.readableEnded) request.resume?.()
}

/**
 * Whether the last byte has arrived; it may still wait in the stream's buffer. A request that was made from
 * an event of a platform says that it is complete before anything was read from it, so on HTTP/1 the stream
 * is asked.
 */
function isWhole(request: NodeRequest & RequestExtras): boolean {
  const { _readableState: state, stream } = request
  if (state?.ended === true) return true
  return request.complete && (state === undefined || stream !== undefined)
}

function readElsewhere(rawBody: unknown, limit: number): Promise<BodyPrefix> {
  if (rawBody instanceof Uint8Array) {
    return Promise.resolve({ bytes: rawBody.subarray(0, limit), complete: rawBody.length <= limit })
  }
  return Promise.reject(
    new ConfigError({
      place: 'middleware order',
      problem: 'the body was read before Postern saw the request',
      hint: 'mount Postern before body parsers, or keep the bytes as request.rawBody',
    }),
  )
}

/**
 * One reading ahead, from the first byte until the end, one byte beyond the limit, or the client's leaving.
 */
class ReadAhead {
  readonly #request: NodeRequest & RequestExtras
  readonly #limit: number
  readonly #done: (whole: Uint8Array, complete: boolean) => void
  readonly #chunks: Uint8Array[] = []
  #length = 0

  /** @param done receives all that was read, which may be more than the limit */
  constructor(request: NodeRequest, limit: number, done: (whole: Uint8Array, complete: boolean) => void) {
    this.#request = request
    this.#limit = limit
    this.#done = done
  }

  /**
   * To be called from a fresh tick: a `readable` listener makes the stream look for bytes one tick later, and
   * if the end of an empty body came in between (out of the same packet as the head), looking would announce
   * the end to nobody.
   */
  start(): void {
    if (this.#request.destroyed) this.#finish(false)
    else if (isWhole(this.#request) && this.#request.readableLength === 0) this.#finish(true)
    else {
      this.#request.on('readable', this.#onReadable)
      this.#request.on('close', this.#onClose)
    }
  }

  /** Never calls `read` on an empty buffer: at the end of the body that would announce the end. */
  readonly #onReadable = (): void => {
    const request = this.#request
    while (this.#length <= this.#limit && request.readableLength > 0) {
      const chunk = request.read()
      if (chunk === null) break
      const bytes = chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk))
      this.#chunks.push(bytes)
      this.#length += bytes.length
    }
    if (this.#length > this.#limit) this.#finish(false)
    else if (isWhole(request) && request.readableLength === 0) this.#finish(true)
  }

  readonly #onClose = (): void => this.#finish(false)

  #finish(complete: boolean): void {
    const request = this.#request
    request.off('readable', this.#onReadable)
    request.off('close', this.#onClose)
    const [first = EMPTY] = this.#chunks
    const whole = this.#chunks.length <= 1 ? first : Buffer.concat(this.#chunks)
    if (whole.length > 0 && !request.destroyed && !request.readableEnded) request.unshift(whole)
    this.#done(whole, complete)
  }
}
