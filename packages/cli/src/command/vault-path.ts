import { resolve } from 'node:path'
import { type CommandContext, type CommandOptions, textOption } from './command.ts'

/** The vault file that was named. */
export function vaultPath(options: CommandOptions, { folder }: CommandContext): string {
  return resolve(folder, textOption(options, 'vault') ?? 'vault.json')
}
