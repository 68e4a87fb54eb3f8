import type { Refusal } from '../decision/decision.ts'

/**
 * Asked by a carrier about each piece of a body that goes on behind the part which guards read ahead, in
 * order, before it goes on. False: the piece must not go on, and the request ends here. Where the answer is a
 * promise, the piece and all behind it wait for it, and the carrier takes nothing more from the connection.
 * Never throws or rejects.
 */
export type BodyGate = (piece: Uint8Array) => boolean | Promise<boolean>

/** Reads what lies behind the part of a body that guards read ahead, as it goes on. */
export interface BodyWatch {
  /**
   * Sees each piece in order, before the handler or backend does; the next one once it has answered about
   * this one. What takes long is answered with a promise, so that others are served meanwhile. Must not
   * throw or reject, and must not keep the bytes once it has answered.
   * @returns a refusal when the piece must not go on
   */
  take(piece: Uint8Array): Refusal | undefined | Promise<Refusal | undefined>
}
