import type { Exchange, Principal } from '@postern/core'
import { type FrameworkRequest, fetchCarrierOf, nodeCarrierOf, notCarried } from './carried-request.ts'

/**
 * Who sent a request, and the request as Postern has it.
 * @example
 * ```ts
 * import type { RequestCaller } from 'postern'
 *
 * export const isKnown = ({ principal }: RequestCaller): boolean => principal.kind !== 'anonymous'
 * ```
 */
export interface RequestCaller {
  readonly principal: Principal
  readonly exchange: Exchange
}

/**
 * The caller of a request, for what `@postern/access` guards in code: functions, tRPC procedures, GraphQL
 * fields and tools. With it, a proof of identity that came with the request counts, and a refusal names the
 * request.
 * @throws ConfigError when Postern does not carry this request, or the configuration has no `identify`
 * @example
 * ```ts
 * import { callerOf, postern } from 'postern'
 *
 * const identify = () => ({ kind: 'user', id: 'ann' }) as const
 * const guarded = await postern({ config: { audit: false }, identify, log: 'none' })
 * const handler = guarded.fetch(request => new Response(`hello, ${callerOf(request).principal.id}`))
 * console.log(await (await handler(new Request('http://shop.example/'))).text()) // prints: hello, ann
 * await guarded.close()
 * ```
 */
export function callerOf(request: FrameworkRequest): RequestCaller {
  const carrier = nodeCarrierOf(request) ?? fetchCarrierOf(request)
  if (carrier === undefined) throw notCarried('callerOf')
  const { exchange } = carrier
  return { principal: exchange.principal, exchange }
}
