import type { ApproveRule, OwnedRoute, Requirement, RoutePolicy } from '@postern/access'
import { type ByteSize, type Mode, type RecordTime, type RouteSettings, RouteTable } from '@postern/core'
import type { HeadersSetting } from '@postern/identity/headers'
import type { ParameterSettings } from '@postern/inspect'
import { type InspectSettings, isStrictType } from '@postern/inspect'
import type { ClientList, CorsSettings, PathRisk } from '@postern/protocol'
import * as z from 'zod/mini'
import { key, orOff, parsed, section } from '../key/key.ts'
import {
  byteSize,
  flag,
  listOf,
  mediaType,
  method,
  mode,
  oneOf,
  pathRisk,
  routePattern,
  text,
} from '../key/types.ts'
import type { LimitRule } from '../limit/limit-rule.ts'
import type { OwnLimit } from '../limit/named-limit.ts'
import {
  type ApproveConfig,
  approve,
  type OwnedConfig,
  oneOrMore,
  owned,
  type PolicyConfig,
  policy,
  type RequireConfig,
  requirement,
} from './access.ts'
import { type ClientConfig, clientsHere } from './clients.ts'
import { type CorsConfig, corsHere } from './cors.ts'
import { routeCsrf } from './csrf.ts'
import { type InspectConfig, inspectHere } from './inspect.ts'
import { type LimitConfig, routeThrottle } from './limits.ts'
import { type HeadersConfig, routeHeaders } from './security-headers.ts'
import { type CompiledRouteLogin, type RouteLoginConfig, routeLogin } from './sign-in.ts'

declare module '@postern/core' {
  interface RouteSettings {
    /** When exchanges on this route are written down. */
    readonly record?: RecordTime
  }
}

/**
 * What holds on the routes of one pattern.
 * @example
 * ```ts
 * import type { RouteConfig } from 'postern'
 *
 * export const upload: RouteConfig = { methods: ['POST'], maxBody: '20mb', throttle: '5/1m' }
 * ```
 */
export interface RouteConfig {
  /** A limit on this pattern in addition to the named ones. `false` exempts the route from all limits. */
  readonly throttle?: LimitRule | LimitConfig | false | undefined
  /** How content is inspected here. `false` switches inspection off. */
  readonly inspect?: InspectConfig | false | undefined
  /**
   * Whether the exchange is logged before it is handled, after it, or not at all. Refusals are always logged.
   * Default: `none` for GET, HEAD and OPTIONS, else `audit.record`.
   */
  readonly record?: RecordTime | undefined
  /**
   * This route signs people in: limits guessing at accounts. `false`: it does not sign anyone in, although it
   * looks like it.
   */
  readonly login?: RouteLoginConfig | false | undefined
  /** `always`: other sites may not send even a GET here. `false`: they may send anything. */
  readonly csrf?: false | 'always' | undefined
  /** Security headers of this route, in place of the global ones, or `false`. */
  readonly headers?: HeadersConfig | false | undefined
  /** Names of the identification methods that this route accepts. Default: all. */
  readonly identify?: readonly string[] | undefined
  /** Methods that this route accepts; others get 405. */
  readonly methods?: readonly string[] | undefined
  /** Media types of bodies that this route accepts; others get 415. */
  readonly contentTypes?: readonly string[] | undefined
  /** Largest body that this route accepts. */
  readonly maxBody?: ByteSize | undefined
  /**
   * Methods that requests here may ask to be treated as (`X-HTTP-Method-Override`, `_method` and their like);
   * `false` for none. Default: the methods that the route answers.
   */
  readonly methodOverride?: readonly string[] | false | undefined
  /** Clients that are refused here, besides those of `block`. Default: nobody. */
  readonly block?: readonly (string | ClientConfig)[] | undefined
  /** Clients exempt from `block` on this route, in place of the general `allow`. Default: `allow`. */
  readonly allow?: readonly (string | ClientConfig)[] | undefined
  /**
   * `observe` records what would be refused here; `enforce` refuses even where everything else observes.
   * Default: `mode`.
   */
  readonly mode?: Mode | undefined
  /** Which pages of other origins may read responses of this route. Default: `cors`. */
  readonly cors?: CorsConfig | false | undefined
  /** Kinds of ambiguous path that this route lets through. */
  readonly allowPaths?: readonly PathRisk[] | undefined
  /**
   * Trap route: no legitimate client requests it. A client that does gets a 404 and is banned for
   * `honey.for`. Default: `false`.
   */
  readonly honey?: boolean | undefined
  /** Role, scope, kind or proof of identity that the caller must have. Default: nothing. */
  readonly require?: RequireConfig | undefined
  /** Who must approve the request before it is handled. Default: nobody's. */
  readonly approve?: ApproveConfig | undefined
  /**
   * Names of `budgets` that requests are counted against, before the database counts rows, and that an
   * approval stands in for. Default: none.
   */
  readonly budget?: string | readonly string[] | undefined
  /** The action that `policies` decide on, or with where its resource is. Default: policies are not asked. */
  readonly policy?: string | PolicyConfig | undefined
  /** The type of record that this route serves and that belongs to somebody. Default: none. */
  readonly owned?: string | OwnedConfig | undefined
}

interface CompiledRoute {
  readonly throttle?: OwnLimit | false
  readonly inspect?: InspectSettings | false
  readonly record?: RecordTime
  readonly login?: CompiledRouteLogin | false
  readonly csrf?: false | 'always'
  readonly headers?: HeadersSetting | false
  readonly identify?: readonly string[]
  readonly methods?: readonly string[]
  readonly contentTypes?: readonly string[]
  readonly maxBody?: number
  readonly methodOverride?: readonly string[] | false
  readonly block?: ClientList
  readonly allow?: ClientList
  readonly mode?: Mode
  readonly cors?: CorsSettings | false
  readonly allowPaths?: readonly PathRisk[]
  readonly honey?: boolean
  readonly require?: Requirement
  readonly approve?: ApproveRule
  readonly budget?: readonly string[]
  readonly policy?: string | RoutePolicy
  readonly owned?: string | OwnedRoute
}

/** The routes of a configuration. */
export interface CompiledRoutes {
  /** What holds where. */
  readonly table: RouteTable
  /** Patterns of the routes that are traps. */
  readonly traps: readonly string[]
  /** Limits of routes, by pattern. */
  readonly limits: ReadonlyMap<string, OwnLimit>
  /** Routes that ask for something of their callers, by pattern. */
  readonly guarded: ReadonlyMap<string, RouteSettings>
  /** What routes say their parameters hold, by pattern. */
  readonly parameters: ReadonlyMap<string, ParameterSettings>
  /** Names of the identification methods that routes accept, by pattern. */
  readonly methods: ReadonlyMap<string, readonly string[]>
  /**
   * Whether any of them holds for some methods only, other than POST: what a form asks for then makes a
   * difference.
   */
  readonly dependOnMethod: boolean
  /** Whether any refuses or lets in clients by name. */
  readonly haveClients: boolean
  /** Whether any says which pages of other origins may read. */
  readonly haveCors: boolean
}

const route: z.ZodMiniType<CompiledRoute, RouteConfig> = section<CompiledRoute, RouteConfig>(
  'RouteConfig',
  () => ({
    throttle: key(routeThrottle, {
      description:
        'A limit on this pattern in addition to the named ones. `false` exempts the route from all limits.',
      example: '5/1m',
    }),
    inspect: key(orOff(inspectHere), {
      description: 'How content is inspected here. `false` switches inspection off.',
      example: { except: [{ rule: 'xss/*', parameter: 'body.text' }] },
    }),
    record: key(oneOf('before', 'after', 'none'), {
      description:
        'Whether the exchange is logged before it is handled, after it, or not at all. Refusals are always logged.',
      defaultText: '`none` for GET, HEAD and OPTIONS, else `audit.record`',
      example: 'before',
    }),
    login: key(orOff(routeLogin), {
      description:
        'This route signs people in: limits guessing at accounts. `false`: it does not sign anyone in, although it looks like it.',
      example: { account: 'email', failed: { status: 401 } },
    }),
    csrf: key(routeCsrf, {
      description: '`always`: other sites may not send even a GET here. `false`: they may send anything.',
      example: false,
    }),
    headers: key(routeHeaders, {
      description: 'Security headers of this route, in place of the global ones, or `false`.',
      example: 'strict',
    }),
    identify: key(listOf(text), {
      description: 'Names of the identification methods that this route accepts.',
      defaultText: 'all',
      example: ['session', 'jwt'],
    }),
    methods: key(listOf(method), {
      description: 'Methods that this route accepts; others get 405.',
      example: ['POST'],
    }),
    contentTypes: key(listOf(mediaType), {
      description: 'Media types of bodies that this route accepts; others get 415.',
      example: ['application/json'],
    }),
    maxBody: key(byteSize, { description: 'Largest body that this route accepts.', example: '200mb' }),
    methodOverride: key(orOff(listOf(method)), {
      description:
        'Methods that requests here may ask to be treated as (`X-HTTP-Method-Override`, `_method` and their like); `false` for none.',
      defaultText: 'the methods that the route answers',
      example: ['PUT', 'PATCH'],
    }),
    block: key(clientsHere, {
      description: 'Clients that are refused here, besides those of `block`.',
      defaultText: 'nobody',
      example: ['all'],
    }),
    allow: key(clientsHere, {
      description: 'Clients exempt from `block` on this route, in place of the general `allow`.',
      defaultText: '`allow`',
      example: ['10.0.0.0/8'],
    }),
    mode: key(mode, {
      description:
        '`observe` records what would be refused here; `enforce` refuses even where everything else observes.',
      defaultText: '`mode`',
      example: 'observe',
    }),
    cors: key(corsHere, {
      description: 'Which pages of other origins may read responses of this route.',
      defaultText: '`cors`',
      example: { origins: ['*'] },
    }),
    allowPaths: key(listOf(pathRisk), {
      description: 'Kinds of ambiguous path that this route lets through.',
      example: ['encoded-slash'],
    }),
    honey: key(flag, {
      description:
        'Trap route: no legitimate client requests it. A client that does gets a 404 and is banned for `honey.for`.',
      defaultText: '`false`',
      example: true,
    }),
    require: key(requirement, {
      description: 'Role, scope, kind or proof of identity that the caller must have.',
      defaultText: 'nothing',
      example: { role: 'support', stepUp: '10m' },
      emptyMeans: 'any caller who is signed in',
    }),
    approve: key(approve, {
      description: 'Who must approve the request before it is handled.',
      defaultText: "nobody's",
      example: { by: 'role:owner', ttl: '1h' },
    }),
    budget: key(oneOrMore(text), {
      description:
        'Names of `budgets` that requests are counted against, before the database counts rows, and that an approval stands in for.',
      defaultText: 'none',
      example: 'orders.delete',
    }),
    policy: key(policy, {
      description: 'The action that `policies` decide on, or with where its resource is.',
      defaultText: 'policies are not asked',
      example: 'order.delete',
    }),
    owned: key(owned, {
      description: 'The type of record that this route serves and that belongs to somebody.',
      defaultText: 'none',
      example: { type: 'invoice', except: ['support'] },
    }),
  }),
)

/** What a configuration may say of routes, by pattern. */
export type RoutesConfig = Readonly<Record<string, RouteConfig>>

/** `routes`: compiled to a table. */
export const routes: z.ZodMiniType<CompiledRoutes, RoutesConfig | undefined> = key(
  parsed(z.record(routePattern, route), undefined, compileRoutes),
  {
    description:
      'Settings by route pattern. All patterns that match apply; for one key the most specific pattern wins.',
    default: {},
    defaultText: 'none',
    example: { 'POST /login': { throttle: '5/1m' } },
  },
)

function compileRoutes(said: Readonly<Record<string, CompiledRoute>>): CompiledRoutes {
  const settings: Record<string, RouteSettings> = {}
  const traps: string[] = []
  const limits = new Map<string, OwnLimit>()
  const guarded = new Map<string, RouteSettings>()
  const methods = new Map<string, readonly string[]>()
  const parameters = new Map<string, ParameterSettings>()
  for (const [pattern, { honey, ...rest }] of Object.entries(said)) {
    settings[pattern] = rest
    if (honey === true) traps.push(pattern)
    const { require: asked, approve: consent, policy: decided, owned: belonging, budget } = rest
    if ([asked, consent, decided, belonging, budget].some(one => one !== undefined))
      guarded.set(pattern, rest)
    if (rest.inspect !== undefined && rest.inspect !== false && rest.inspect.parameters !== undefined)
      parameters.set(pattern, rest.inspect.parameters)
    if (rest.identify !== undefined) methods.set(pattern, rest.identify)
    if (rest.throttle !== undefined && rest.throttle !== false) limits.set(pattern, rest.throttle)
  }
  const all = Object.entries(said)
  return {
    table: new RouteTable(settings, { withoutExemptions }),
    traps,
    limits,
    guarded,
    parameters,
    methods,
    dependOnMethod: all.some(
      ([pattern, { methods, methodOverride }]) =>
        methods !== undefined || methodOverride !== undefined || !/^(?:POST )?\//.test(pattern),
    ),
    haveClients: all.some(([, { block }]) => block !== undefined && !block.isEmpty),
    haveCors: all.some(([, { cors }]) => cors !== undefined && cors !== false),
  }
}

/**
 * What a route's settings demand, without what they let through: `inspect` and `throttle` switched off,
 * exceptions from inspection and types of parameters under which less is looked for, no record, origins that
 * may read, methods that may be asked for, clients that may come, mere observing. A longer body and ambiguous
 * paths are let through by kind, so they need no exact spelling.
 */
function withoutExemptions({
  inspect,
  throttle,
  record,
  cors,
  methodOverride,
  allow: _,
  mode,
  ...rest
}: RouteSettings): RouteSettings {
  const demanded = inspect === undefined || inspect === false ? undefined : demandedOf(inspect)
  return {
    ...rest,
    ...(throttle !== undefined && throttle !== false && { throttle }),
    ...(demanded !== undefined && { inspect: demanded }),
    ...(record !== undefined && record !== 'none' && { record }),
    ...(cors === false && { cors }),
    ...(mode === 'enforce' && { mode }),
    ...(methodOverride === false && { methodOverride }),
  }
}

/** The level, and the types that values must fit. */
function demandedOf({ level, parameters = {} }: InspectSettings): InspectSettings | undefined {
  const strict = Object.entries(parameters).filter(([, type]) => isStrictType(type))
  if (level === undefined && strict.length === 0) return undefined
  return {
    ...(level !== undefined && { level }),
    ...(strict.length > 0 && { parameters: Object.fromEntries(strict) }),
  }
}
