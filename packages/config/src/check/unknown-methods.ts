import type { ConfigIssue } from '@postern/core'
import type { ConfigPath } from '../file/config-file.ts'
import type { CompiledConfig } from '../table/table.ts'
import { suggest } from '../words/suggest.ts'

const OWN = ['session', 'apiKey', 'oauth'] as const

/**
 * Names of identification methods that nothing has: a route that accepts only such a method accepts nobody.
 * Where a function of the application identifies, it may know names of its own.
 */
export function unknownMethods(
  { identify, identity, routes }: CompiledConfig,
  place: (path: ConfigPath) => string,
): readonly ConfigIssue[] {
  const by = identify?.by
  const listed = typeof by === 'object' ? by : undefined
  const issues: ConfigIssue[] = []
  if (listed?.own !== undefined && identity === undefined)
    issues.push({
      place: place(['identify']),
      problem: `"${listed.own[0]}" is a method of built-in identity, which is off`,
      hint: 'add identity: { origin: ... }, or say where sessions are: sessionUrl: { cookie: ..., url: ... }',
    })
  if (by !== undefined && listed === undefined) return issues
  const names = [...(identity === undefined ? [] : OWN), ...(listed?.methods ?? []).map(({ name }) => name)]
  for (const [pattern, accepted] of routes.methods)
    for (const name of accepted)
      if (!names.includes(name))
        issues.push({ place: place(['routes', pattern, 'identify']), ...unknown(name, names) })
  return issues
}

function unknown(name: string, names: readonly string[]): Pick<ConfigIssue, 'problem' | 'hint'> {
  const meant = suggest(name, names)
  const known = names.length === 0 ? 'add it to identify' : `the methods are ${names.join(', ')}`
  return {
    problem: `no method of identify is named "${name}"`,
    hint: meant === undefined ? known : `did you mean "${meant}"?`,
  }
}
