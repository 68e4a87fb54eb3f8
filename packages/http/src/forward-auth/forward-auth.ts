import {
  type Answer,
  type CidrSet,
  type Engine,
  type Exchange,
  headerValue,
  ownAnswer,
  parseAddress,
  problemDocument,
} from '@postern/core'
import { type EngineSource, engineOf } from '../adapter/engine-source.ts'
import type { NodeRequest, NodeResponse } from '../message/node-message.ts'
import { peerAddress } from '../message/peer-address.ts'
import { setHeaders, writeAnswer } from '../node/node-answer.ts'
import { DIALECTS, type ForwardDialect } from './forward-dialect.ts'
import { readForwarded } from './forwarded-request.ts'
import { KeptRefusals } from './kept-refusals.ts'

/** Which proxy asks, and whose statements about a request are trusted. */
export interface ForwardAuthOptions {
  readonly dialect: ForwardDialect
  /**
   * The proxies that may ask. What anyone else says of an original request is never used: they get 403.
   */
  readonly trusted: CidrSet
  /** Envoy's `path_prefix`, taken off the path; none unless given. */
  readonly prefix?: string
}

/**
 * The decision endpoint for a proxy that asks before it forwards: a node handler. The engine sees the
 * original request as the proxy described it: no body, and the answer is never seen, so the event of an
 * allowed exchange has status 0, and nothing that depends on bodies or outcomes can work in this mode.
 *
 * @example
 * const trusted = CidrSet.parse(['loopback'])
 * createServer(forwardAuth(engine, { dialect: 'traefik', trusted })).listen(9090)
 */
export function forwardAuth(
  engine: EngineSource,
  options: ForwardAuthOptions,
): (request: NodeRequest, response: NodeResponse) => void {
  const { passesStatus } = DIALECTS[options.dialect]
  const kept = new KeptRefusals()
  return (request, response) => {
    const peer = parseAddress(peerAddress(request.socket) ?? '')
    if (peer === undefined || !options.trusted.has(peer)) {
      explain(response, 403, 'This endpoint answers only the proxies that are configured as trusted.')
      return
    }
    const asksFor = headerValue(request.rawHeaders, 'x-postern-refused')
    if (asksFor !== undefined) {
      const answer = kept.take(asksFor)
      if (answer === undefined) explain(response, 403, 'This request was refused.')
      else sendKept(answer, response)
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
    const keep = passesStatus ? undefined : kept
    if (decision instanceof Promise) void decision.then(() => reply(asked, exchange, response, keep))
    else reply(asked, exchange, response, keep)
  }
}

/**
 * The proxy's answer. Request headers that guards changed are answer headers, empty for removed ones, for the
 * proxy to copy. One that only understands 401 and 403 finds the true status in `X-Postern-Status`; headers
 * such as `Retry-After` are there for it to pass on, and the whole answer can be fetched by its id for a
 * while.
 * @param kept where the proxy drops bodies of refusals
 */
function reply(
  engine: Engine,
  exchange: Exchange,
  response: NodeResponse,
  kept: KeptRefusals | undefined,
): void {
  const own = expressible(ownAnswer(exchange), exchange)
  let status = 0
  if (own === undefined) {
    response.statusCode = 200
    for (const [name, value] of exchange.requestChanges ?? []) response.setHeader(name, value ?? '')
    if (exchange.replyHeaders !== undefined) setHeaders(response, exchange.replyHeaders)
    response.setHeader('Content-Length', '0')
    response.end('')
  } else {
    status = own.status
    const told = kept === undefined || status === 401 ? status : 403
    kept?.keep(exchange.id, own)
    response.setHeader('X-Postern-Status', String(status))
    writeAnswer(own, exchange, response, told)
  }
  engine.settle(exchange, {
    status,
    duration: Math.max(0, engine.clock.now() - exchange.time),
    bytes: 0,
    aborted: false,
  })
}

/**
 * A 2xx would tell the proxy to let the request through to the backend, so a page that a guard serves with
 * one cannot be shown: the answer says so. Redirects and errors are passed on like refusals.
 */
function expressible(own: Answer | undefined, exchange: Exchange): Answer | undefined {
  if (own === undefined || own.status >= 300) return own
  const detail =
    'Postern itself serves this address, and a proxy that only asks cannot show it: route it to the Postern gateway.'
  const status = 421
  const { type, text: body } = problemDocument(exchange, {
    type: 'about:blank',
    title: 'Not served here',
    status,
    detail,
  })
  return {
    status,
    headers: [
      'Content-Type',
      type,
      'Cache-Control',
      'no-store',
      'Content-Length',
      String(Buffer.byteLength(body)),
      'X-Request-Id',
      exchange.id,
    ],
    body,
  }
}

function sendKept(answer: Answer, response: NodeResponse): void {
  response.statusCode = answer.status
  setHeaders(response, answer.headers)
  response.end(answer.body)
}

/** For whoever sets the proxy up: a request that cannot be decided fails, and says why. */
function explain(response: NodeResponse, status: number, detail: string): void {
  const body = JSON.stringify({ type: 'about:blank', title: 'Forward-auth request refused', status, detail })
  response.statusCode = status
  response.setHeader('Content-Type', 'application/problem+json')
  response.setHeader('Cache-Control', 'no-store')
  response.end(body)
}
