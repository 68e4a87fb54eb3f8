import type { LoadedConfig } from '@postern/config'
import { ConfigError, type ConfigIssue, VirtualClock } from '@postern/core'
import { openPolicies, rehearseAudit, rehearseIdentity, replayEngine } from '@postern/runtime'
import { bad, type DoctorFinding, ok } from './finding.ts'

/**
 * Puts a checked configuration together as a start would, over memory: files that it names, keys, packages
 * that it needs, scenarios and rules of routes are wrong only then.
 */
export async function checkConfiguration(loaded: LoadedConfig): Promise<readonly DoctorFinding[]> {
  const parts: readonly (() => unknown)[] = [
    () => replayEngine(loaded)(new VirtualClock()),
    () => openPolicies(loaded),
    () => rehearseAudit(loaded),
    () => rehearseIdentity(loaded),
  ]
  const issues: ConfigIssue[] = []
  for (const part of parts)
    try {
      await part()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      issues.push(...error.issues)
    }
  if (issues.length === 0) return [ok('configuration', loaded.file.path ?? 'none (defaults)')]
  const said = new Map(issues.map(issue => [`${issue.place} ${issue.problem}`, issue]))
  return [...said.values()].map(({ place, problem, hint }) =>
    bad('configuration', `${place}: ${problem}`, hint),
  )
}
