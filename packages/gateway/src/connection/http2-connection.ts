import { constants, type ServerHttp2Session } from 'node:http2'
import type { Clock } from '@postern/core'

const RESET_WINDOW_MS = 10_000

/** How often a connection may do what costs us more than it. */
export interface Http2ConnectionLimits {
  /** Streams that the client may cancel within ten seconds. */
  readonly resets: number
  /** Streams in all. */
  readonly requestsPerConnection: number
}

/** Knows what all connections of an address do together. */
export interface ResetWatch {
  /** Counts a stream that a client cancelled. @returns whether its address has cancelled too many */
  cancelled(peer: string | undefined, now: number): boolean
  /** The connection of this client was ended for cancelled streams. */
  rest(peer: string | undefined): void
}

/**
 * One HTTP/2 connection. Counts streams that ended before their answer did: opening and cancelling streams
 * costs a client a few bytes and us a request each (rapid reset, CVE-2023-44487; made by our own resets,
 * CVE-2025-8671). Too many on it, or on all connections of its address, end the connection.
 */
export class Http2Connection {
  readonly peer: string | undefined
  readonly localPort: number | undefined
  readonly #session: ServerHttp2Session
  readonly #limits: Http2ConnectionLimits
  readonly #clock: Clock
  readonly #watch: ResetWatch
  #streams = 0
  #resets = 0
  #windowStart: number

  constructor(
    session: ServerHttp2Session,
    peer: string | undefined,
    limits: Http2ConnectionLimits,
    clock: Clock,
    watch: ResetWatch,
  ) {
    this.#watch = watch
    this.#session = session
    this.peer = peer
    this.localPort = session.socket.localPort
    this.#limits = limits
    this.#clock = clock
    this.#windowStart = clock.monotonic()
  }

  opened(): void {
    this.#streams++
    if (this.#streams >= this.#limits.requestsPerConnection) this.#session.close()
  }

  /** A stream ended before its answer was complete, and not by our wish. */
  reset(): void {
    const now = this.#clock.monotonic()
    if (now - this.#windowStart > RESET_WINDOW_MS) {
      this.#windowStart = now
      this.#resets = 0
    }
    this.#resets++
    const isAddressOver = this.#watch.cancelled(this.peer, now)
    if ((this.#resets <= this.#limits.resets && !isAddressOver) || this.#session.destroyed) return
    this.#watch.rest(this.peer)
    this.#session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    this.#session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
  }
}
