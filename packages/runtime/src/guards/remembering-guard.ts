import type { Decision, Exchange, Guard, RawHeaders } from '@postern/core'

const MAX_REMEMBERED = 16_384

type ByTarget = Map<string, Decision>

/**
 * A guard whose answer depends on the request alone, not asked twice about the same request: access logs
 * repeat themselves. Bounded; only for requests without a body, which is all that a log has. Headers are the
 * same when they are one object, as those of `ReplayedRequests` are: to compare them took longer than most
 * decisions.
 */
export function rememberingGuard(guard: Guard): Guard {
  let byHeaders = new Map<RawHeaders, Map<string, ByTarget>>()
  let remembered = 0

  const answersTo = ({ headers, method }: Exchange): ByTarget => {
    let byMethod = byHeaders.get(headers)
    if (byMethod === undefined) {
      byMethod = new Map()
      byHeaders.set(headers, byMethod)
      remembered++
    }
    let byTarget = byMethod.get(method)
    if (byTarget === undefined) {
      byTarget = new Map()
      byMethod.set(method, byTarget)
      remembered++
    }
    return byTarget
  }

  return {
    name: guard.name,
    failure: guard.failure,
    ...(guard.mode !== undefined && { mode: guard.mode }),
    decide(exchange) {
      if (remembered >= MAX_REMEMBERED) {
        byHeaders = new Map()
        remembered = 0
      }
      const byTarget = answersTo(exchange)
      const { target } = exchange.source
      const known = byTarget.get(target)
      if (known !== undefined) return known
      const decision = guard.decide(exchange)
      if (decision instanceof Promise) return decision
      remembered++
      byTarget.set(target, decision)
      return decision
    },
  }
}
