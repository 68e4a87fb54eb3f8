/** Told by the client's side of an exchange. */
export interface DownstreamOwner {
  /** There is room for more of the answer. */
  drained(): void
  /** Nothing more can be sent; `complete` when all of the answer was. Called exactly once. */
  closed(complete: boolean): void
}

/** The client's side of an exchange, whatever its protocol. */
export interface Downstream {
  owner: DownstreamOwner | undefined
  readonly headSent: boolean
  /** Whether everything that was written has left this process. May say no too often, never yes. */
  readonly flushed: boolean
  /** A 1xx answer; left out where the protocol has none. */
  informational(status: number, headers: readonly string[]): void
  /** The body is wanted: 100 Continue. */
  askForBody(): void
  /**
   * @param headers name, value, ...; owned by the callee
   * @throws TypeError for a header that cannot be sent
   */
  head(status: number, message: string, headers: string[]): void
  /** False when the owner should wait for `drained`. */
  write(chunk: Buffer): boolean
  end(trailers: readonly string[] | undefined): void
  /** Breaks off, so that the client can tell that the answer is not whole. */
  abort(): void
  /** Ends the connection itself (HTTP/1) or the stream (HTTP/2), even after a complete answer. */
  hangUp(): void
}
