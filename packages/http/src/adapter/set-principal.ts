import type { Principal } from '@postern/core'
import { RequestRefused } from '../fetch/request-refused.ts'
import { claimAnswer } from '../node/claim-answer.ts'
import { type FrameworkRequest, fetchCarrierOf, nodeCarrierOf, notCarried } from './carried-request.ts'

const NOT_AWAITED =
  'setPrincipal() refused a request that was answered before: write await setPrincipal(...), so that the answer waits'

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
  const byNode = nodeCarrierOf(request)
  if (byNode !== undefined) {
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
  const byFetch = fetchCarrierOf(request)
  if (byFetch === undefined) throw notCarried('setPrincipal')
  await byFetch.engine.identify(byFetch.exchange, principal)
  const { decision } = byFetch.exchange
  if (decision.effect === 'allow') return undefined
  if (byFetch.hasAnswered) warnNotAwaited(byFetch.engine)
  return new RequestRefused(decision, byFetch.exchange)
}
