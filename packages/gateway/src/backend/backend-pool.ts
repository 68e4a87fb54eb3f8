import { isIP, type Socket } from 'node:net'
import { type buildConnector, Client, type Dispatcher, Pool } from 'undici'
import type { GatewaySettings } from '../options/gateway-options.ts'
import { FILES_OF_BACKEND_CONNECTION } from './backend-slots.ts'
import { readLastAnswer } from './last-answer.ts'

/**
 * undici ends a connection when the next request has another name, and takes that from `Host`. One name for
 * all keeps it; which one does not matter, for the connector has its own.
 */
function named(options: Dispatcher.DispatchOptions): Dispatcher.DispatchOptions {
  const one: Dispatcher.DispatchOptions & { readonly servername: string } = {
    ...options,
    servername: 'backend',
  }
  return one
}

/**
 * A connection that knows how many answers it has carried since it was opened, and can be closed after one.
 */
export class BackendConnection extends Client {
  answers = 0
  /** Monotonic milliseconds. */
  #until = 0
  readonly #open: { socket: Socket | undefined }
  readonly #isSecure: boolean

  constructor(origin: URL, options: BackendConnectionOptions) {
    const open: { socket: Socket | undefined } = { socket: undefined }
    super(origin, {
      ...options,
      connect: (target, done) =>
        options.connect({ ...target, servername: options.servername }, (...result) => {
          open.socket = result[1] ?? undefined
          if (open.socket !== undefined) readLastAnswer(open.socket)
          done(...result)
        }),
    })
    this.#open = open
    this.#isSecure = origin.protocol === 'https:'
    this.on('connect', () => {
      this.answers = 0
      this.#until = performance.now() + options.lifetime
    })
  }

  /** Bytes of the request that the backend has not been able to take yet. */
  get unsent(): number {
    return this.#open.socket?.writableLength ?? 0
  }

  /** An answer has ended: the connection is closed once it has been used for long enough. */
  answered(): void {
    this.answers++
    if (performance.now() > this.#until) this.retire()
  }

  /** Ends the connection after the answer that it has just carried: no other request is sent on it. */
  retire(): void {
    this.#open.socket?.destroy()
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: BackendHandler): boolean {
    handler.connection = this
    return super.dispatch(this.#isSecure ? named(options) : options, handler)
  }
}

/** A handler that receives the connection on which its request is sent. */
export interface BackendHandler extends Dispatcher.DispatchHandler {
  connection?: BackendConnection | undefined
}

/** What the pool opens a connection with: its own connector, always as a function. */
export interface BackendConnectionOptions {
  readonly connect: buildConnector.connector
  /** Milliseconds after which a connection is closed when it has carried an answer. */
  readonly lifetime: number
  /** Whose certificate the backend must show; empty: of the host of `upstream`. */
  readonly servername: string
}

/**
 * A backend proves that it is the one that the operator named, never the one that a client names in `Host`.
 */
function backendName({ rewriteHost }: GatewaySettings): string {
  const hostname = rewriteHost === undefined ? '' : (URL.parse(`https://${rewriteHost}`)?.hostname ?? '')
  // TLS knows no addresses as names.
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : ''
}

/**
 * The connections to the backend: HTTP/1.1, one request at a time on each. An idle one is closed before the
 * backend would close it: after `upstreamKeepAlive`, or a second before what the backend states in
 * `Keep-Alive: timeout=`.
 */
export function backendPool(settings: GatewaySettings): Pool {
  const { timeouts, limits, upstream, upstreamCa } = settings
  return new Pool(upstream.origin, {
    factory: (origin, options) =>
      new BackendConnection(origin, {
        ...(options as Omit<BackendConnectionOptions, 'lifetime' | 'servername'>),
        lifetime: timeouts.upstreamLifetime,
        servername: backendName(settings),
      }),
    // Who gets one is for `BackendSlots` to say; streams of events come on top.
    connections: limits.upstreamConnections * FILES_OF_BACKEND_CONNECTION,
    pipelining: 1,
    allowH2: false,
    connectTimeout: timeouts.upstreamConnect,
    headersTimeout: timeouts.upstreamHead,
    bodyTimeout: timeouts.upstreamIdle,
    keepAliveTimeout: timeouts.upstreamKeepAlive,
    keepAliveMaxTimeout: 60_000,
    keepAliveTimeoutThreshold: 1_000,
    maxHeaderSize: limits.headerBytes,
    strictContentLength: true,
    connect: {
      ...(upstreamCa !== undefined && { ca: upstreamCa }),
      ...(upstream.socketPath !== undefined && { socketPath: upstream.socketPath }),
    },
  })
}
