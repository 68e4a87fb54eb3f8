import type { Config, LimitConfig, LimitKey } from '@postern/config'
import { formatDuration } from '@postern/core'
import { LOGIN_ROUTES, namedLimits, routeLimit } from '@postern/runtime'
import type { Rule } from '@postern/throttle'

/** One limit of a configuration, for people. */
export interface ListedLimit {
  readonly name: string
  /** `1200 in 1m`, `20 at once`, or `by the request` where code decides. */
  readonly rule: string
  /** What it is held against: `address`, `header x-shop`, ... */
  readonly key: string
  /** Routes that it counts; undefined for all. */
  readonly routes: readonly string[] | undefined
}

/** Every limit in force, named ones first. @throws ConfigError as the limits themselves */
export function listLimits(config: Config): readonly ListedLimit[] {
  const named = namedLimits(config).map(({ name, limit }) => {
    const said = config.limits?.[name]
    const { key, routes } = isSettings(said) ? said : {}
    const standard = name === 'login' ? LOGIN_ROUTES : undefined
    return { name, rule: ruleText(limit), key: keyText(key), routes: routes ?? standard }
  })
  const routed = Object.entries(config.routes ?? {}).flatMap(([pattern, { throttle }]) => {
    if (throttle === undefined || throttle === false) return []
    const { limit } = routeLimit(throttle, pattern)
    const key = isSettings(throttle) ? throttle.key : undefined
    return [{ name: `route ${pattern}`, rule: ruleText(limit), key: keyText(key), routes: [pattern] }]
  })
  return [...named, ...routed]
}

function isSettings(said: unknown): said is LimitConfig {
  return typeof said === 'object' && said !== null && !('kind' in said)
}

function ruleText(rule: Rule | ((...input: never[]) => unknown)): string {
  if (typeof rule === 'function') return 'by the request'
  const { kind, limit, window } = rule
  if (kind === 'concurrency') return `${limit} at once`
  return kind === 'gcra'
    ? `burst ${limit}, full again in ${formatDuration(window)}`
    : `${limit} in ${formatDuration(window)}`
}

function keyText(key: LimitKey = 'address'): string {
  if (typeof key === 'string') return key
  if (typeof key === 'function') return 'what code says'
  return 'header' in key ? `header ${key.header}` : `body field ${key.body}`
}
