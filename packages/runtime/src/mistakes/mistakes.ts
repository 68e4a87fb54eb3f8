import type { LoadedConfig } from '@postern/config'
import { ConfigError, type ConfigIssue, VirtualClock } from '@postern/core'
import { openPolicies } from '../access/open-access.ts'
import { rehearseAudit } from '../audit/rehearse-audit.ts'
import { replayEngine } from '../engine/replay-engine.ts'
import { rehearseIdentity } from '../identity/identity.ts'

/**
 * All that a start would refuse in a checked configuration, found by putting it together over memory: files
 * that it names, keys, packages that it needs, scenarios and rules of routes are wrong only then.
 */
export async function mistakesOf(loaded: LoadedConfig): Promise<readonly ConfigIssue[]> {
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
  return distinct(issues)
}

/** A start ends at the first mistake: the same error with all the others. */
export async function withAllMistakes(error: ConfigError, loaded: LoadedConfig): Promise<ConfigError> {
  try {
    const issues = distinct([...error.issues, ...(await mistakesOf(loaded))])
    return issues.length === error.issues.length ? error : new ConfigError(issues, { cause: error })
  } catch {
    // What else fails there is not about the configuration, and the mistake that was found is.
    return error
  }
}

function distinct(issues: readonly ConfigIssue[]): readonly ConfigIssue[] {
  return [...new Map(issues.map(issue => [`${issue.place} ${issue.problem}`, issue])).values()]
}
