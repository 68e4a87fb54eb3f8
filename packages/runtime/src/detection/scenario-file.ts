import { basename } from 'node:path'
import type { LoadedConfig } from '@postern/config'
import { scenariosOf } from './scenarios.ts'

/** Scenarios that are detectors in code, by the name that leaves the detector out. */
const DETECTORS: Readonly<Record<string, string>> = {
  'id-walk': 'id-walk',
  'id-unissued': 'id-walk',
  'bulk-change': 'volume',
  'bulk-export': 'volume',
  'session-drift': 'session-drift',
}

/**
 * The name under which `scenarios.without` leaves a scenario out: its file, or its detector. Undefined for
 * origins of measures that are not a scenario, and for `honey-touched`, whose measures the traps themselves
 * take. The files are read when a measure of a scenario first refuses.
 */
export function scenarioFileOf(loaded: LoadedConfig): (origin: string) => string | undefined {
  let files: ReadonlyMap<string, string> | undefined
  return origin => {
    const detector = DETECTORS[origin]
    if (detector !== undefined) return detector
    if (origin === 'manual' || origin === 'honey-touched') return undefined
    files ??= new Map(
      scenariosOf(loaded)
        .list()
        .map(({ id, place }) => [
          id,
          basename(place.replace(/ \(document \d+\)$/, '')).replace(/\.ya?ml$/, ''),
        ]),
    )
    return files.get(origin)
  }
}
