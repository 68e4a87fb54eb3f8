import type { Decision, Exchange, Guard } from '@postern/core'

const MAX_REMEMBERED = 50_000

/** What was said of requests that agree so far: in method, then in each header. */
interface Branch {
  readonly branches: Map<string, Branch>
  readonly byTarget: Map<string, Decision>
}

/**
 * A guard whose answer depends on the request alone, not asked twice about the same request: access logs repeat themselves. Bounded; only
 * for requests without a body, which is all that a log has. The parts of a request are looked up one after the other: to put them
 * together as one key took longer than most decisions.
 */
export function rememberingGuard(guard: Guard): Guard {
  let root = newBranch()
  let remembered = 0

  const branchOf = (exchange: Exchange): Branch => {
    let branch = step(root, exchange.method)
    const { headers } = exchange
    for (let i = 0; i < headers.length; i++) branch = step(branch, headers[i] as string)
    return branch
  }

  const step = (branch: Branch, part: string): Branch => {
    let next = branch.branches.get(part)
    if (next === undefined) {
      next = newBranch()
      branch.branches.set(part, next)
      remembered++
    }
    return next
  }

  return {
    name: guard.name,
    failure: guard.failure,
    ...(guard.mode !== undefined && { mode: guard.mode }),
    decide(exchange) {
      if (remembered >= MAX_REMEMBERED) {
        root = newBranch()
        remembered = 0
      }
      const { byTarget } = branchOf(exchange)
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

function newBranch(): Branch {
  return { branches: new Map(), byTarget: new Map() }
}
