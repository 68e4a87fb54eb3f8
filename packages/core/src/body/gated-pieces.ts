import type { BodyGate } from './body-watch.ts'

/** What becomes of pieces that a gate was asked about. */
export interface GatedPiecesOwner {
  /** The piece may go on. */
  pass(piece: Uint8Array): void
  /** A piece must not go on: neither it nor anything behind it is passed. */
  refuse(): void
  /** Nothing waits any more. */
  drained(): void
}

/**
 * Pieces of a body on their way past a gate, in order. A piece goes on at once where the gate answers at
 * once; otherwise it waits, and so do those behind it. Whoever offers them takes nothing more from the
 * connection while one waits, so that few ever do.
 */
export class GatedPieces {
  readonly #gate: BodyGate
  readonly #owner: GatedPiecesOwner
  readonly #waiting: Uint8Array[] = []
  #isAsking = false
  #isClosed = false

  constructor(gate: BodyGate, owner: GatedPiecesOwner) {
    this.#gate = gate
    this.#owner = owner
  }

  /** Whether a piece waits for its answer. */
  get isHolding(): boolean {
    return this.#isAsking
  }

  /** Offers the next piece. */
  offer(piece: Uint8Array): void {
    if (this.#isClosed) return
    if (this.#isAsking) this.#waiting.push(piece)
    else this.#ask(piece)
  }

  /** What waits goes nowhere. */
  close(): void {
    this.#isClosed = true
    this.#waiting.length = 0
  }

  #ask(piece: Uint8Array): void {
    const answer = this.#gate(piece)
    if (typeof answer === 'boolean') {
      this.#settle(piece, answer)
      return
    }
    this.#isAsking = true
    void answer.then(mayPass => {
      this.#isAsking = false
      this.#settle(piece, mayPass)
      while (!this.#isAsking && !this.#isClosed && this.#waiting.length > 0)
        this.#ask(this.#waiting.shift() as Uint8Array)
      if (!this.#isAsking && !this.#isClosed) this.#owner.drained()
    })
  }

  #settle(piece: Uint8Array, mayPass: boolean): void {
    if (this.#isClosed) return
    if (mayPass) {
      this.#owner.pass(piece)
      return
    }
    this.close()
    this.#owner.refuse()
  }
}
