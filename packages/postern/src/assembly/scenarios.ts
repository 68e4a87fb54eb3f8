import { resolve } from 'node:path'
import type { Detector } from '@postern/core'
import {
  idWalkDetector,
  loadScenarios,
  type ScenarioFiles,
  ScenarioSet,
  sessionDriftDetector,
  volumeDetector,
} from '@postern/detect'
import type { Config } from '../config/config.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { given } from './given.ts'

/** The files a configuration's scenarios stand in; undefined when it switches them off. */
export function scenarioFiles({ config, file }: LoadedConfig): ScenarioFiles | undefined {
  if (config.scenarios === false) return undefined
  const { folders = [], ...rest } = given<Exclude<Config['scenarios'], false | undefined>>(
    config.scenarios ?? {},
  )
  return { ...rest, folders: folders.map(folder => resolve(file.folder, folder)) }
}

/** The scenarios of a configuration; none when it switches them off. @throws ConfigError for every rule that is not understood */
export function scenariosOf(loaded: LoadedConfig): ScenarioSet {
  const files = scenarioFiles(loaded)
  return files === undefined ? ScenarioSet.parse([]) : loadScenarios(files)
}

const BEHAVIOUR: Readonly<Record<string, () => Detector>> = {
  'id-walk': idWalkDetector,
  volume: volumeDetector,
  'session-drift': sessionDriftDetector,
}

/** The detectors that compare actors with their own habits, as far as the configuration wants them. */
export function behaviourDetectors({ config }: LoadedConfig): readonly Detector[] {
  const { scenarios } = config
  if (scenarios === false) return []
  return Object.entries(BEHAVIOUR).flatMap(([name, make]) =>
    scenarios?.without?.includes(name) === true ? [] : [make()],
  )
}
