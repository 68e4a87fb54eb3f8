import { Readable } from 'node:stream'
import { type BodyGate, type BodyPrefix, type BodySource, GatedPieces } from '@postern/core'
import type { PacedWork } from '../pacing/paced-work.ts'

/** Bytes that each period of the progress timeout must bring. */
const PROGRESS_BYTES = 1_024
/** What is read of a body that nobody wants, so that the client sees the answer instead of a reset. */
const DISCARD_BYTES = 1_048_576

/** Told by a request body. */
export interface RequestBodyOwner {
  /** The body is wanted for the first time: the moment to answer `Expect: 100-continue`. */
  bodyWanted(): void
  /** The client sends too slowly. */
  bodyStalled(): void
  /** The client goes on sending what nobody wants. */
  bodyUnwanted(): void
  /** A piece must not go on to the backend: the exchange's decision says why. */
  bodyRefused(): void
}

/** The client went away before its body was complete. */
class BodyAborted extends Error {}

/** What has come of the body must not be taken for all of it. */
class BodyRefused extends Error {}

/**
 * A request body: its start may be read ahead by guards, then all of it goes on to the backend, with
 * back-pressure. Memory is bounded by the read-ahead limit and the streams' high-water marks. A body that
 * makes no progress is reported to the owner.
 */
export class RequestBody implements BodySource {
  /** Set before the body is read. */
  owner: RequestBodyOwner | undefined = undefined
  readonly #source: Readable
  readonly #progressTimeout: number
  readonly #late: PacedWork
  #begun = false
  #ended = false
  #failed = false
  #chunks: Buffer[] = []
  #buffered = 0
  #limit = 0
  #waiter: { resolve(prefix: BodyPrefix): void } | undefined = undefined
  #sink: ForwardedBody | undefined = undefined
  /** How much of what was read ahead guards have seen. */
  #seen = 0
  #pieces: GatedPieces | undefined = undefined
  #isRefused = false
  #discarding = false
  #recent = 0
  #timer: NodeJS.Timeout | undefined = undefined

  /** @param late where a body that makes no progress waits for its refusal */
  constructor(source: Readable, progressTimeout: number, late: PacedWork) {
    this.#source = source
    this.#progressTimeout = progressTimeout
    this.#late = late
  }

  /** Whether every byte has arrived. */
  get complete(): boolean {
    return this.#ended
  }

  /** Whether the client was ever asked for the body. */
  get begun(): boolean {
    return this.#begun
  }

  read(limit: number): Promise<BodyPrefix> {
    return new Promise(resolve => {
      this.#limit = limit
      this.#waiter = { resolve }
      this.#begin()
      this.#answerWaiter()
    })
  }

  watch(gate: BodyGate): boolean {
    this.#pieces = new GatedPieces(gate, {
      pass: piece => this.#pass(piece),
      refuse: () => this.#refuse(),
      drained: () => this.#drained(),
    })
    return true
  }

  /**
   * The whole body for the backend: bytes when it has all arrived, else a stream that begins with what was
   * read ahead. Undefined when it holds what must not go on.
   */
  forward(): Readable | Buffer | undefined {
    this.#begin()
    const prefix = this.#takePrefix()
    if (prefix.length > this.#seen) this.#pieces?.offer(prefix.subarray(this.#seen))
    if (this.#isRefused) return undefined
    const isHeld = this.#pieces?.isHolding === true
    if (this.#ended && !isHeld) return prefix
    const sink = new ForwardedBody({
      wanted: () => this.#wanted(),
      closed: () => {
        this.#sink = undefined
        this.#pieces?.close()
      },
    })
    this.#sink = sink
    // What waits for its answer is passed with it.
    const first = isHeld ? prefix.subarray(0, this.#seen) : prefix
    if (first.length === 0 || sink.push(first)) this.#wanted()
    return sink
  }

  /** The backend takes more: the client is asked for it, unless a piece still waits. */
  #wanted(): void {
    if (this.#pieces?.isHolding !== true) this.#source.resume()
  }

  /**
   * The answer is complete: what is left of the request is read and forgotten.
   * @param isAsked whether the client sends it only when asked to
   */
  finish(isAsked: boolean): void {
    if (!isAsked || this.#begun) this.discard()
  }

  /** Reads and forgets what is left, up to a bound. */
  discard(): void {
    if (this.#ended || this.#failed || this.#discarding) return
    this.#discarding = true
    this.#chunks = []
    this.#buffered = 0
    this.#begin()
    this.#source.resume()
  }

  /** Stops the clock: the exchange is over. A body that is still being discarded stays watched to its end. */
  close(): void {
    if (this.#discarding && !this.#ended && !this.#failed) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** The connection is gone: nothing more will come. */
  abandon(): void {
    this.#abort()
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    if (!this.#discarding) this.owner?.bodyWanted()
    this.#source.on('data', chunk => this.#arrived(chunk as Buffer))
    this.#source.on('end', () => this.#finish())
    this.#source.on('error', () => this.#abort())
    this.#source.on('close', () => this.#abort())
    this.#timer = setTimeout(() => this.#checkProgress(), this.#progressTimeout)
  }

  #arrived(chunk: Buffer): void {
    this.#recent += chunk.length
    if (this.#sink !== undefined) {
      if (this.#pieces === undefined) this.#pass(chunk)
      else {
        this.#pieces.offer(chunk)
        if (this.#pieces.isHolding) this.#source.pause()
      }
      return
    }
    this.#buffered += chunk.length
    if (this.#discarding) {
      if (this.#buffered > DISCARD_BYTES) this.owner?.bodyUnwanted()
      return
    }
    this.#chunks.push(chunk)
    if (this.#buffered >= this.#limit) this.#source.pause()
    this.#answerWaiter()
  }

  #pass(piece: Uint8Array): void {
    if (this.#sink?.push(piece) === false) this.#source.pause()
  }

  /** Nothing waits any more for its answer. */
  #drained(): void {
    if (this.#ended) this.#sink?.push(null)
    else if (this.#sink !== undefined && this.#sink.readableLength < this.#sink.readableHighWaterMark)
      this.#source.resume()
  }

  /** The backend's connection goes down with the body, so that it takes nothing for complete. */
  #refuse(): void {
    this.#isRefused = true
    const sink = this.#sink
    this.#sink = undefined
    sink?.destroy(new BodyRefused('the body of this request was refused on its way'))
    this.owner?.bodyRefused()
  }

  #finish(): void {
    this.#ended = true
    this.close()
    if (this.#pieces?.isHolding !== true) this.#sink?.push(null)
    this.#answerWaiter()
  }

  #abort(): void {
    if (this.#ended || this.#failed) return
    this.#failed = true
    this.close()
    const error = new BodyAborted('the client went away before its request was complete')
    this.#sink?.destroy(error)
    // Who reads ahead gets what had arrived: no guard has failed, and an attack that breaks off is still
    // seen.
    this.#waiter?.resolve({ bytes: this.#takePrefix(), complete: false })
    this.#waiter = undefined
  }

  #answerWaiter(): void {
    if (this.#waiter === undefined || (!this.#ended && this.#buffered < this.#limit)) return
    const bytes = this.#takePrefix()
    this.#chunks = [bytes]
    this.#seen = Math.min(bytes.length, this.#limit)
    this.#waiter.resolve({
      bytes: bytes.subarray(0, this.#limit),
      complete: this.#ended && bytes.length <= this.#limit,
    })
    this.#waiter = undefined
  }

  #takePrefix(): Buffer {
    const [only] = this.#chunks
    const bytes = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks)
    this.#chunks = []
    return bytes
  }

  #checkProgress(): void {
    const waiting = !this.#source.isPaused()
    const stalled = waiting && this.#recent < PROGRESS_BYTES
    this.#recent = 0
    if (!stalled) {
      this.#timer = setTimeout(() => this.#checkProgress(), this.#progressTimeout)
      return
    }
    this.#late.add(() => this.#stall())
  }

  #stall(): void {
    // It may have ended, or its exchange have been closed, while this waited.
    if (this.#ended || this.#failed || this.#timer === undefined) return
    this.#failed = true
    this.#waiter?.resolve({ bytes: this.#takePrefix(), complete: false })
    this.#waiter = undefined
    this.owner?.bodyStalled()
  }
}

/** What undici reads; asks the client for more only when there is room. */
class ForwardedBody extends Readable {
  readonly #wanted: () => void
  readonly #closed: () => void

  constructor({ wanted, closed }: { readonly wanted: () => void; readonly closed: () => void }) {
    super()
    this.#wanted = wanted
    this.#closed = closed
    // undici stops listening when its request is over, and the client may leave after that: an error that
    // nobody hears would end the worker. What became of the body, the owner hears from elsewhere.
    this.on('error', ignore)
  }

  override _read(): void {
    this.#wanted()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#closed()
    done(error)
  }
}

function ignore(): void {
  // Told to the owner.
}
