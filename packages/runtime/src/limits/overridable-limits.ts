import type { CompiledConfig } from '@postern/config'
import type { Clock } from '@postern/core'
import { address, type Key, type Limit, overrides } from '@postern/throttle'
import type { LimitOverrides } from './limit-overrides.ts'

/** How soon a changed rule is obeyed everywhere. */
const REFRESH = '5s'

/**
 * Limits that look up the rule of each key, as far as the configuration says `overrides: true`; the rest as
 * it is.
 */
export function overridableLimits(
  { limits }: CompiledConfig,
  table: LimitOverrides | undefined,
  clock: Clock,
): readonly Limit[] {
  if (table === undefined) return limits
  return limits.map(limit => {
    const { name, limit: rule, key = address() } = limit
    if (!limit.overrides) return limit
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
export function isOverridable({ limits }: CompiledConfig, name: string): boolean {
  return limits.some(limit => limit.name === name && limit.overrides)
}

/** A key that is not there yet, such as a field of a body, has the rule of everybody. */
function known(key: ReturnType<Key>): string | undefined {
  return typeof key === 'string' ? key : undefined
}
