import { type CidrSet, type Engine, type Exchange, parseAddress } from '@postern/core'
import { type EngineSource, engineOf } from './engine-source.ts'
import { DIALECTS, type ForwardDialect } from './forward-dialect.ts'
import { readForwarded } from './forwarded-request.ts'
import { setHeaders, writeRefusal } from './node-answer.ts'
import type { NodeRequest, NodeResponse } from './node-message.ts'

export interface ForwardAuthOptions {
  readonly dialect: ForwardDialect
  /** The proxies that may ask. What anyone else says of an original request is never believed: they get 403. */
  readonly trusted: CidrSet
  /** Envoy's `path_prefix`, taken off the path; none unless given. */
  readonly prefix?: string
}

/**
 * The decision endpoint for a proxy that asks before it forwards: a node handler. The engine sees the original request as the proxy
 * described it: no body, and the answer is never seen, so the event of an allowed exchange has status 0, and nothing that
 * depends on bodies or outcomes can work in this mode.
 *
 * @example
 * createServer(forwardAuth(engine, { dialect: 'traefik', trusted: CidrSet.parse(['loopback']) })).listen(9090)
 */
export function forwardAuth(
  engine: EngineSource,
  options: ForwardAuthOptions,
): (request: NodeRequest, response: NodeResponse) => void {
  const { passesStatus } = DIALECTS[options.dialect]
  return (request, response) => {
    const peer = parseAddress(request.socket.remoteAddress ?? '127.0.0.1')
    if (peer === undefined || !options.trusted.has(peer)) {
      explain(response, 403, 'This endpoint answers only the proxies it was told to trust.')
      return
    }
    const forwarded = readForwarded(request, options.dialect, options.prefix ?? '')
    if (typeof forwarded === 'string') {
      explain(response, 500, forwarded)
      return
    }
    const asked = engineOf(engine)
    const exchange = asked.open(forwarded)
    const decision = asked.decide(exchange)
    if (decision instanceof Promise) void decision.then(() => reply(asked, exchange, response, passesStatus))
    else reply(asked, exchange, response, passesStatus)
  }
}

/**
 * The proxy's answer. One that only understands 401 and 403 finds the true status in `X-Postern-Status`; headers such as `Retry-After`
 * are there for it to pass on.
 */
function reply(engine: Engine, exchange: Exchange, response: NodeResponse, passesStatus: boolean): void {
  const { decision } = exchange
  let status = 0
  if (decision.effect === 'allow') {
    response.statusCode = 200
    if (exchange.replyHeaders !== undefined) setHeaders(response, exchange.replyHeaders)
    response.setHeader('Content-Length', '0')
    response.end('')
  } else {
    status = decision.status
    const told = passesStatus || status === 401 ? status : 403
    response.setHeader('X-Postern-Status', String(status))
    writeRefusal(decision, exchange, response, told)
  }
  engine.settle(exchange, {
    status,
    duration: Math.max(0, engine.clock.now() - exchange.time),
    bytes: 0,
    aborted: false,
  })
}

/** For whoever sets the proxy up: a request that cannot be decided fails, and says why. */
function explain(response: NodeResponse, status: number, detail: string): void {
  const body = JSON.stringify({ type: 'about:blank', title: 'Forward-auth request refused', status, detail })
  response.statusCode = status
  response.setHeader('Content-Type', 'application/problem+json')
  response.setHeader('Cache-Control', 'no-store')
  response.end(body)
}
