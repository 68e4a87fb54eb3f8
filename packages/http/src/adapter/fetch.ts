import { FetchCarrier } from '../fetch/fetch-carrier.ts'
import { type EngineSource, engineOf } from './engine-source.ts'
import { handOver } from './hand-over.ts'
import { wrongFramework } from './wrong-framework.ts'

/** How the adapter finds the address of the client's connection. */
export interface FetchOptions<Rest extends readonly unknown[]> {
  /**
   * Says who is at the other end of the connection, from what the runtime passes beside the Request. Unless
   * given: Deno's `info.remoteAddr`, Bun's `server.requestIP(request)`, `env.incoming.socket` of
   * @hono/node-server, `env.requestContext` of hono/aws-lambda behind an API Gateway or a function URL.
   */
  readonly peer?: (request: Request, ...rest: Rest) => string | undefined
}

type Handler<Rest extends readonly unknown[]> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>

/**
 * The layer around a fetch handler: anything on Node that turns a Request into a Response.
 * Synchronous when engine and handler are.
 *
 * @example
 * serve({ fetch: fetch(engine, request => new Response('hello')), port: 3000 }) // of @hono/node-server
 */
export function fetch<Rest extends readonly unknown[]>(
  engine: EngineSource,
  handler: Handler<Rest>,
  options: FetchOptions<Rest> = {},
): Handler<Rest> {
  const { peer = peerOf } = options
  return (request, ...rest) => {
    let carrier: FetchCarrier
    try {
      carrier = new FetchCarrier(engineOf(engine), request, peer(request, ...rest))
    } catch (error) {
      throw wrongFramework('fetch', 'fetch', [request, ...rest], error)
    }
    const pending = carrier.decide()
    return pending === undefined
      ? answer(carrier, handler, rest)
      : pending.then(() => answer(carrier, handler, rest))
  }
}

function answer<Rest extends readonly unknown[]>(
  carrier: FetchCarrier,
  handler: Handler<Rest>,
  rest: Rest,
): Response | Promise<Response> {
  const own = carrier.ownResponse()
  if (own !== undefined) return own
  try {
    const response = handOver(carrier.engine, carrier.exchange, () => handler(carrier.request, ...rest))
    return response instanceof Promise ? finishLater(carrier, response) : carrier.finish(response)
  } catch (error) {
    const refused = carrier.refusedLate(error)
    if (refused !== undefined) return refused
    carrier.fail()
    throw error
  }
}

async function finishLater(carrier: FetchCarrier, response: Promise<Response>): Promise<Response> {
  try {
    return carrier.finish(await response)
  } catch (error) {
    const refused = carrier.refusedLate(error)
    if (refused !== undefined) return refused
    carrier.fail()
    throw error
  }
}

interface Runtime {
  readonly remoteAddr?: { readonly hostname?: string }
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } }
  requestIP?(request: Request): { readonly address: string } | null
  readonly requestContext?: LambdaContext | null
}

/** Who called a function of AWS Lambda, as the API Gateway says: it, not the client, writes these. */
interface LambdaContext {
  readonly http?: { readonly sourceIp?: string }
  readonly identity?: { readonly sourceIp?: string }
}

/** The peer as @hono/node-server, hono/aws-lambda, Deno or Bun tell it; undefined elsewhere. */
export function peerOf(request: Request, ...rest: readonly unknown[]): string | undefined {
  const [beside] = rest
  if (typeof beside !== 'object' || beside === null) return undefined
  const runtime = beside as Runtime
  return (
    runtime.remoteAddr?.hostname ??
    runtime.incoming?.socket?.remoteAddress ??
    runtime.requestIP?.(request)?.address ??
    runtime.requestContext?.http?.sourceIp ??
    runtime.requestContext?.identity?.sourceIp
  )
}
