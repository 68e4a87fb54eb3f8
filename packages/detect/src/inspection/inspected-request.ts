import type { RawHeaders } from '@postern/core'

/** What inspection reads of a request: data only, so that a live exchange, a log line and a test look alike. */
export interface InspectedRequest {
  readonly method: string
  /** Request target as sent: path and query, undecoded. */
  readonly target: string
  /** Name, value, name, value, ... as they arrived. */
  readonly headers: RawHeaders
  /** The body as sent, perhaps compressed, perhaps only its start; undefined when there is none. */
  readonly body?: Uint8Array | undefined
  /** Whether `body` is all of it. Default true. */
  readonly bodyComplete?: boolean
}
