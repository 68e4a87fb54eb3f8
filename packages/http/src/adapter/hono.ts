import { ALLOW, type Engine, ownAnswer } from '@postern/core'
import { bodyOf } from '../fetch/fetch-answer-head.ts'
import { FetchBody } from '../fetch/fetch-body.ts'
import { CLIENT_LEFT, FetchCarrier } from '../fetch/fetch-carrier.ts'
import type { NodeRequest, NodeResponse } from '../message/node-message.ts'
import { changeHeaders } from '../message/request-changes.ts'
import { admits, headersFor } from '../node/node-answer.ts'
import { NodeCarrier } from '../node/node-carrier.ts'
import { type EngineSource, engineOf } from './engine-source.ts'
import { peerOf } from './fetch.ts'
import { handOver } from './hand-over.ts'
import { wrongFramework } from './wrong-framework.ts'

/** What the layer asks of a Hono context. */
export interface HonoContext {
  readonly req: { raw: Request }
  readonly env: unknown
  get res(): Response
  set res(response: Response | undefined)
}

/** How the adapter finds the address of the client's connection. */
export interface HonoOptions {
  /**
   * Says who is at the other end of the connection, where Hono's environment does not. Not asked on
   * @hono/node-server, where the connection itself says so.
   */
  readonly peer?: (context: HonoContext) => string | undefined
}

type Next = () => Promise<void>

// biome-ignore lint/suspicious/noConfusingVoidType: Hono's own contract for a middleware
type Handled = Response | void

/** What @hono/node-server puts into the environment. */
interface NodeBindings {
  readonly incoming?: NodeRequest
  readonly outgoing?: NodeResponse
}

/**
 * The layer as a Hono middleware; use it first. On @hono/node-server the exchange is carried on node's own
 * messages (headers as they arrived, the true end of the answer), elsewhere on the Request.
 *
 * @example
 * app.use(hono(engine))
 */
export function hono(
  engine: EngineSource,
  options: HonoOptions = {},
): (context: HonoContext, next: Next) => Promise<Handled> {
  const { peer = ({ req, env }: HonoContext) => peerOf(req.raw, env) } = options
  return (context, next) => {
    const { incoming, outgoing } = (context.env ?? {}) as NodeBindings
    return incoming !== undefined && outgoing !== undefined
      ? onNode(engineOf(engine), incoming, outgoing, context, next)
      : onFetch(open(engine, peer, context, next), context, next)
  }
}

/**
 * The body is read ahead on the Request all the same: @hono/node-server takes a stream that something else
 * has read for spent, even when everything was put back.
 */
function onNode(
  engine: Engine,
  incoming: NodeRequest,
  outgoing: NodeResponse,
  context: HonoContext,
  next: Next,
): Promise<Handled> {
  const body = new FetchBody(context.req.raw)
  const carrier = NodeCarrier.open(engine, incoming, outgoing, body)
  if (carrier === undefined) return next()
  outgoing.on('close', () => void body.forget())
  const pending = carrier.decide()
  return pending === undefined
    ? enforceNode(carrier, context, next)
    : pending.then(() => {
        context.req.raw = body.replay
        return enforceNode(carrier, context, next)
      })
}

/** Reply headers go on node's response, where @hono/node-server adds them to those of the Response. */
function enforceNode(carrier: NodeCarrier, context: HonoContext, next: Next): Promise<Handled> {
  const { exchange } = carrier
  const own = exchange.decision === ALLOW ? undefined : ownAnswer(exchange)
  if (own === undefined) {
    if (!admits(carrier)) return Promise.resolve(new Response(null, { status: CLIENT_LEFT }))
    if (exchange.requestChanges !== undefined) changeHeaders(context.req.raw.headers, exchange.requestChanges)
    return handOver(carrier.engine, exchange, next)
  }
  const headers = pairs(headersFor(exchange, own.headers))
  const body = exchange.method === 'HEAD' || own.body === '' ? null : bodyOf(own.body)
  return Promise.resolve(new Response(body, { status: own.status, headers }))
}

function pairs(headers: readonly string[]): [string, string][] {
  const list: [string, string][] = []
  for (let i = 0; i + 1 < headers.length; i += 2) list.push([headers[i] as string, headers[i + 1] as string])
  return list
}

function open(
  engine: EngineSource,
  peer: NonNullable<HonoOptions['peer']>,
  context: HonoContext,
  next: Next,
): FetchCarrier {
  try {
    return new FetchCarrier(engineOf(engine), context.req.raw, peer(context))
  } catch (error) {
    throw wrongFramework('hono', 'hono', [context, next], error)
  }
}

function onFetch(carrier: FetchCarrier, context: HonoContext, next: Next): Promise<Handled> {
  const pending = carrier.decide()
  return pending === undefined
    ? enforceFetch(carrier, context, next)
    : pending.then(() => enforceFetch(carrier, context, next))
}

async function enforceFetch(carrier: FetchCarrier, context: HonoContext, next: Next): Promise<Handled> {
  const own = carrier.ownResponse()
  if (own !== undefined) return own
  context.req.raw = carrier.request
  try {
    await handOver(carrier.engine, carrier.exchange, next)
  } catch (error) {
    carrier.fail()
    throw error
  }
  const response = carrier.finish(context.res)
  // Hono copies the headers of the response before onto the next one, over those that were changed; not when
  // there is none before.
  context.res = undefined
  context.res = response
}
