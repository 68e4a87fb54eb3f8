import { RouteTable } from '@postern/core'
import type { AdaptiveOptions, LoadClass, LoadSheddingOptions } from '@postern/throttle'

/** Load shedding as it is written, with defaults. */
export interface ShedSettings {
  readonly limit: number | 'adaptive' | AdaptiveOptions
  readonly critical: readonly string[]
  readonly sheddable: readonly string[]
  readonly shares: { readonly critical: number; readonly default: number; readonly sheddable: number }
}

/**
 * Load shedding, ready to be asked: routes by class, and a limit that is a number or found from latency. Of
 * several patterns that match a request the most specific says its class.
 */
export function compileShed({ limit, critical, sheddable, shares }: ShedSettings): LoadSheddingOptions {
  const classes = new Map<string, LoadClass>()
  for (const pattern of sheddable) classes.set(pattern, 'sheddable')
  for (const pattern of critical) classes.set(pattern, 'critical')
  const table = new RouteTable(Object.fromEntries([...classes.keys()].map(pattern => [pattern, {}])))
  return {
    limit: limit === 'adaptive' ? {} : limit,
    classOf: ({ method, path }) =>
      classes.get(table.match(method, path.canonical)?.pattern ?? '') ?? 'default',
    shares,
  }
}
