import { resolve } from 'node:path'
import { type LoadedConfig, loadConfig } from '@postern/config'
import { type CommandContext, type CommandOptions, textOption } from './command.ts'

/** What nearly every command starts from. */
export interface Setup extends LoadedConfig {
  /** Absolute path of the data directory. */
  readonly dataDirectory: string
}

/**
 * The configuration a command runs with: the file given, else the one in this folder, else the defaults.
 * @throws ConfigError with every mistake in it
 */
export async function loadSetup(options: CommandOptions, context: CommandContext): Promise<Setup> {
  const loaded = await loadConfig({
    path: textOption(options, 'config'),
    folder: context.folder,
    environment: context.environment,
  })
  return { ...loaded, dataDirectory: dataDirectoryOf(loaded, textOption(options, 'data'), context.folder) }
}

function dataDirectoryOf({ config }: LoadedConfig, given: string | undefined, folder: string): string {
  if (given !== undefined) return resolve(folder, given)
  return config.dataDirectory
}
