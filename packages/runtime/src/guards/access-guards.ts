import type { Acting } from '@postern/access'
import { AccessGuard, ActingInRequest, ApprovalEndpoints } from '@postern/access/start'
import type { CompiledConfig } from '@postern/config'
import { ConfigError, type Exchange, type Guard } from '@postern/core'
import type { Resources } from '../resources/resources.ts'

/** What stands before routes, and what it knows of who acts. */
export interface AccessGuards {
  readonly guards: readonly Guard[]
  /** Who acts in a request that was let through, and the consent it has for the database. */
  readonly actingIn: (exchange: Exchange) => Acting
}

/**
 * The guards for `routes.*.require`, `approve`, `budget`, `policy` and `owned`, in the order in which they
 * are asked once it is known who sends the request; none where no route asks for anything.
 * @throws ConfigError for a rule that cannot hold
 */
export function accessGuards(
  { routes, approvals, identify }: CompiledConfig,
  { access: opened, clock, identity }: Resources,
): AccessGuards {
  if (routes.guarded.size === 0 || opened === undefined)
    return { guards: [], actingIn: exchange => new ActingInRequest(exchange, undefined) }
  if (identify?.by === 'application') refuseLateRules(routes.guarded)
  const guard = new AccessGuard(opened.access, opened.budgets, clock)
  const acting = (exchange: Exchange): Acting => guard.actingIn(exchange)
  for (const [pattern, settings] of routes.guarded) guard.check(settings, `routes["${pattern}"]`)
  const asks = [...routes.guarded.values()].some(({ approve }) => approve !== undefined)
  if (opened.approvals === undefined || !asks) return { guards: [guard], actingIn: acting }
  const endpoints = new ApprovalEndpoints({
    approvals: opened.approvals,
    access: opened.access,
    path: approvals.path,
    require: { stepUp: approvals.stepUp },
    ...(identity !== undefined && { names: actors => identity.accounts.callNames(actors) }),
  })
  return { guards: [endpoints, guard], actingIn: acting }
}

/**
 * What the application says of its caller after the guards were asked comes too late for a rule: a request
 * for which it says nothing would never be asked.
 */
function refuseLateRules(guarded: CompiledConfig['routes']['guarded']): void {
  const issues = [...guarded]
    .filter(([, { require: asked, approve, budget, policy }]) =>
      [asked, approve, budget, policy].some(rule => rule !== undefined),
    )
    .map(([pattern]) => ({
      place: `routes["${pattern}"]`,
      problem: 'checks callers that are not identified yet (identify is "application")',
      hint: 'make identify a function, or guard the handler itself with guard(...) of @postern/access',
    }))
  if (issues.length > 0) throw new ConfigError(issues)
}
