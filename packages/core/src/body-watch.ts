import type { Refusal } from './decision.ts'

/**
 * Asked by a carrier about each piece of a body that goes on behind the part which guards read ahead, in
 * order, before it goes on. False: the piece must not go on, and the request ends here. Never throws.
 */
export type BodyGate = (piece: Uint8Array) => boolean

/** Reads what lies behind the part of a body that guards read ahead, as it goes on. */
export interface BodyWatch {
  /**
   * Sees each piece in order, before the handler or backend does. Must answer at once, must not throw, and
   * must not keep the bytes.
   * @returns a refusal when the piece must not go on
   */
  take(piece: Uint8Array): Refusal | undefined
}
