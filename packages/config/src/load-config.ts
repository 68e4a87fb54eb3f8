import { ConfigError } from '@postern/core'
import type { Config } from './config.ts'
import { type ConfigFile, configInCode, findConfigFile, readConfigFile } from './config-file.ts'
import { configIssues } from './config-issues.ts'
import { configSchema } from './config-schema.ts'
import { fillFromEnvironment } from './environment.ts'

/** A configuration that was checked, with where it came from. */
export interface LoadedConfig {
  readonly config: Config
  readonly file: ConfigFile
}

export interface LoadOptions {
  /** The file to read; found by name in `folder` unless given. */
  readonly path?: string | undefined
  /** A configuration handed over in code instead. */
  readonly config?: Config | undefined
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Finds, reads and checks a configuration; the empty one when there is none.
 * @throws ConfigError with every mistake in it
 */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  if (options.config !== undefined)
    return checkConfig(configInCode(options.config, options.folder), options.environment)
  const path = options.path ?? findConfigFile(options.folder)
  const file = path === undefined ? configInCode({}, options.folder) : await readConfigFile(path)
  return checkConfig(file, options.environment)
}

/** @throws ConfigError with every mistake in the file */
export function checkConfig(
  file: ConfigFile,
  environment: Readonly<Record<string, string | undefined>>,
): LoadedConfig {
  const { value, issues } = fillFromEnvironment(file, environment)
  const filled = { ...file, value, place: file.place }
  const result = configSchema.safeParse(value)
  // What is empty because a variable is not set is not told again as a wrong value.
  const unset = new Set(issues.map(({ place }) => place))
  const wrong = result.success ? [] : configIssues(filled, result.error.issues, configSchema)
  const all = [...issues, ...wrong.filter(({ place }) => !unset.has(place))]
  if (all.length > 0 || !result.success) throw new ConfigError(all)
  return { config: result.data, file: filled }
}
