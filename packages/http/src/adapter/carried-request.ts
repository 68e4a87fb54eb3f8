import { ConfigError } from '@postern/core'
import { carriedByFetch, type FetchCarrier } from '../fetch/fetch-carrier.ts'
import { carriedByNode, type NodeCarrier } from '../node/node-carrier.ts'

/**
 * A request of a framework, or its context: node's and Express's request, Fastify's request, the context of
 * Koa or Hono, a fetch Request.
 * @example
 * ```ts
 * import { type FrameworkRequest, setPrincipal } from 'postern'
 *
 * export const signIn = (request: FrameworkRequest, id: string): Promise<void> =>
 *   setPrincipal(request, { kind: 'user', id })
 * ```
 */
export type FrameworkRequest = object

/** The carrier of node's request inside what a framework passes around, where requests get principals. */
export function nodeCarrierOf(request: FrameworkRequest): NodeCarrier | undefined {
  const node = nodeRequestOf(request)
  const carrier = node === undefined ? undefined : carriedByNode(node)
  return carrier?.engine.takesPrincipals === true ? carrier : undefined
}

/** The carrier of a fetch Request, or of the one inside a context of Hono. */
export function fetchCarrierOf(request: FrameworkRequest): FetchCarrier | undefined {
  const fetched = fetchRequestOf(request)
  return fetched === undefined ? undefined : carriedByFetch(fetched)
}

/** The mistake of an application that passes something other than a request that Postern carries. */
export function notCarried(place: string): ConfigError {
  return new ConfigError({
    place,
    problem: 'Postern does not carry this request, or its configuration has no identify',
    hint: "mount Postern before this code, set identify: 'application', and pass the framework's own request or context",
  })
}

interface Wrapped {
  readonly raw?: unknown
  readonly req?: unknown
  readonly env?: unknown
}

/**
 * Node's request inside what a framework passes around: itself, Fastify's `raw`, Koa's `req`, the environment
 * of @hono/node-server.
 */
function nodeRequestOf(request: object): object | undefined {
  const { raw, req, env } = request as Wrapped
  for (const candidate of [
    request,
    raw,
    req,
    isObject(env) ? (env as { incoming?: unknown }).incoming : undefined,
  ])
    if (isObject(candidate) && 'rawHeaders' in candidate) return candidate
  return undefined
}

function fetchRequestOf(request: object): Request | undefined {
  if (request instanceof Request) return request
  const { req } = request as Wrapped
  const raw = isObject(req) ? (req as Wrapped).raw : undefined
  return raw instanceof Request ? raw : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
