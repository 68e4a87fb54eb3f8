import { isDeepStrictEqual } from 'node:util'
import type { LoadedConfig } from '@postern/config'

type Written = LoadedConfig['written']

/**
 * What says who somebody is and what they may do, how consents are kept, whether anything is refused at all,
 * and whether the log keeps what was done.
 */
const WHOLE = [
  'approvals',
  'audit',
  'budgetDatabase',
  'dataDirectory',
  'identify',
  'identity',
  'mode',
  'policies',
  'stores',
  'trustProxies',
] as const
/** The same of one route. */
const OF_ROUTE = ['approve', 'budget', 'identify', 'mode', 'owned', 'policy', 'require'] as const
/** Asked for where it was not asked for before, each of these takes nothing away. */
const DEMANDS: ReadonlySet<string> = new Set(['approve', 'owned', 'policy', 'require'])

/**
 * The places at which a change touches the consents that a configuration asks for: who may give one, what
 * one is needed for, who may ask, and what says who somebody is. Whoever changes a configuration in the
 * console must not be able to do alone what a second person has to consent to; so such a change is made where
 * the file is. Empty where the configuration asks for no consent.
 */
export function weakenedApprovals(before: LoadedConfig, after: LoadedConfig): readonly string[] {
  if (!asksForConsent(before)) return []
  return [
    ...WHOLE.filter(key => !isSame(before.written[key], after.written[key])),
    ...routesTouched(before, after),
    ...budgetsTouched(before.written, after.written),
  ]
}

function asksForConsent({ config, written }: LoadedConfig): boolean {
  return (
    [...config.routes.guarded.values()].some(({ approve }) => approve !== undefined) ||
    Object.values(written.budgets ?? {}).some(isOverApproval)
  )
}

function routesTouched(before: LoadedConfig, after: LoadedConfig): readonly string[] {
  const old = before.written.routes ?? {}
  const next = after.written.routes ?? {}
  return [...new Set([...Object.keys(old), ...Object.keys(next)])].flatMap(pattern => {
    const [was, is] = [settingsOf(old, pattern), settingsOf(next, pattern)]
    const adds = (key: (typeof OF_ROUTE)[number]): boolean =>
      DEMANDS.has(key) && was[key] === undefined && !isAskedFor(before, pattern, key)
    return OF_ROUTE.filter(key => !isSame(was[key], is[key]) && !adds(key)).map(
      key => `routes["${pattern}"].${key}`,
    )
  })
}

/** Whether this is asked of a request of this pattern: a narrower pattern would say for itself. */
function isAskedFor({ config }: LoadedConfig, pattern: string, key: (typeof OF_ROUTE)[number]): boolean {
  const at = pattern.indexOf('/')
  const path = pattern.slice(at).replace(/\*\*|\*|:\w+/g, 'x')
  const method = at > 0 ? pattern.slice(0, at).trim() : undefined
  const methods = method === undefined ? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] : [method]
  return methods.some(name => config.routes.table.match(name, path)?.settings[key] !== undefined)
}

function budgetsTouched(before: Written, after: Written): readonly string[] {
  const next = new Map(Object.entries(after.budgets ?? {}))
  return Object.entries(before.budgets ?? {}).flatMap(([name, budget]) =>
    isOverApproval(budget) && !isSame(budget, next.get(name)) ? [`budgets["${name}"]`] : [],
  )
}

function isOverApproval(budget: unknown): boolean {
  return typeof budget === 'object' && budget !== null && 'over' in budget && budget.over === 'approval'
}

function settingsOf(
  routes: NonNullable<Written['routes']>,
  pattern: string,
): Readonly<Record<string, unknown>> {
  return Object.hasOwn(routes, pattern) ? (routes[pattern] as Readonly<Record<string, unknown>>) : {}
}

function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one ?? null, other ?? null)
}
