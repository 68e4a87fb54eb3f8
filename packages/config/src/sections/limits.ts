import { ConfigError } from '@postern/core'
import * as z from 'zod/mini'
import { checked, inCode, key, orOff, parsed, required, section } from '../key/key.ts'
import { bodyField, count, flag, limitRule, listOf, oneOf, routePattern, text } from '../key/types.ts'
import { compileKey, compileRouteLimit, mergeLimits } from '../limit/compile-limits.ts'
import type { LimitRule } from '../limit/limit-rule.ts'
import type {
  CompiledKey,
  LimitKey,
  LimitSettings,
  NamedLimit,
  OwnLimit,
  Plan,
  SingleKey,
} from '../limit/named-limit.ts'

/**
 * A limit with a name, as it appears in refusals and in `postern limits`.
 * @example
 * ```ts
 * import type { LimitConfig } from 'postern'
 *
 * export const perTenant: LimitConfig = { limit: '1000/1m', key: 'tenant', exempt: ['acme'] }
 * ```
 */
export interface LimitConfig {
  /** The rule. Optional only when another setting of a default limit is changed. */
  readonly limit?: LimitRule | undefined
  /**
   * What the limit applies to; with several keys, each combination is counted. An IPv6 /56 counts as one
   * address. Default: `address`.
   */
  readonly key?: LimitKey | undefined
  /** Patterns of the routes whose requests count. Default: every route. */
  readonly routes?: readonly string[] | undefined
  /** How many units of the limit one request takes. Default: `1`. */
  readonly cost?: number | undefined
  /**
   * Keys that the limit does not apply to, written as in refusals; for `address` and `network` also ranges.
   */
  readonly exempt?: readonly string[] | undefined
  /**
   * Whether an open stream of events (`text/event-stream`) keeps its place in a limit of requests at a time.
   * Default: `count`; of `busy`: `free`.
   */
  readonly eventStreams?: 'count' | 'free' | undefined
  /**
   * Whether requests for files that a page loads (GET of `.css`, `.js`, pictures, fonts) count: also, not at
   * all, or nothing else. Default: `count`; of `address` without a rule of your own: `free`; of `static`:
   * `only`.
   */
  readonly staticFiles?: 'count' | 'free' | 'only' | undefined
  /**
   * Whether single keys can have their own rules, set by `postern limits set` and applied within seconds.
   * Default: `false`.
   */
  readonly overrides?: boolean | undefined
  /**
   * The rule of one key, from your own code (TypeScript only): asked in the background, remembered for 30 s.
   * Until the first answer, and where it has none, `limit` holds.
   */
  readonly plan?: Plan | undefined
}

const singleKey: z.ZodMiniType<SingleKey, SingleKey> = z.union([
  oneOf('address', 'network', 'principal', 'tenant', 'apiKey', 'route'),
  z.strictObject({
    header: required(text, {
      description: 'Name of the header whose value is the key.',
      example: 'X-Client-Id',
    }),
  }),
  z.strictObject({
    body: required(bodyField, {
      description: 'Name of the body field whose value is the key.',
      example: 'email',
    }),
  }),
  inCode<Extract<SingleKey, (...input: never[]) => unknown>>(
    'a function (TypeScript only)',
    value => typeof value === 'function',
  ),
])

const limitKey: z.ZodMiniType<CompiledKey, LimitKey> = parsed(
  z.union([singleKey, z.array(singleKey).check(z.minLength(1), z.maxLength(5))]),
  undefined,
  compileKey,
)

const limit: z.ZodMiniType<LimitSettings, LimitConfig> = section<LimitSettings, LimitConfig>(
  'LimitConfig',
  () => ({
    limit: key(limitRule, {
      description: 'The rule. Optional only when another setting of a default limit is changed.',
      example: '100/1m',
    }),
    key: key(limitKey, {
      description:
        'What the limit applies to; with several keys, each combination is counted. An IPv6 /56 counts as one address.',
      defaultText: '`address`',
      example: { body: 'email' },
    }),
    routes: key(listOf(routePattern), {
      description: 'Patterns of the routes whose requests count.',
      defaultText: 'every route',
      example: ['POST /orders'],
    }),
    cost: key(count, {
      description: 'How many units of the limit one request takes.',
      defaultText: '`1`',
      example: 5,
    }),
    eventStreams: key(oneOf('count', 'free'), {
      description:
        'Whether an open stream of events (`text/event-stream`) keeps its place in a limit of requests at a time.',
      defaultText: '`count`; of `busy`: `free`',
      example: 'free',
    }),
    staticFiles: key(oneOf('count', 'free', 'only'), {
      description:
        'Whether requests for files that a page loads (GET of `.css`, `.js`, pictures, fonts) count: also, not at all, or nothing else.',
      defaultText: '`count`; of `address` without a rule of your own: `free`; of `static`: `only`',
      example: 'free',
    }),
    exempt: key(listOf(text), {
      description:
        'Keys that the limit does not apply to, written as in refusals; for `address` and `network` also ranges.',
      example: ['203.0.113.7'],
    }),
    plan: key(
      inCode<Plan>('a function of the key (TypeScript only)', value => typeof value === 'function'),
      {
        description:
          'The rule of one key, from your own code (TypeScript only): asked in the background, remembered for 30 s. Until the first answer, and where it has none, `limit` holds.',
      },
    ),
    overrides: key(flag, {
      description:
        'Whether single keys can have their own rules, set by `postern limits set` and applied within seconds.',
      defaultText: '`false`',
      example: true,
    }),
  }),
)

/** A rule alone, or everything about a limit. */
const ruleOrSettings: z.ZodMiniType<LimitSettings, LimitRule | LimitConfig> = z.union([
  parsed(limitRule, undefined, rule => ({ limit: rule })),
  limit,
])

const limitName: z.ZodMiniType<string, string> = checked(z.string(), 'a name', name => {
  if (!/^[\w-]{1,40}$/.test(name))
    throw new ConfigError({
      place: '',
      problem: 'a name has letters, digits, "-" and "_"',
      hint: 'e.g. login',
    })
})

/** What a configuration may say of named limits. */
export type LimitsConfig = Readonly<Record<string, LimitConfig | LimitRule | false>>

/** `limits`: merged over the defaults, in the order they are asked. */
export const limits: z.ZodMiniType<readonly NamedLimit[], LimitsConfig | undefined> = key(
  parsed(z.record(limitName, orOff(ruleOrSettings)), undefined, mergeLimits),
  {
    description: 'Named limits. A limit of the same name changes a default one; `false` switches it off.',
    default: {},
    defaultText:
      '`address`, `busy`, `login` and `static`, see [above](#what-applies-without-any-configuration)',
    example: { api: { limit: '600/1m', key: 'network' } },
  },
)

/** The key `throttle` of a route. */
export const routeThrottle: z.ZodMiniType<OwnLimit | false, LimitConfig | LimitRule | false> = orOff(
  parsed(ruleOrSettings, undefined, compileRouteLimit),
)
