import { CidrSet, ConfigError, type Exchange, RouteTable } from '@postern/core'
import {
  address,
  apiKey,
  body,
  combined,
  concurrency,
  header,
  network,
  ownRules,
  principal,
  route,
  tenant,
  window,
} from '@postern/throttle'
import { LOGIN_ROUTES, renewsSession } from './login-routes.ts'
import { checkLimitName } from './misnamed-limit.ts'
import type { CompiledKey, LimitKey, LimitSettings, NamedLimit, OwnLimit, SingleKey } from './named-limit.ts'
import { ownKey, planFailure, plannedRule } from './own-code.ts'
import { isStaticFile } from './static-file.ts'

/**
 * What holds when nothing is configured: more than a busy office sends, and far less than a flood; and a
 * tight limit where logins usually are.
 */
const DEFAULT_LIMITS: Readonly<Record<string, LimitSettings>> = {
  address: { limit: window(1_200, '1m'), staticFiles: 'free' },
  // An office has many tabs open that listen to a stream of events; those are not work.
  busy: { limit: concurrency(200), eventStreams: 'free' },
  login: { limit: window(20, '1m'), routes: LOGIN_ROUTES },
  // A page brings fifty of them with it, and they cost the backend next to nothing.
  static: { limit: window(6_000, '1m'), staticFiles: 'only' },
}

/**
 * Named limits over the defaults, in the order they are asked.
 * @throws ConfigError for one without a rule, and for a mistyped name of a default one
 */
export function mergeLimits(said: Readonly<Record<string, LimitSettings | false>>): readonly NamedLimit[] {
  for (const [name, limit] of Object.entries(said)) checkLimitName(name, limit, DEFAULT_LIMITS)
  return Object.entries({ ...DEFAULT_LIMITS, ...withStatic(said) }).flatMap(([name, limit]) =>
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

/**
 * What is said of addresses holds for their static files: who is exempt, and that there is no limit. A rule
 * of one's own counts every request.
 */
function withStatic(
  said: Readonly<Record<string, LimitSettings | false>>,
): Readonly<Record<string, LimitSettings | false>> {
  const { address: own } = said
  if (own === undefined) return said
  if (own === false) return { static: false, ...said }
  const counted =
    own.limit === undefined || own.staticFiles !== undefined ? own : { ...own, staticFiles: 'count' as const }
  return {
    ...(own.exempt !== undefined && { static: { exempt: own.exempt } }),
    ...said,
    address: counted,
  }
}

/** A route's own limit. @throws ConfigError for one without a rule */
export function compileRouteLimit(settings: LimitSettings): OwnLimit {
  return compileLimit(settings, '')
}

function compileLimit(
  {
    key = { of: address(), name: 'address' },
    cost,
    routes,
    exempt,
    eventStreams,
    staticFiles = 'count',
    limit,
    plan,
    overrides,
  }: LimitSettings,
  place: string,
): OwnLimit {
  if (limit === undefined)
    throw new ConfigError({ place, problem: 'has no limit', hint: 'e.g. limit: "100/1m"' })
  if (exempt !== undefined) checkExempt(exempt, key.name, place)
  if (plan !== undefined && overrides === true)
    throw new ConfigError({
      place: `${place}.plan`,
      problem: 'and overrides: true both set the rule for individual keys',
      hint: 'keep one of them',
    })
  return {
    limit,
    key: key.of,
    keyName: key.name,
    routes,
    staticFiles,
    ...(cost !== undefined && { cost }),
    ...(exempt !== undefined && { exempt }),
    ...(eventStreams !== undefined && { eventStreams }),
    ...(plan !== undefined && {
      own: ownRules({
        otherwise: limit,
        load: key => plannedRule(plan, key),
        onError: planFailure(place === '' ? 'plan of the throttle of a route' : `limits${place}.plan`),
      }),
    }),
    ...countedOf(routes, staticFiles),
  }
}

/** Which requests a limit counts. */
function countedOf(
  routes: readonly string[] | undefined,
  staticFiles: 'count' | 'free' | 'only',
): { readonly when?: (exchange: Exchange) => boolean } {
  const onRoute = routes === undefined ? undefined : onRoutes(routes)
  if (staticFiles === 'count') return onRoute === undefined ? {} : { when: onRoute }
  const wanted = staticFiles === 'only'
  return {
    when: exchange => isStaticFile(exchange) === wanted && (onRoute === undefined || onRoute(exchange)),
  }
}

/** An exempt entry that no key can equal would be accepted without effect. */
function checkExempt(exempt: readonly string[], keyName: string, place: string): void {
  if (keyName !== 'address' && keyName !== 'network') {
    const range = keyName.includes('+') ? undefined : exempt.find(isRange)
    if (range === undefined) return
    throw new ConfigError({
      place: `${place}.exempt`,
      problem: `"${range}" is a range, and this limit counts by ${keyName}: no key equals it`,
      hint: `name keys as refusals write them, or let the limit count by address`,
    })
  }
  for (const entry of exempt) {
    const address = entry.split(' ').at(-1) ?? ''
    try {
      CidrSet.parse([address])
    } catch {
      throw new ConfigError({
        place: `${place}.exempt`,
        problem: `"${entry.slice(0, 60)}" is not an address or range, and this limit counts by ${keyName}`,
        hint: 'e.g. 203.0.113.7, 10.0.0.0/8, loopback',
      })
    }
  }
}

/** Whether it names several addresses, which no key other than an address is in. */
function isRange(entry: string): boolean {
  if (!/^[\d.a-f:]+\/\d{1,3}$/i.test(entry)) return false
  try {
    return !CidrSet.parse([entry]).isEmpty
  } catch {
    return false
  }
}

/** The key of a limit as it is written. */
export function compileKey(key: LimitKey): CompiledKey {
  if (!isKeys(key)) return compileSingleKey(key)
  const [first, ...more] = key
  if (first !== undefined && more.length === 0) return compileSingleKey(first)
  const keys = key.map(compileSingleKey)
  return { of: combined(...keys.map(({ of }) => of)), name: keys.map(({ name }) => name).join(' + ') }
}

function isKeys(key: LimitKey): key is readonly SingleKey[] {
  return Array.isArray(key)
}

function compileSingleKey(key: SingleKey): CompiledKey {
  if (typeof key === 'function') return { of: ownKey(key), name: 'a function' }
  if (typeof key === 'string')
    return { of: { address, network, principal, tenant, apiKey, route }[key](), name: key }
  return 'header' in key
    ? { of: header(key.header), name: `header ${key.header}` }
    : { of: body(key.body), name: `body field ${key.body}` }
}

/** Which requests are on routes. Of the default ones for logins, those that anybody guesses at. */
function onRoutes(patterns: readonly string[]): (exchange: Exchange) => boolean {
  const matches = matchesOf(patterns)
  return patterns === LOGIN_ROUTES
    ? exchange => matches(exchange) && !renewsSession(exchange.path.canonical)
    : matches
}

function matchesOf(patterns: readonly string[]): (exchange: Exchange) => boolean {
  const table = new RouteTable(Object.fromEntries(patterns.map(pattern => [pattern, {}])))
  const methods = methodsOf(patterns)
  return exchange => {
    const wished = exchange.methodOverrides[0]?.method
    return (
      (methods === undefined ||
        methods.has(exchange.method) ||
        (wished !== undefined && methods.has(wished))) &&
      table.match(exchange.method, exchange.path.canonical, undefined, wished) !== undefined
    )
  }
}

/**
 * The methods that patterns name, so that most requests need no look into the table; undefined when one is
 * for any method.
 */
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
