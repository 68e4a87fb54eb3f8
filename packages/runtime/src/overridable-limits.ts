import type { Config } from '@postern/config'
import type { Clock } from '@postern/core'
import { address, type Key, type Limit, overrides, type Standing } from '@postern/throttle'
import type { LimitOverrides } from './limit-overrides.ts'
import { namedLimits } from './limits.ts'
import type { Runtime } from './runtime.ts'

/** How soon a changed rule is obeyed everywhere. */
const REFRESH = '5s'

/** Limits that look up the rule of each key, as far as the configuration says `overrides: true`; the rest as it is. */
export function overridableLimits(
  limits: readonly Limit[],
  config: Config,
  table: LimitOverrides | undefined,
  clock: Clock,
): readonly Limit[] {
  if (table === undefined) return limits
  return limits.map(limit => {
    const { name, limit: rule } = limit
    if (!isOverridable(config, name) || typeof rule === 'function') return limit
    const key = limit.key ?? address()
    return {
      ...limit,
      // The rule is looked up by the key alone.
      stage: limit.stage ?? key.stage ?? 'identified',
      limit: overrides({
        of: exchange => known(key(exchange)),
        load: text => table.read(name, text),
        otherwise: rule,
        refresh: REFRESH,
        clock,
      }),
    }
  })
}

/** Whether single keys of a limit may have rules of their own. */
export function isOverridable({ limits }: Config, name: string): boolean {
  const limit = limits?.[name]
  return typeof limit === 'object' && 'overrides' in limit && limit.overrides === true
}

/**
 * Where a key stands in every limit that can say so, by its own rules where it has them.
 * @throws StoreError when counters or rules cannot be read
 */
export async function standingsOf(key: string, runtime: Runtime): Promise<readonly Standing[]> {
  const { config, limits, resources } = runtime
  const standings = await Promise.all(
    namedLimits(config).map(async ({ name, limit }) => {
      if (typeof limit === 'function') return undefined
      const own = isOverridable(config, name) ? await resources.limitOverrides?.read(name, key) : undefined
      return limits.peek(name, key, own ?? limit)
    }),
  )
  return standings.filter(standing => standing !== undefined)
}

/** A key that is not there yet, such as a field of a body, has the rule of everybody. */
function known(key: ReturnType<Key>): string | undefined {
  return typeof key === 'string' ? key : undefined
}
