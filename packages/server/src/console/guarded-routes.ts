import type { CompiledConfig } from '@postern/config'
import type { GuardedRoute } from '@postern/console'

type Settings = CompiledConfig['routes']['guarded'] extends ReadonlyMap<string, infer Value> ? Value : never

/** What the routes of a configuration ask of callers, in words. */
export function guardedRoutes({ routes }: CompiledConfig): readonly GuardedRoute[] {
  return [...routes.guarded].map(([route, settings]) => ({ route, needs: needsOf(settings) }))
}

/** Roles that routes name as able to consent: `approve: { by: 'role:owner' }`. */
export function approvingRoles({ routes }: CompiledConfig): ReadonlySet<string> {
  const rules = [...routes.guarded.values()].flatMap(({ approve }) => [approve?.by ?? []].flat())
  return new Set(rules.flatMap(rule => (rule.startsWith('role:') ? [rule.slice(5)] : [])))
}

function needsOf({ require: asked, approve, policy, budget, owned }: Settings): readonly string[] {
  const one = (value: string | readonly string[], word: string): string => [value].flat().join(word)
  return [
    ...(asked?.role === undefined ? [] : [`role ${one(asked.role, ' or ')}`]),
    ...(asked?.scope === undefined ? [] : [`scope ${one(asked.scope, ' and ')}`]),
    ...(asked?.kind === undefined ? [] : [`a ${one(asked.kind, ' or ')}`]),
    ...(asked?.stepUp === undefined
      ? []
      : [
          asked.stepUp === 'act'
            ? 'a proof bound to the act'
            : `a proof of identity no older than ${String(asked.stepUp)}`,
        ]),
    ...(asked?.impersonation === 'refuse' ? ['not in the name of somebody else'] : []),
    ...(approve === undefined ? [] : [`consent by ${one(approve.by, ' or ')}`]),
    ...(policy === undefined
      ? []
      : [`policies allow ${typeof policy === 'string' ? policy : policy.action}`]),
    ...(budget === undefined ? [] : [`budget ${one(budget, ' and ')}`]),
    ...(owned === undefined ? [] : ['a record that belongs to the caller']),
  ]
}
