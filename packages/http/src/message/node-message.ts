/**
 * What the node carrier asks of a request: `http.IncomingMessage` and `http2.Http2ServerRequest` have it, and
 * with them the requests of every framework that stands on node.
 */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly rawHeaders: string[]
  readonly headers: Record<string, unknown>
  readonly headersDistinct?: Record<string, unknown>
  readonly httpVersion: string
  readonly socket: NodeSocket
  readonly complete: boolean
  readonly destroyed: boolean
  readonly readableEnded: boolean
  readonly readableLength: number
  read(): unknown
  unshift(chunk: Uint8Array): void
  on(event: 'readable' | 'close', listener: () => void): unknown
  off(event: 'readable' | 'close', listener: () => void): unknown
}

/** The connection under a request. */
export interface NodeSocket {
  readonly remoteAddress?: string | undefined
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  readonly destroyed?: boolean
  readonly bytesWritten?: number
}

/**
 * What the node carrier asks of a response: `http.ServerResponse` and `http2.Http2ServerResponse` have it.
 */
export interface NodeResponse {
  statusCode: number
  statusMessage: string
  readonly headersSent: boolean
  setHeader(name: string, value: string | readonly string[]): unknown
  getHeader(name: string): unknown
  getHeaderNames(): readonly string[]
  removeHeader(name: string): unknown
  writeHead(status: number, message?: string): unknown
  write(chunk: string | Uint8Array): boolean
  end(body: string | Uint8Array): unknown
  on(event: 'close', listener: () => void): unknown
  destroy(): unknown
}

/** Facts that only one of the two protocols, or only some servers, put on the messages. */
export interface RequestExtras {
  /** Set by connect, Express and Fastify before they rewrite `url`. */
  readonly originalUrl?: unknown
  /** The bytes of a body that something else read and kept. */
  readonly rawBody?: unknown
  /**
   * node:stream keeps here whether the source has ended while bytes still wait; there is no public word for
   * it.
   */
  readonly _readableState?: { readonly ended: boolean }
  readonly readableFlowing?: boolean | null
  resume?(): unknown
  /** Where the connection puts what arrives into the stream. */
  push?(chunk: unknown, encoding?: unknown): boolean
  destroy?(error?: Error): unknown
  listenerCount?(event: string): number
  /** HTTP/2 only. */
  readonly stream?: { readonly endAfterHeaders?: boolean; close?(code: number): void }
}

export interface ResponseExtras {
  readonly destroyed?: boolean
  readonly closed?: boolean
  readonly writableFinished?: boolean
  /** HTTP/1 only: the head as it was written. */
  readonly _header?: string | null
  /** HTTP/1 only: whether `100 Continue` was sent. */
  readonly _sent100?: boolean
  writeContinue?(): void
  /** HTTP/2 only. */
  readonly stream?: { readonly destroyed?: boolean; readonly writableFinished?: boolean }
}
