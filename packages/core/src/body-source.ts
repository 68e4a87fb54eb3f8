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
}
