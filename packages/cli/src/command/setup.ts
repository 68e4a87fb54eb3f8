import { resolve } from 'node:path'
import { type LoadedConfig, loadConfig, meantDirectory } from '@postern/config'
import { ConfigError } from '@postern/core'
import { actAsOwnerOf, ownerOf } from './act-as-owner.ts'
import { type CommandContext, type CommandOptions, textOption } from './command.ts'

/** What nearly every command starts from. */
export interface Setup extends LoadedConfig {
  /** Absolute path of the data directory. */
  readonly dataDirectory: string
}

/**
 * The configuration a command runs with: the file given, else the one in this folder, else the defaults. From
 * here on the command acts as the account that the data directory belongs to, if root started it.
 * @throws ConfigError with every mistake in it
 */
export async function loadSetup(options: CommandOptions, context: CommandContext): Promise<Setup> {
  const setup = await loadServiceSetup(options, context)
  if (actAsOwnerOf(setup.dataDirectory) === 'of another') noteOwner(setup, context)
  return setup
}

/** The same for a command that is the service itself: it runs as whoever started it. */
export async function loadServiceSetup(options: CommandOptions, context: CommandContext): Promise<Setup> {
  const loaded = await loadConfig({
    path: textOption(options, 'config'),
    folder: context.folder,
    environment: context.environment,
  })
  const dataDirectory = dataDirectoryOf(loaded, textOption(options, 'data'), context.folder)
  return { ...loaded, dataDirectory }
}

/**
 * What a hint says more where there is no configuration file: `postern({ config })` of an application has one
 * that no command sees.
 */
export function unseenCode({ file }: LoadedConfig): string {
  return file.path === undefined
    ? '. There is no postern.config.* in this folder, and a command does not see postern({ config }) of an application: write it into postern.config.ts, which both read'
    : ''
}

/** Says that root would leave files which the account of the data directory cannot open. */
export function noteOwner({ dataDirectory }: Setup, { output }: CommandContext): void {
  const owner = ownerOf(dataDirectory)
  if (process.geteuid?.() !== 0 || owner === undefined || owner.uid === 0) return
  output.note(
    `${dataDirectory} belongs to user ${owner.uid}, and this process is root: user ${owner.uid} cannot open what it writes there. Run it as user ${owner.uid}.`,
  )
}

function dataDirectoryOf({ config }: LoadedConfig, given: string | undefined, folder: string): string {
  if (given === undefined) return config.dataDirectory
  // As the configuration has it; here it would be a folder of this name.
  if (given === 'false' || given === ':memory:')
    throw new ConfigError({
      place: '--data',
      problem: `is a folder, not "${given}"`,
      hint: 'write dataDirectory: false into the configuration if nothing can be written',
    })
  return resolve(folder, meantDirectory(given, '--data'))
}
