import type { BodyGate } from '@postern/core'
import type { NodeRequest, RequestExtras } from './node-message.ts'

/** What arrives between the reading ahead and the decision: a paused stream takes no more. */
const MOST_KEPT = 262_144

/** The request was ended while its body was on its way. */
class BodyRefused extends Error {}

/**
 * The rest of a node request's body on its way to the handler: what the connection pushes into the stream is
 * shown to a gate first. A piece that may not pass ends the connection.
 */
export class PassingBody {
  readonly #request: NodeRequest & RequestExtras
  readonly #push: (chunk: unknown, encoding?: unknown) => boolean
  #kept: Uint8Array[]
  #length: number
  #gate: BodyGate | undefined

  /** @param ahead what was read beyond the limit, and stands in the stream already */
  constructor(request: NodeRequest & RequestExtras, ahead: Uint8Array) {
    this.#request = request
    this.#kept = [ahead]
    this.#length = ahead.length
    this.#push = request.push?.bind(request) ?? (() => false)
    request.push = (chunk, encoding) => this.#arrived(chunk, encoding)
  }

  /** @returns false when more has gone by than was kept */
  watch(gate: BodyGate): boolean {
    if (this.#length > MOST_KEPT) return false
    this.#gate = gate
    const kept = this.#kept
    this.#kept = []
    for (const piece of kept)
      if (piece.length > 0 && !gate(piece)) {
        this.#end()
        break
      }
    return true
  }

  #arrived(chunk: unknown, encoding: unknown): boolean {
    if (chunk instanceof Uint8Array) {
      if (this.#gate === undefined) this.#keep(chunk)
      else if (!this.#gate(chunk)) {
        this.#end()
        return false
      }
    }
    return this.#push(chunk, encoding)
  }

  #keep(chunk: Uint8Array): void {
    this.#length += chunk.length
    if (this.#length <= MOST_KEPT) this.#kept.push(chunk)
    else this.#kept = []
  }

  #end(): void {
    this.#request.destroy?.(new BodyRefused('the body of this request was refused on its way'))
  }
}
