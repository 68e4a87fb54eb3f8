import { FetchCarrier } from '../fetch/fetch-carrier.ts'
import { changeHeaders } from '../message/request-changes.ts'
import { type EngineSource, engineOf } from './engine-source.ts'
import { wrongFramework } from './wrong-framework.ts'

/** How the adapter finds the address of the client's connection. */
export interface NextOptions {
  /**
   * Says who is at the other end of the connection. Next does not, so the place it runs in must: a header
   * that your platform itself sets and strips from clients
   * (`request => request.headers.get('x-real-ip') ?? undefined`).
   */
  readonly peer: (request: Request) => string | undefined
}

/**
 * The layer as Next's proxy (`proxy.ts`; before Next 16 `middleware.ts` on the Node runtime). It answers with
 * the refusal, or tells Next to go on.
 *
 * Next never says how the request ended: the event of an allowed exchange has status 0. `after()` runs when
 * the answer is out but is not shown it, and `onRequestError` of `instrumentation.ts` receives handlers that
 * threw and of no other answer. Where outcomes matter, `node` around the handler of a custom server sees
 * them.
 *
 * @example
 * // proxy.ts; before Next 16 middleware.ts, which exports `middleware`, and beside it
 * // `config = { runtime: 'nodejs' }`
 * export const proxy = next(engine, { peer: request => request.headers.get('x-real-ip') ?? undefined })
 */
export function next(
  engine: EngineSource,
  options: NextOptions,
): (request: Request) => Response | Promise<Response> {
  return (request, ...rest: readonly unknown[]) => {
    let carrier: FetchCarrier
    try {
      carrier = new FetchCarrier(engineOf(engine), request, options.peer(request))
    } catch (error) {
      throw wrongFramework('next', 'fetch', [request, ...rest], error)
    }
    const pending = carrier.decide()
    return pending === undefined ? answer(carrier) : pending.then(() => answer(carrier))
  }
}

/**
 * What `NextResponse.next()` makes: an empty response whose header says that the request goes on, and, as its
 * `request.headers` option does, the headers that the route is to see in place of the client's.
 */
function answer(carrier: FetchCarrier): Response {
  const own = carrier.ownResponse()
  if (own !== undefined) return own
  const headers = new Headers({ 'x-middleware-next': '1' })
  const { requestChanges } = carrier.exchange
  if (requestChanges !== undefined) {
    const seen = new Headers(carrier.native.headers)
    changeHeaders(seen, requestChanges)
    for (const [name, value] of seen) headers.set(`x-middleware-request-${name}`, value)
    headers.set('x-middleware-override-headers', [...seen.keys()].join(','))
  }
  return carrier.leave(new Response(null, { headers }))
}
