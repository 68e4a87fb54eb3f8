import type { BodyGate } from './body-watch.ts'

/** The first part of a request body. */
export interface BodyPrefix {
  readonly bytes: Uint8Array
  /** Whether these are all the bytes. */
  readonly complete: boolean
}

/**
 * A request body that a guard may read ahead. The handler or backend still receives the whole body.
 */
export interface BodySource {
  /**
   * Up to `limit` bytes from the start. Resolves when the body ended or the limit was reached, or with what
   * had arrived (not complete) when the client went away or was so slow that the carrier's own time limit cut
   * the request: an attack whose body never ends is still detected.
   */
  read(limit: number): Promise<BodyPrefix>

  /**
   * Asks a gate about every byte behind the prefix that `read` gave, before the handler or backend gets it;
   * to be called once, before the decision. A piece that may not pass ends the request: what can still be
   * answered is answered with the exchange's decision, and the connection is cut.
   * @returns false where the carrier cannot: the gate is then never asked. A promise where the gate takes its
   *   time over what has arrived already: the decision is to wait for it
   */
  watch?(gate: BodyGate): boolean | Promise<boolean>
}
