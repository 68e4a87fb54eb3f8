import type { ShedConfig } from '@postern/config'
import { RouteTable } from '@postern/core'
import type { LoadClass, LoadSheddingOptions } from '@postern/throttle'
import { withoutUndefined } from './without-undefined.ts'

/**
 * Load shedding as the configuration says it: routes by class, and a limit that is a number or found from latency. Of several patterns that
 * match a request the most specific says its class.
 * @throws ConfigError for a pattern that is none
 */
export function loadShedding({ limit, critical, sheddable, shares }: ShedConfig): LoadSheddingOptions {
  const classes = new Map<string, LoadClass>()
  for (const pattern of sheddable ?? []) classes.set(pattern, 'sheddable')
  for (const pattern of critical ?? []) classes.set(pattern, 'critical')
  const table = new RouteTable(Object.fromEntries([...classes.keys()].map(pattern => [pattern, {}])))
  return {
    limit: typeof limit === 'number' ? limit : limit === 'adaptive' ? {} : withoutUndefined(limit),
    classOf: ({ method, path }) =>
      classes.get(table.match(method, path.canonical)?.pattern ?? '') ?? 'default',
    ...(shares !== undefined && { shares: withoutUndefined(shares) }),
  }
}
