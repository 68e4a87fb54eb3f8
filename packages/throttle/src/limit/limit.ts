import {
  CidrSet,
  ConfigError,
  type ConfigIssue,
  type Exchange,
  NAMED_RANGES,
  parseAddress,
} from '@postern/core'
import type { Rule } from '../rule/rule.ts'
import { foldedValue } from './body-key.ts'
import { address, type Key, type KeyKind, type LimitStage } from './key.ts'
import { type LimitName, limitName, MAX_ASKS } from './question.ts'

/** How much one key may have, of what. */
export interface Limit {
  /**
   * Short and stable: in rule ids (`limit/address`), headers and on the command line. Letters, digits, `-`,
   * `_`; at most 40.
   */
  readonly name: string
  /** Whom it is held against. Default: `address()`. */
  readonly key?: Key
  /**
   * The rule, or how to find it for a request: by plan, tenant, method. Undefined there means that the limit
   * does not apply.
   */
  readonly limit: Rule | ((exchange: Exchange) => Rule | undefined)
  /** How many units a request takes. Default: 1. Fractions are rounded up, 0 only looks. */
  readonly cost?: number | ((exchange: Exchange) => number)
  /** Whether the limit applies to a request. Default: to all. */
  readonly when?: (exchange: Exchange) => boolean
  /**
   * With `stages: 'two'`, when it is asked. Default: as its key says; `identified` for keys and rules that
   * are functions of one's own, because they may read `exchange.principal`.
   */
  readonly stage?: LimitStage
  /** The rule of a single key, in place of `limit`; asked for every request. */
  readonly own?: (key: string) => Rule
  /**
   * Keys it is not held against, as refusals and `peek` write them; for addresses and networks also ranges.
   */
  readonly exempt?: readonly string[]
  /**
   * Whether an answer that is a stream of events (`text/event-stream`) keeps its place in a concurrency limit
   * for as long as it is open: `count`, the default, or `free`, because it is quiet nearly all the time.
   */
  readonly eventStreams?: 'count' | 'free'
}

/**
 * A limit on a route. Without a name it counts per route and key; limits of one name share their counts over
 * routes. One that has the name of a limit for all requests takes its place there.
 */
export type RouteLimit = Omit<Limit, 'name'> & { readonly name?: string }

declare module '@postern/core' {
  interface RouteSettings {
    /**
     * Limits for this route beside those for all requests: a rule alone is held against the address. `false`
     * lifts all limits for this route.
     */
    readonly throttle?: Rule | RouteLimit | readonly RouteLimit[] | false | undefined
  }
}

/** A limit with its name hashed and its defaults filled in. */
export interface CompiledLimit extends LimitName {
  readonly key: Key
  readonly kind: KeyKind
  readonly stage: LimitStage
  /** Written before the key: the pattern of the route that a nameless limit belongs to. */
  readonly prefix: string
  readonly rule: Rule | undefined
  readonly ruleOf: ((exchange: Exchange) => Rule | undefined) | undefined
  readonly cost: number
  readonly own: ((key: string) => Rule) | undefined
  readonly costOf: ((exchange: Exchange) => number) | undefined
  readonly when: ((exchange: Exchange) => boolean) | undefined
  readonly exempt: ReadonlySet<string> | undefined
  readonly eventStreams: 'count' | 'free'
  /** Networks among the exempt, for limits per address or network. */
  readonly exemptNetworks: CidrSet | undefined
}

const NAME = /^[A-Za-z][\w-]{0,39}$/

/** @throws ConfigError naming every name that cannot be one, or is used twice */
export function compileLimits(limits: readonly Limit[]): readonly CompiledLimit[] {
  const issues: ConfigIssue[] = []
  const seen = new Set<string>()
  for (const { name } of limits) {
    const place = `limits.${String(name).slice(0, 40)}`
    if (!NAME.test(name)) {
      issues.push({
        place,
        problem: 'is not a valid limit name',
        hint: 'a letter, then up to 39 letters, digits, - and _',
      })
    }
    if (seen.has(name)) issues.push({ place, problem: 'is used twice', hint: 'give each limit its own name' })
    seen.add(name)
  }
  if (limits.length > MAX_ASKS) {
    issues.push({
      place: 'limits',
      problem: `are ${limits.length}`,
      hint: `one request can fall under ${MAX_ASKS}`,
    })
  }
  if (issues.length > 0) throw new ConfigError(issues)
  return limits.map(limit => compile(limit, ''))
}

/** The limits that a route's settings ask for. @throws ConfigError as `compileLimits` does */
export function compileRouteLimits(
  pattern: string,
  settings: Rule | RouteLimit | readonly RouteLimit[],
): readonly CompiledLimit[] {
  const list: readonly RouteLimit[] = isList(settings)
    ? settings
    : [isRule(settings) ? { limit: settings } : settings]
  const named = list.map((limit, i) => ({
    ...limit,
    name: limit.name ?? (i === 0 ? 'route' : `route-${i + 1}`),
  }))
  compileLimits(named)
  return named.map((limit, i) => compile(limit, list[i]?.name === undefined ? `${pattern} ` : ''))
}

function compile(limit: Limit, prefix: string): CompiledLimit {
  const key = limit.key ?? address()
  const { cost = 1, limit: rule } = limit
  return {
    ...limitName(limit.name),
    key,
    kind: key.kind ?? 'custom',
    stage: limit.stage ?? (typeof rule === 'function' ? 'identified' : (key.stage ?? 'identified')),
    prefix,
    rule: typeof rule === 'function' ? undefined : rule,
    ruleOf: typeof rule === 'function' ? rule : undefined,
    cost: typeof cost === 'number' ? cost : 1,
    own: limit.own,
    costOf: typeof cost === 'function' ? cost : undefined,
    when: limit.when,
    exemptNetworks: exemptNetworks(key.kind, limit.exempt, prefix),
    exempt:
      limit.exempt === undefined || limit.exempt.length === 0
        ? undefined
        : exemptKeys(key.kind, limit.exempt),
    eventStreams: limit.eventStreams ?? 'count',
  }
}

/** As keys are read: a field of a body is folded, and so is what is written for it. */
function exemptKeys(kind: KeyKind | undefined, exempt: readonly string[]): ReadonlySet<string> {
  return new Set(kind === 'body' ? [...exempt, ...exempt.map(foldedValue)] : exempt)
}

/**
 * Addresses and ranges of a list of keys. An IPv6 address, of which the key names the whole network, is
 * exempt by itself.
 * @throws ConfigError for an invalid range
 */
function exemptNetworks(
  kind: KeyKind | undefined,
  exempt: readonly string[] | undefined,
  prefix: string,
): CidrSet | undefined {
  if (exempt === undefined || (kind !== 'address' && kind !== 'network')) return undefined
  const ranges = exempt
    .map(entry => (entry.startsWith(prefix) ? entry.slice(prefix.length) : entry))
    .filter(entry => NAMED_RANGES.has(entry) || parseAddress(entry.split('/', 1)[0] ?? '') !== undefined)
  return ranges.length === 0 ? undefined : CidrSet.parse(ranges, 'exempt')
}

function isList(settings: Rule | RouteLimit | readonly RouteLimit[]): settings is readonly RouteLimit[] {
  return Array.isArray(settings)
}

function isRule(settings: Rule | RouteLimit): settings is Rule {
  return 'kind' in settings
}
