import { resolve } from 'node:path'
import type { LoadedConfig } from '@postern/config'
import type { Detector } from '@postern/core'
import {
  checkScenarioNames,
  idWalkDetector,
  loadScenarios,
  type ScenarioDetector,
  type ScenarioFiles,
  ScenarioSet,
  sessionDriftDetector,
  volumeDetector,
  watchScenarios,
} from '@postern/scenarios'

/** The files a configuration's scenarios stand in; undefined when it switches them off. */
function scenarioFiles({ config, file }: LoadedConfig): ScenarioFiles | undefined {
  if (config.scenarios === false) return undefined
  const { folders, ...rest } = config.scenarios
  return { ...rest, folders: folders.map(folder => resolve(file.folder, folder)) }
}

/**
 * The scenarios of a configuration; none when it switches them off.
 * @throws ConfigError for every rule that is not understood
 */
export function scenariosOf(loaded: LoadedConfig): ScenarioSet {
  const files = scenarioFiles(loaded)
  if (files === undefined) return ScenarioSet.parse([])
  checkScenarioNames(files, Object.keys(BEHAVIOUR), loaded.file.place(['scenarios', 'without']))
  return loadScenarios(files)
}

/**
 * Follows the folders of the configuration in force, so that a change in one never brings the rules of an
 * earlier configuration back.
 */
export class FollowedScenarios {
  readonly #detector: ScenarioDetector
  readonly #onError: (error: unknown) => void
  #files = ''
  #stop: () => void = () => {}

  constructor(detector: ScenarioDetector, onError: (error: unknown) => void) {
    this.#detector = detector
    this.#onError = onError
  }

  /** @throws ConfigError for a folder that cannot be watched; those before it are followed then */
  follow(loaded: LoadedConfig): void {
    const files = scenarioFiles(loaded)
    const text = JSON.stringify(files ?? null)
    if (text === this.#files) return
    const stop =
      files === undefined
        ? () => {}
        : watchScenarios({ files, detector: this.#detector, onError: this.#onError })
    this.#stop()
    this.#stop = stop
    this.#files = text
  }

  close(): void {
    this.#stop()
  }
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
    scenarios.without.includes(name) ? [] : [make()],
  )
}
