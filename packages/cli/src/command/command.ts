import type { ExitCode } from './exit-code.ts'
import type { Output } from './output.ts'

/** What the command line was given, as commander hands it over. */
export type CommandOptions = Readonly<Record<string, unknown>>

/** Everything a command may touch. */
export interface CommandContext {
  readonly output: Output
  /** Folder that relative paths start from and the configuration is looked for in. */
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Fires on the first Ctrl-C or SIGTERM; a command then ends its work in order. */
  readonly signal: AbortSignal
  /** Fires on a second one: whoever waits for something waits no longer. */
  readonly hurry: AbortSignal
  /**
   * From now on SIGHUP no longer ends the process: a server says so before it listens. One that arrives
   * before `onReload` is kept for it.
   */
  readonly expectReload: () => void
  /** Calls `reload` for each SIGHUP: read the configuration again. */
  readonly onReload: (reload: () => void) => void
}

/** One command: its arguments, its options, and what it may touch. */
export type Command = (
  args: readonly string[],
  options: CommandOptions,
  context: CommandContext,
) => Promise<ExitCode>

/** An option that was given as text. */
export function textOption(options: CommandOptions, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' ? value : undefined
}

/** An option that may be given several times. */
export function listOption(options: CommandOptions, name: string): readonly string[] {
  const value = options[name]
  return Array.isArray(value) ? value.map(String) : []
}
