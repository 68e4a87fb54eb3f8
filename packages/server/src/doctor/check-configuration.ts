import type { LoadedConfig } from '@postern/config'
import { mistakesOf } from '@postern/runtime'
import { bad, type DoctorFinding, ok } from './finding.ts'

/** Puts a checked configuration together as a start would, over memory. */
export async function checkConfiguration(loaded: LoadedConfig): Promise<readonly DoctorFinding[]> {
  const issues = await mistakesOf(loaded)
  if (issues.length === 0) return [ok('configuration', loaded.file.path ?? 'none (defaults)')]
  return issues.map(({ place, problem, hint }) => bad('configuration', `${place}: ${problem}`, hint))
}
