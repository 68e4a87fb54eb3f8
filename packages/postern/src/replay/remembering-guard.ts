import type { Decision, Guard } from '@postern/core'

const MAX_REMEMBERED = 50_000

/**
 * A guard whose answer depends on the request alone, not asked twice about the same request: access logs repeat themselves. Bounded; only
 * for requests without a body, which is all that a log has.
 */
export function rememberingGuard(guard: Guard): Guard {
  let known = new Map<string, Decision>()
  return {
    name: guard.name,
    failure: guard.failure,
    ...(guard.mode !== undefined && { mode: guard.mode }),
    decide(exchange) {
      const key = `${exchange.method} ${exchange.source.target}\n${exchange.headers.join('\n')}`
      const remembered = known.get(key)
      if (remembered !== undefined) return remembered
      const decision = guard.decide(exchange)
      if (decision instanceof Promise) return decision
      if (known.size >= MAX_REMEMBERED) known = new Map()
      known.set(key, decision)
      return decision
    },
  }
}
