import type { Config, LimitConfig, LimitKey } from '@postern/config'
import { type LimitRule, parseLimitRule } from '@postern/config'
import { ConfigError, type Exchange, RouteTable } from '@postern/core'
import {
  address,
  apiKey,
  body,
  header,
  type Key,
  type Limit,
  network,
  principal,
  type RouteLimit,
  route,
  tenant,
} from '@postern/throttle'
import { LOGIN_ROUTES } from './login-routes.ts'

/**
 * What holds when nothing is configured: more than a busy office sends, and far less than a flood; and a tight limit where logins
 * usually are. A limit of the same name replaces one, `false` switches it off.
 */
const DEFAULT_LIMITS: Readonly<Record<string, LimitConfig>> = {
  address: { limit: '1200/1m' },
  busy: { limit: '200 at once' },
  login: { limit: '20/1m', routes: LOGIN_ROUTES },
}

/** The named limits of a configuration over the defaults, in the order they are asked. @throws ConfigError */
export function namedLimits(config: Config): readonly Limit[] {
  const merged = { ...DEFAULT_LIMITS, ...config.limits }
  return Object.entries(merged).flatMap(([name, limit]) =>
    limit === false ? [] : [{ name, ...compileLimit(limit, `limits.${name}`, DEFAULT_LIMITS[name]) }],
  )
}

/** A route's own limit. @throws ConfigError */
export function routeLimit(throttle: LimitRule | LimitConfig, pattern: string): RouteLimit {
  return compileLimit(throttle, `routes["${pattern}"].throttle`, undefined)
}

/** @param standard what holds for everything that is not said */
function compileLimit(
  said: LimitRule | LimitConfig,
  place: string,
  standard: LimitConfig | undefined,
): RouteLimit {
  if (isRule(said)) return compileLimit({ limit: said }, place, standard)
  const { key = 'address', cost, routes, exempt, limit } = { ...standard, ...said }
  if (limit === undefined)
    throw new ConfigError({ place, problem: 'has no limit', mend: 'e.g. limit: "100/1m"' })
  return {
    limit: parseLimitRule(limit),
    key: compileKey(key),
    ...(cost !== undefined && { cost }),
    ...(exempt !== undefined && { exempt }),
    ...(routes !== undefined && { when: onRoutes(routes) }),
  }
}

function isRule(limit: LimitRule | LimitConfig): limit is LimitRule {
  return typeof limit === 'string' || 'kind' in limit
}

function compileKey(key: LimitKey): Key {
  if (typeof key === 'function') return key
  if (typeof key === 'object') return 'header' in key ? header(key.header) : body(key.body)
  return { address, network, principal, tenant, apiKey, route }[key]()
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
