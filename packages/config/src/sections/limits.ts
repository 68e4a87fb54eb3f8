import { ConfigError } from '@postern/core'
import { z } from 'zod'
import { compileKey, compileRouteLimit, mergeLimits } from '../compile-limits.ts'
import { checked, inCode, key, orOff, parsed, section } from '../key.ts'
import type { LimitRule } from '../limit-rule.ts'
import type { CompiledKey, LimitKey, LimitSettings, NamedLimit, OwnLimit } from '../named-limit.ts'
import { count, flag, limitRule, listOf, oneOf, routePattern, text } from '../types.ts'

/** A limit with a name, as it appears in refusals and in `postern limits`. */
export interface LimitConfig {
  /** The rule. May only be left out to change something else of a default limit. */
  readonly limit?: LimitRule | undefined
  /** Whom the limit is held against. An IPv6 /56 counts as one address. Default: `address`. */
  readonly key?: LimitKey | undefined
  /** Patterns of the routes that count. Default: every route. */
  readonly routes?: readonly string[] | undefined
  /** Units that one request takes. Default: `1`. */
  readonly cost?: number | undefined
  /** Keys that the limit does not apply to, as refusals write them. */
  readonly exempt?: readonly string[] | undefined
  /**
   * Whether single keys may have rules of their own, set by `postern limits set` and obeyed within seconds.
   * Default: `false`.
   */
  readonly overrides?: boolean | undefined
}

const limitKey: z.ZodType<CompiledKey, LimitKey> = parsed(
  z.union([
    oneOf('address', 'network', 'principal', 'tenant', 'apiKey', 'route'),
    z.strictObject({ header: text }),
    z.strictObject({ body: text }),
    inCode<Extract<LimitKey, (...input: never[]) => unknown>>(
      'a function (TypeScript only)',
      value => typeof value === 'function',
    ),
  ]),
  undefined,
  compileKey,
)

const limit: z.ZodType<LimitSettings, LimitConfig> = section<LimitSettings, LimitConfig>('LimitConfig', {
  limit: key(limitRule, {
    description: 'The rule. May only be left out to change something else of a default limit.',
    example: '100/1m',
  }),
  key: key(limitKey, {
    description: 'Whom the limit is held against. An IPv6 /56 counts as one address.',
    defaultText: '`address`',
    example: { body: 'email' },
  }),
  routes: key(listOf(routePattern), {
    description: 'Patterns of the routes that count.',
    defaultText: 'every route',
    example: ['POST /orders'],
  }),
  cost: key(count, { description: 'Units that one request takes.', defaultText: '`1`', example: 5 }),
  exempt: key(listOf(text), {
    description: 'Keys that the limit does not apply to, as refusals write them.',
    example: ['203.0.113.7'],
  }),
  overrides: key(flag, {
    description:
      'Whether single keys may have rules of their own, set by `postern limits set` and obeyed within seconds.',
    defaultText: '`false`',
    example: true,
  }),
})

/** A rule alone, or everything about a limit. */
const ruleOrSettings: z.ZodType<LimitSettings, LimitRule | LimitConfig> = z.union([
  parsed(limitRule, undefined, rule => ({ limit: rule })),
  limit,
])

const limitName: z.ZodType<string, string> = checked(z.string(), 'a name', name => {
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
export const limits: z.ZodType<readonly NamedLimit[], LimitsConfig | undefined> = key(
  parsed(z.record(limitName, orOff(ruleOrSettings)), undefined, mergeLimits),
  {
    description: 'Named limits. A limit of the same name changes a default one; `false` switches it off.',
    default: {},
    defaultText: '`address`, `busy` and `login`, see [above](#what-holds-without-any-configuration)',
    example: { api: { limit: '600/1m', key: 'network' } },
  },
)

/** The key `throttle` of a route. */
export const routeThrottle: z.ZodType<OwnLimit | false, LimitConfig | LimitRule | false> = orOff(
  parsed(ruleOrSettings, undefined, compileRouteLimit),
)
