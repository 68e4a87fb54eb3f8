import type { Config } from '@postern/config'

type Routes = NonNullable<Config['routes']>

/**
 * A configuration without what no kept request can answer: whether its sender had proved who they are, had
 * consent, or had rows left.
 */
export function withoutHistory(written: Config): Config {
  const { routes } = written
  if (routes === undefined) return written
  return {
    ...written,
    routes: Object.fromEntries(
      Object.entries(routes).map(([pattern, route]) => [pattern, routeWithoutHistory(route)]),
    ),
  }
}

function routeWithoutHistory({
  approve: _,
  budget: __,
  owned: ___,
  ...route
}: Routes[string]): Routes[string] {
  const { require: required } = route
  if (required === undefined) return route
  const { stepUp: ____, ...rest } = required
  return { ...route, require: rest }
}
