/** The first part of a request body. */
export interface BodyPrefix {
  readonly bytes: Uint8Array
  /** Whether these are all the bytes. */
  readonly complete: boolean
}

/**
 * A request body that a guard may read ahead. What was read is still seen whole by the handler or backend.
 */
export interface BodySource {
  /**
   * Up to `limit` bytes from the start. Resolves when the body ended, the limit was reached, or the client is so slow that
   * the carrier's own time limit cut the request.
   * @throws StoreError never; rejects with the carrier's error when the client went away
   */
  read(limit: number): Promise<BodyPrefix>
}
