import type { ConfigIssue } from '@postern/core'
import type { Config, LimitConfig } from './config.ts'
import type { ConfigPath } from './config-file.ts'

/** Keys of limits that only a principal fills. */
const OF_PRINCIPALS: ReadonlySet<unknown> = new Set(['principal', 'tenant', 'apiKey'])

/** Limits whose key nothing can fill: without `identify` no request has a principal, and they would never count. */
export function unfillableKeys(config: Config, place: (path: ConfigPath) => string): readonly ConfigIssue[] {
  if (config.identify !== undefined) return []
  const limits = Object.entries(config.limits ?? {}).map(
    ([name, limit]) => [['limits', name], limit] as const,
  )
  const routes = Object.entries(config.routes ?? {}).map(
    ([pattern, { throttle }]) => [['routes', pattern, 'throttle'], throttle] as const,
  )
  return [...limits, ...routes].flatMap(([path, limit]) => {
    const key = keyOf(limit)
    if (!OF_PRINCIPALS.has(key)) return []
    return [
      {
        place: place([...path, 'key']),
        problem: `"${String(key)}" needs identify: no request has a principal without it, so this limit would never count`,
        mend: "add identify: a function that returns the principal, or identify: 'application' and call setPrincipal in your own code",
      },
    ]
  })
}

function keyOf(limit: unknown): LimitConfig['key'] | undefined {
  return typeof limit === 'object' && limit !== null && 'key' in limit
    ? (limit.key as LimitConfig['key'])
    : undefined
}
