import { type BodyGate, GatedPieces } from '@postern/core'
import type { NodeRequest, RequestExtras } from '../message/node-message.ts'

/** What arrives between the reading ahead and the decision: a paused stream takes no more. */
const MOST_KEPT = 262_144

/** What an HTTP/2 stream is reset with (RFC 9113 section 7). */
const CANCEL = 8

/** The request was ended while its body was on its way. */
class BodyRefused extends Error {}

/**
 * The rest of a node request's body on its way to the handler: what the connection pushes into the stream is
 * shown to a gate first. While the gate takes its time, the stream has no more room: the connection is not
 * read. A piece that may not pass ends the connection.
 */
export class PassingBody {
  readonly #request: NodeRequest & RequestExtras
  readonly #push: (chunk: unknown, encoding?: unknown) => boolean
  #kept: Uint8Array[]
  #length: number
  #pieces: GatedPieces | undefined
  /** How many of the pieces that are offered stand in the stream already. */
  #ahead = 0
  /** The end arrived while a piece waited. */
  #isEnded = false
  #isRefused = false
  #hasRoom = true
  #watched: ((isWatched: boolean) => void) | undefined

  /** @param ahead what was read beyond the limit, and stands in the stream already */
  constructor(request: NodeRequest & RequestExtras, ahead: Uint8Array) {
    this.#request = request
    this.#kept = [ahead]
    this.#length = ahead.length
    this.#push = request.push?.bind(request) ?? (() => false)
    request.push = (chunk, encoding) => this.#arrived(chunk, encoding)
  }

  /** @returns false when more has gone by than was kept; a promise while the gate looks at what was kept */
  watch(gate: BodyGate): boolean | Promise<boolean> {
    if (this.#length > MOST_KEPT) return false
    const kept = this.#kept.filter(piece => piece.length > 0)
    this.#kept = []
    this.#ahead = kept.length
    const pieces = new GatedPieces(gate, {
      pass: piece => this.#pass(piece),
      refuse: () => this.#end(),
      drained: () => this.#drained(),
    })
    this.#pieces = pieces
    for (const piece of kept) pieces.offer(piece)
    if (!pieces.isHolding) return true
    return new Promise(resolve => {
      this.#watched = resolve
    })
  }

  #arrived(chunk: unknown, encoding: unknown): boolean {
    // The end of a connection that was cut is not the end of the body.
    if (this.#isRefused) return false
    const pieces = this.#pieces
    if (chunk instanceof Uint8Array) {
      if (pieces === undefined) this.#keep(chunk)
      else {
        this.#hasRoom = true
        pieces.offer(chunk)
        return this.#hasRoom && !pieces.isHolding && !this.#request.destroyed
      }
    }
    if (chunk === null && pieces?.isHolding === true) {
      this.#isEnded = true
      return false
    }
    return this.#push(chunk, encoding)
  }

  #pass(piece: Uint8Array): void {
    if (this.#ahead > 0) {
      if (--this.#ahead === 0) this.#tell()
    } else if (!this.#request.destroyed) this.#hasRoom = this.#push(piece)
  }

  #drained(): void {
    if (this.#isEnded) this.#push(null)
  }

  /** Lets the decision go on that waits for what had arrived. */
  #tell(): void {
    this.#watched?.(true)
    this.#watched = undefined
  }

  #keep(chunk: Uint8Array): void {
    this.#length += chunk.length
    if (this.#length <= MOST_KEPT) this.#kept.push(chunk)
    else this.#kept = []
  }

  #end(): void {
    this.#isRefused = true
    this.#tell()
    const request = this.#request
    if (request.stream === undefined) {
      request.destroy?.(new BodyRefused('the body of this request was refused on its way'))
      return
    }
    // On HTTP/2 the stream does not end with the request, and an error of the request that nobody listens for
    // would end the process.
    request.destroy?.()
    request.stream.close?.(CANCEL)
  }
}
