import type { LoadedConfig } from '@postern/config'
import { ConfigError, VirtualClock } from '@postern/core'
import { openPolicies, replayEngine } from '@postern/runtime'
import { bad, type DoctorFinding, ok } from './finding.ts'

/**
 * Puts a checked configuration together as a start would, over memory: files that it names, scenarios and
 * rules of routes are wrong only then.
 */
export async function checkConfiguration(loaded: LoadedConfig): Promise<readonly DoctorFinding[]> {
  try {
    await replayEngine(loaded)(new VirtualClock())
    await openPolicies(loaded)
    return [ok('configuration', loaded.file.path ?? 'none (defaults)')]
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.issues.map(({ place, problem, hint }) => bad('configuration', `${place}: ${problem}`, hint))
  }
}
