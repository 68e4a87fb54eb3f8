import { isDeepStrictEqual } from 'node:util'
import type { CompiledConfig, Config, LoadedConfig } from '@postern/config'
import { RouteTable } from '@postern/core'
import type { PlainPart } from '@postern/runtime'
import type { Sharing } from './actor-groups.ts'

/** Whose requests are counted together by a limit. */
export type CountedBy = 'network' | 'principal' | 'tenant' | 'all'

/** A limit that an edit sets, changes or takes away, as it holds on one side of the edit. */
export interface LimitReach {
  readonly by: CountedBy
  /** Milliseconds in which it counts, at most. */
  readonly span: number
  /** Requests that it lets through in any such span, at least. */
  readonly most: number
  /** Routes that it counts; undefined for all. */
  readonly routes: RouteTable | undefined
}

/**
 * What a change of the configuration can reach. A request that it does not reach, of actors of whom it
 * reaches none, is decided as before: every part of the layer gets the same questions in the same order.
 */
export interface EditReach {
  /** Key because of which every request is decided again. */
  readonly everything: string | undefined
  /** Parts that may answer a request otherwise. */
  readonly parts: ReadonlySet<PlainPart>
  readonly limits: readonly LimitReach[]
  /** Whether requests may match another pattern than before. */
  readonly hasOtherRoutes: boolean
  /** The only routes on which a request by itself is answered otherwise; undefined where that is any. */
  readonly within: RouteTable | undefined
  readonly sharing: Sharing
}

type Key = keyof Config
type RouteKey = keyof NonNullable<NonNullable<Config['routes']>[string]>

/**
 * What decides nothing about a kept request: where things listen, are kept and shown, and what needs a
 * body.
 */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set<Key>([
  'upstream',
  'listen',
  'tls',
  'forwardAuth',
  'keepHeaders',
  'signingKey',
  'workers',
  'timeouts',
  'caps',
  'shed',
  'rateLimitHeaders',
  'login',
  'csrf',
  'headers',
  'bind',
  'cors',
  'refusal',
  'approvals',
  'crowdsec',
  'audit',
  'budgets',
  'budgetDatabase',
  'identity',
  'identify',
  'stores',
  'dataDirectory',
  'admin',
  'alerts',
  'telemetry',
  'console',
  'bodyLimit',
  'guards',
  'detectors',
  'onEvent',
])

const PARTS: Readonly<Partial<Record<Key, readonly PlainPart[]>>> = {
  block: ['clients'],
  allow: ['clients'],
  protocol: ['protocol'],
  policies: ['access'],
  schema: ['parameters', 'inspect'],
  inspect: ['inspect'],
}

const ROUTE_PARTS: Readonly<Partial<Record<RouteKey, PlainPart>>> = {
  block: 'clients',
  allow: 'clients',
  methods: 'protocol',
  contentTypes: 'protocol',
  maxBody: 'protocol',
  methodOverride: 'protocol',
  allowPaths: 'protocol',
  require: 'access',
  policy: 'access',
  inspect: 'inspect',
}

const ROUTE_WITHOUT_EFFECT: ReadonlySet<string> = new Set<RouteKey>([
  'record',
  'login',
  'csrf',
  'headers',
  'identify',
  'cors',
  'approve',
  'budget',
  'owned',
])

/** For what is decided again without a comparison. */
export const EVERYTHING: EditReach = {
  everything: 'all',
  parts: new Set(),
  limits: [],
  hasOtherRoutes: false,
  within: undefined,
  sharing: 'actors',
}

/** Keys that two configurations write differently, but for those that decide nothing. */
function changedKeys(before: LoadedConfig, after: LoadedConfig): readonly Key[] {
  const keys = new Set([...Object.keys(before.written), ...Object.keys(after.written)]) as Set<Key>
  return [...keys].filter(
    key => !WITHOUT_EFFECT.has(key) && !isDeepStrictEqual(before.written[key], after.written[key]),
  )
}

/** Compares two configurations. @returns undefined where they decide alike */
export function editReach(before: LoadedConfig, after: LoadedConfig): EditReach | undefined {
  const keys = changedKeys(before, after)
  const routes = keys.includes('routes') ? changedRoutes(before, after) : undefined
  const own = keys.flatMap(key => PARTS[key] ?? [])
  const parts = new Set<PlainPart>([...own, ...(routes?.parts ?? [])])
  const limits = [...(keys.includes('limits') ? changedLimits(before, after) : []), ...(routes?.limits ?? [])]
  const hasOtherRoutes = routes?.hasOtherPatterns === true
  const everything =
    keys.find(key => PARTS[key] === undefined && key !== 'limits' && key !== 'routes') ??
    (limits.every(canBeCounted) ? undefined : 'limits')
  if (everything === undefined && parts.size === 0 && limits.length === 0 && !hasOtherRoutes) return undefined
  return {
    everything,
    parts,
    limits,
    hasOtherRoutes,
    // What stands outside of routes reaches all of them.
    within: own.length > 0 || routes === undefined ? undefined : tableOf(routes.patterns),
    sharing: sharingOf([before.config, after.config]),
  }
}

/**
 * Every limit of both configurations, once where both have it; undefined where one of them counts what cannot
 * be counted without deciding.
 */
export function limitsOfBoth(before: LoadedConfig, after: LoadedConfig): readonly LimitReach[] | undefined {
  const all = new Map<string, LimitReach>()
  const add = (limit: LimitSaid, patterns: readonly string[] | undefined): void => {
    const routes = patterns === undefined ? undefined : tableOf(patterns)
    for (const reach of reachOf(limit, routes))
      all.set(JSON.stringify([reach.by, reach.span, reach.most, patterns]), reach)
  }
  for (const { limits, routes } of [before.config, after.config]) {
    for (const limit of limits) {
      if ([...routes.limits.values()].some(({ name }) => name === limit.name)) return undefined
      add(limit, limit.routes)
    }
    for (const [pattern, limit] of routes.limits) add(limit, [pattern])
  }
  const found = [...all.values()]
  return found.some(({ by }) => by === 'all') ? undefined : found
}

/** A limit over all actors can be counted only where each thread sees all that it counts. */
function canBeCounted({ by, routes }: LimitReach): boolean {
  return by !== 'all' || routes === undefined
}

type LimitSaid = Pick<CompiledConfig['limits'][number], 'limit' | 'keyName' | 'routes' | 'cost' | 'own'>

function changedLimits(before: LoadedConfig, after: LoadedConfig): readonly LimitReach[] {
  const [was, will] = [before.written.limits ?? {}, after.written.limits ?? {}]
  return [...new Set([...Object.keys(was), ...Object.keys(will)])].flatMap(name => {
    if (isDeepStrictEqual(was[name], will[name])) return []
    return [before.config, after.config].flatMap(({ limits, routes }) => {
      // A route's own limit of this name counts with it, at a price of its own.
      if ([...routes.limits.values()].some(limit => limit.name === name)) return [REACHES_ALL]
      return limits.flatMap(limit =>
        limit.name === name
          ? reachOf(limit, limit.routes === undefined ? undefined : tableOf(limit.routes))
          : [],
      )
    })
  })
}

const REACHES_ALL: LimitReach = { by: 'all', span: 1, most: 0, routes: undefined }

function tableOf(patterns: readonly string[]): RouteTable {
  return new RouteTable(Object.fromEntries(patterns.map(pattern => [pattern, {}])))
}

/** A window is counted up to a quarter longer than it says. */
const LONGEST_WINDOW = 1.25

function reachOf(
  { limit, keyName, cost = 1, own }: LimitSaid,
  routes: RouteTable | undefined,
): readonly LimitReach[] {
  if (own !== undefined || typeof cost !== 'number') return [REACHES_ALL]
  // In a replay one request ends before the next begins.
  if (limit.kind === 'concurrency' && cost <= limit.limit) return []
  return [
    {
      by: countedBy(keyName),
      span: limit.window * LONGEST_WINDOW,
      most: Math.floor(limit.limit / Math.max(1, Math.ceil(cost))),
      routes,
    },
  ]
}

function countedBy(keyName: string): CountedBy {
  const names = keyName.split(' + ')
  if (names.includes('address')) return 'network'
  if (names.includes('principal') || names.includes('apiKey')) return 'principal'
  return names.includes('tenant') ? 'tenant' : 'all'
}

function changedRoutes(
  before: LoadedConfig,
  after: LoadedConfig,
): {
  readonly parts: readonly PlainPart[]
  readonly limits: readonly LimitReach[]
  readonly hasOtherPatterns: boolean
  /** Those on which anything changes. */
  readonly patterns: readonly string[]
} {
  const [was, will] = [before.written.routes ?? {}, after.written.routes ?? {}]
  const parts: PlainPart[] = []
  const limits: LimitReach[] = []
  let hasOtherPatterns = false
  const patterns: string[] = []
  for (const pattern of new Set([...Object.keys(was), ...Object.keys(will)])) {
    const [one, other] = [was[pattern], will[pattern]]
    if (!isDeepStrictEqual(one, other)) patterns.push(pattern)
    if (one === undefined || other === undefined) hasOtherPatterns = true
    for (const key of changedRouteKeys(one, other)) {
      const part = ROUTE_PARTS[key]
      if (part !== undefined) parts.push(part)
      else limits.push(...changedOnRoute(pattern, key, [before, after]))
    }
  }
  return { parts, limits, hasOtherPatterns, patterns }
}

type WrittenRoute = NonNullable<LoadedConfig['written']['routes']>[string]

/** Keys that one route writes differently in two configurations, but for those that decide nothing. */
function changedRouteKeys(
  one: WrittenRoute | undefined,
  other: WrittenRoute | undefined,
): readonly RouteKey[] {
  const keys = new Set([...Object.keys(one ?? {}), ...Object.keys(other ?? {})]) as Set<RouteKey>
  return [...keys].filter(
    key => !ROUTE_WITHOUT_EFFECT.has(key) && !isDeepStrictEqual(one?.[key], other?.[key]),
  )
}

/** A limit of a route, or a setting that reaches every request on it. */
function changedOnRoute(
  pattern: string,
  key: RouteKey,
  sides: readonly LoadedConfig[],
): readonly LimitReach[] {
  const routes = tableOf([pattern])
  const isLimit =
    key === 'throttle' && sides.every(({ written }) => written.routes?.[pattern]?.throttle !== false)
  if (!isLimit) return [{ by: 'network', span: 1, most: 0, routes }]
  return sides.flatMap(({ config }) => {
    const limit = config.routes.limits.get(pattern)
    return limit === undefined ? [] : reachOf(limit, routes)
  })
}

/** What holds several actors together in one of the configurations. */
function sharingOf(configs: readonly CompiledConfig[]): Sharing {
  const limits = configs.flatMap(({ limits: named, routes }) => [...named, ...routes.limits.values()])
  const kinds = new Set(
    limits
      // In a replay one request ends before the next begins.
      .filter(({ limit }) => limit.kind !== 'concurrency')
      .map(({ keyName }) => countedBy(keyName)),
  )
  const hasOwnScenarios = configs.some(({ scenarios }) => scenarios !== false && scenarios.folders.length > 0)
  if (kinds.has('all') || hasOwnScenarios) return 'all'
  return kinds.has('tenant') ? 'tenants' : 'actors'
}
