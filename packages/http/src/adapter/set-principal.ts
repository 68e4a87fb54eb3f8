import { ConfigError, type Principal } from '@postern/core'
import { carriedByFetch } from '../fetch/fetch-carrier.ts'
import { RequestRefused } from '../fetch/request-refused.ts'
import { claimAnswer } from '../node/claim-answer.ts'
import { carriedByNode } from '../node/node-carrier.ts'

const NOT_AWAITED =
  'setPrincipal() refused a request that was answered before: write await setPrincipal(...), so that the answer waits'

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

/**
 * Says who sent a request, for an application that authenticates in its own code, after Postern let the
 * request in. Bans and limits on that principal, their tenant and their API key are decided then, and the log
 * names them. The same principal again decides nothing.
 *
 * Call it where the application has authenticated, wait for it, and let what it throws reach the framework's
 * error handling. It needs `identify` in the configuration (`identify: 'application'` where nothing else
 * identifies).
 *
 * @throws RequestRefused (rejects) when a ban or limit refuses the principal; TypeError for something
 *   that is not a principal; ConfigError when Postern does not carry this request, or the configuration has
 *   no `identify`
 * @example
 * ```ts
 * import { postern, setPrincipal } from 'postern'
 *
 * const guarded = await postern({ config: { audit: false }, identify: 'application', log: 'none' })
 * const handler = guarded.fetch(async request => {
 *   await setPrincipal(request, { kind: 'user', id: 'ann' })
 *   return new Response('hello, Ann')
 * })
 * console.log(await (await handler(new Request('http://shop.example/'))).text()) // prints: hello, Ann
 * await guarded.close()
 * ```
 */
export function setPrincipal(request: FrameworkRequest, principal: Principal | undefined): Promise<void> {
  const settled = refusalOf(request, principal).then(refused => {
    if (refused !== undefined) throw refused
  })
  // A caller who does not wait would have Node end the process for one request. Who waits receives the error
  // all the same; what nobody waited for is said in a warning.
  settled.catch(warnOfMistake)
  return settled
}

// Module state: a request that no engine carries names no object to remember this by.
let hasWarnedOfMistake = false

/** A refusal has been sent or warned of; anything else is a mistake in the application, said once. */
function warnOfMistake(error: unknown): void {
  if (error instanceof RequestRefused || hasWarnedOfMistake) return
  hasWarnedOfMistake = true
  process.emitWarning(error instanceof Error ? error.message : String(error), { code: 'POSTERN_PRINCIPAL' })
}

/** Engines that have warned: clients that are refused must not fill the log. */
const warned = new WeakSet<object>()

function warnNotAwaited(engine: object): void {
  if (warned.has(engine)) return
  warned.add(engine)
  process.emitWarning(NOT_AWAITED, { code: 'POSTERN_NOT_AWAITED' })
}

/**
 * Decides what is known of a principal.
 * @returns the refusal, which is sent unless the answer was before it
 */
async function refusalOf(
  request: FrameworkRequest,
  principal: Principal | undefined,
): Promise<RequestRefused | undefined> {
  const node = nodeRequestOf(request)
  const byNode = node === undefined ? undefined : carriedByNode(node)
  if (byNode?.engine.takesPrincipals === true) {
    await byNode.engine.identify(byNode.exchange, principal)
    const { decision } = byNode.exchange
    if (decision.effect !== 'allow') {
      if (byNode.response.headersSent) warnNotAwaited(byNode.engine)
      claimAnswer(byNode)
      return new RequestRefused(decision, byNode.exchange)
    }
    byNode.showReplies()
    return undefined
  }
  const fetched = fetchRequestOf(request)
  const byFetch = fetched === undefined ? undefined : carriedByFetch(fetched)
  if (byFetch === undefined)
    throw new ConfigError({
      place: 'setPrincipal',
      problem: 'Postern does not carry this request, or its configuration has no identify',
      hint: "mount Postern before this code, set identify: 'application', and pass the framework's own request or context",
    })
  await byFetch.engine.identify(byFetch.exchange, principal)
  const { decision } = byFetch.exchange
  if (decision.effect === 'allow') return undefined
  if (byFetch.hasAnswered) warnNotAwaited(byFetch.engine)
  return new RequestRefused(decision, byFetch.exchange)
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
