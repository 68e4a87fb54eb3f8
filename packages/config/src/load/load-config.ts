import { resolve } from 'node:path'
import { ConfigError } from '@postern/core'
import { configIssues } from '../check/config-issues.ts'
import { idleAllow } from '../check/idle-allow.ts'
import { idleSettings } from '../check/idle-settings.ts'
import { unfillableKeys } from '../check/unfillable-keys.ts'
import { unknownMethods } from '../check/unknown-methods.ts'
import { type ConfigFile, type ConfigPath, configInCode, readConfigFile } from '../file/config-file.ts'
import { isMemoryOnly } from '../key/memory-only.ts'
import type { ExtensionConfig } from '../sections/extensions.ts'
import { type CompiledConfig, type Config, configTable } from '../table/table.ts'
import { fillFromEnvironment, withLists, withScalars } from './environment.ts'
import { findConfigFile } from './find-config-file.ts'

/** A configuration that was checked and compiled, with where it came from. */
export interface LoadedConfig {
  /** Ready to be used; nothing in it needs to be parsed or defaulted again. */
  readonly config: CompiledConfig
  /** What was written, environment variables filled in: for what is compared or changed and loaded again. */
  readonly written: Config
  readonly file: ConfigFile
}

/** Where a configuration is looked for, what an application adds, and the environment it may name. */
export interface LoadOptions {
  /** The file to read; found by name in `folder` unless given. */
  readonly path?: string | undefined
  /** A configuration handed over in code instead. */
  readonly config?: Config | undefined
  /**
   * What the application adds in code: `identify` and `onEvent` take the place of the file's, guards and
   * detectors follow it.
   */
  readonly extensions?: ExtensionConfig | undefined
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Finds, reads and checks a configuration; the empty one when there is none.
 * @throws ConfigError with every mistake in it
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  if (options.config !== undefined)
    return checkConfig(
      extended(configInCode(options.config, options.folder), options.extensions),
      options.environment,
    )
  const path = options.path ?? findConfigFile(options.folder)
  const file = path === undefined ? configInCode({}, options.folder) : await readConfigFile(path)
  return checkConfig(extended(file, options.extensions), options.environment)
}

/**
 * A configuration with what the application adds to it. One that is not an object is left for the check to
 * refuse.
 */
function extended(file: ConfigFile, extensions: ExtensionConfig = {}): ConfigFile {
  const { value } = file
  if (typeof value !== 'object' || value === null || Symbol.iterator in value || 'then' in value) return file
  const written: ExtensionConfig = value
  const { identify = written.identify, onEvent = written.onEvent } = extensions
  const guards = together(written.guards, extensions.guards)
  const detectors = together(written.detectors, extensions.detectors)
  return {
    ...file,
    value: {
      ...value,
      ...(identify !== undefined && { identify }),
      ...(onEvent !== undefined && { onEvent }),
      ...(guards !== undefined && { guards }),
      ...(detectors !== undefined && { detectors }),
    },
  }
}

/** Both lists; anything else is left for the check to refuse. */
function together<Item>(
  written: readonly Item[] | undefined,
  added: readonly Item[] | undefined,
): readonly Item[] | undefined {
  return Array.isArray(written) && added !== undefined ? [...written, ...added] : (written ?? added)
}

/**
 * Checks what a file says and compiles it.
 * @throws ConfigError with every mistake in the file
 */
export function checkConfig(
  file: ConfigFile,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedConfig {
  const fromEnvironment = fillFromEnvironment(file, environment)
  const { issues } = fromEnvironment
  const mistakes = (found: unknown, place: ConfigPath = []): number =>
    (configTable.safeParse(found).error?.issues ?? []).filter(({ path }) =>
      place.every((part, at) => path[at] === part),
    ).length
  const value = withScalars(withLists(fromEnvironment, mistakes), mistakes)
  const filled = { ...file, value, place: file.place }
  const result = configTable.safeParse(value)
  // What is empty because a variable is not set is not told again as a wrong value.
  const unset = new Set(issues.map(({ place }) => place))
  const wrong = result.success ? [] : configIssues(filled, result.error.issues)
  const idle = result.success
    ? [
        ...unfillableKeys(result.data, file.place),
        ...unknownMethods(result.data, file.place),
        ...idleAllow(result.data, file.place),
        ...idleSettings(result.data, file.place),
      ]
    : []
  const all = [...issues, ...wrong.filter(({ place }) => !unset.has(place)), ...idle]
  if (all.length > 0 || !result.success) throw new ConfigError(all)
  const { dataDirectory: kept } = result.data
  const dataDirectory = isMemoryOnly(kept) ? kept : resolve(file.folder, kept)
  // What passed the table is a Config.
  return { config: { ...result.data, dataDirectory }, written: value as Config, file: filled }
}
