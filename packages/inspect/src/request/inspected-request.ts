import type { KnownTarget, RawHeaders } from '@postern/core'

/**
 * What inspection reads of a request: data only, so that a live exchange, a log line and a test look alike.
 */
export interface InspectedRequest {
  readonly method: string
  /** Request target as sent: path and query, undecoded. */
  readonly target: string
  /** Name, value, name, value, ... as they arrived. */
  readonly headers: RawHeaders
  /** The body as sent, perhaps compressed, perhaps only its start; undefined when there is none. */
  readonly body?: Uint8Array | undefined
  /**
   * The port this request came in on, given only where the client is on this machine: a URL that names us
   * there, as a
   * registry client's does, opens nothing to a client that stands inside already.
   */
  readonly ownPort?: number | undefined
  /** What is kept of this very target, so that one that comes again is scanned once. */
  readonly known?: KnownTarget | undefined
}
