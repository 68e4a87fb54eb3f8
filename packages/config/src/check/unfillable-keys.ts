import type { ConfigIssue } from '@postern/core'
import type { ConfigPath } from '../file/config-file.ts'
import type { CompiledConfig } from '../table/table.ts'

/** Keys of limits that only a principal fills. */
const OF_PRINCIPALS: ReadonlySet<string> = new Set(['principal', 'tenant', 'apiKey'])

/**
 * Limits whose key nothing can fill: without `identify` no request has a principal, and they would never
 * count.
 */
export function unfillableKeys(
  { identify, identity, limits, routes }: CompiledConfig,
  place: (path: ConfigPath) => string,
): readonly ConfigIssue[] {
  if (identify !== undefined || identity !== undefined) return []
  const keys = [
    ...limits.map(({ name, keyName }) => [['limits', name, 'key'], keyName] as const),
    ...[...routes.limits].map(
      ([pattern, { keyName }]) => [['routes', pattern, 'throttle', 'key'], keyName] as const,
    ),
  ]
  return keys
    .filter(([, keyName]) => keyName.split(' + ').some(name => OF_PRINCIPALS.has(name)))
    .map(([path, keyName]) => ({
      place: place(path),
      problem: `"${keyName}" needs identify: no request has a principal without it, so this limit would never count`,
      hint: "when your code passes identify to postern() or calls setPrincipal, write identify: 'application' in this file; else say who a request comes from, e.g. identify: [{ jwt: ... }]",
    }))
}
