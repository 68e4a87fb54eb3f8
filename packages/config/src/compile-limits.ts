import { ConfigError, type Exchange, RouteTable } from '@postern/core'
import {
  address,
  apiKey,
  body,
  concurrency,
  header,
  network,
  principal,
  route,
  tenant,
  window,
} from '@postern/throttle'
import { LOGIN_ROUTES } from './login-routes.ts'
import type { CompiledKey, LimitKey, LimitSettings, NamedLimit, OwnLimit } from './named-limit.ts'

/**
 * What holds when nothing is configured: more than a busy office sends, and far less than a flood; and a tight limit where logins
 * usually are.
 */
const DEFAULT_LIMITS: Readonly<Record<string, LimitSettings>> = {
  address: { limit: window(1_200, '1m') },
  busy: { limit: concurrency(200) },
  login: { limit: window(20, '1m'), routes: LOGIN_ROUTES },
}

/** Named limits over the defaults, in the order they are asked. @throws ConfigError for one without a rule */
export function mergeLimits(said: Readonly<Record<string, LimitSettings | false>>): readonly NamedLimit[] {
  return Object.entries({ ...DEFAULT_LIMITS, ...said }).flatMap(([name, limit]) =>
    limit === false
      ? []
      : [
          {
            ...compileLimit({ ...DEFAULT_LIMITS[name], ...limit }, `.${name}`),
            name,
            overrides: limit.overrides === true,
          },
        ],
  )
}

/** A route's own limit. @throws ConfigError for one without a rule */
export function compileRouteLimit(settings: LimitSettings): OwnLimit {
  return compileLimit(settings, '')
}

function compileLimit(
  { key = { of: address(), name: 'address' }, cost, routes, exempt, limit }: LimitSettings,
  place: string,
): OwnLimit {
  if (limit === undefined)
    throw new ConfigError({ place, problem: 'has no limit', hint: 'e.g. limit: "100/1m"' })
  return {
    limit,
    key: key.of,
    keyName: key.name,
    routes,
    ...(cost !== undefined && { cost }),
    ...(exempt !== undefined && { exempt }),
    ...(routes !== undefined && { when: onRoutes(routes) }),
  }
}

/** The key of a limit as it is written. */
export function compileKey(key: LimitKey): CompiledKey {
  if (typeof key === 'function') return { of: key, name: 'a function' }
  if (typeof key === 'string')
    return { of: { address, network, principal, tenant, apiKey, route }[key](), name: key }
  return 'header' in key
    ? { of: header(key.header), name: `header ${key.header}` }
    : { of: body(key.body), name: `body field ${key.body}` }
}

function onRoutes(patterns: readonly string[]): (exchange: Exchange) => boolean {
  const table = new RouteTable(Object.fromEntries(patterns.map(pattern => [pattern, {}])))
  const methods = methodsOf(patterns)
  return exchange =>
    (methods === undefined || methods.has(exchange.method)) &&
    table.match(exchange.method, exchange.path.canonical) !== undefined
}

/** The methods that patterns name, so that most requests need no look into the table; undefined when one is for any method. */
function methodsOf(patterns: readonly string[]): ReadonlySet<string> | undefined {
  const methods = new Set<string>()
  for (const pattern of patterns) {
    const space = pattern.indexOf(' ')
    if (space < 0) return undefined
    const method = pattern.slice(0, space)
    methods.add(method)
    if (method === 'GET') methods.add('HEAD')
  }
  return methods
}
