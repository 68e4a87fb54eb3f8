import { Client, type Dispatcher, Pool } from 'undici'
import type { GatewaySettings } from './gateway-options.ts'

/** A connection that knows how many answers it has carried since it was opened. */
export class BackendConnection extends Client {
  answers = 0

  constructor(origin: URL, options: object) {
    super(origin, options)
    this.on('connect', () => {
      this.answers = 0
    })
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: BackendHandler): boolean {
    handler.connection = this
    return super.dispatch(options, handler)
  }
}

/** A handler that receives the connection on which its request is sent. */
export interface BackendHandler extends Dispatcher.DispatchHandler {
  connection?: BackendConnection | undefined
}

/**
 * The connections to the backend: HTTP/1.1, one request at a time on each. An idle one is closed before the backend would close it:
 * after `upstreamKeepAlive`, or a second before what the backend states in `Keep-Alive: timeout=`.
 */
export function backendPool(settings: GatewaySettings): Pool {
  const { timeouts, limits } = settings
  return new Pool(settings.upstream, {
    factory: (origin, options) => new BackendConnection(origin, options),
    connections: limits.upstreamConnections,
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
    ...(settings.upstreamCa !== undefined && { connect: { ca: settings.upstreamCa } }),
  })
}
