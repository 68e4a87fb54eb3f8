/**
 * The start of an answer's body, copied as it is sent, for a guard that asked (`exchange.watchAnswer`) and
 * reads it when the exchange settles. The answer is not delayed. Bytes are as sent: a guard that needs them
 * uncompressed removes `accept-encoding` from the request first.
 */
export class AnswerWatch {
  readonly #limit: number
  readonly #chunks: Uint8Array[] = []
  #length = 0

  /** @param limit bytes kept at most */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** The bytes so far, up to the limit. */
  get bytes(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }

  /** Called by the carrier for each piece of the body, in order. */
  take(chunk: Uint8Array): void {
    const room = this.#limit - this.#length
    if (room <= 0) return
    // A copy: the carrier may use its buffer again.
    const kept = Uint8Array.from(chunk.length > room ? chunk.subarray(0, room) : chunk)
    this.#chunks.push(kept)
    this.#length += kept.length
  }
}
