import { ConfigError } from '@postern/core'
import { CommanderError } from 'commander'
import { askedHelp } from './asked-help.ts'
import type { CommandContext } from './command.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { asMissingPackage } from './missing-package.ts'
import { Output } from './output.ts'
import { version } from './package-version.ts'
import { buildProgram } from './program.ts'
import type { Terminal } from './terminal.ts'
import { withWholeCommand } from './whole-command.ts'

/** The parts of the process that the command line uses. */
export interface ProcessLike {
  readonly stdout: Terminal
  readonly stderr: Terminal
  readonly env: Readonly<Record<string, string | undefined>>
  cwd(): string
  on(event: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown
  off(event: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown
}

/** Runs the command line; never throws, never exits the process by itself. */
export async function main(args: readonly string[], host: ProcessLike): Promise<ExitCode> {
  const { node, bun, deno } = process.versions as Readonly<Record<string, string | undefined>>
  const other = bun !== undefined ? `Bun ${bun}` : deno !== undefined ? `Deno ${deno}` : undefined
  if (other !== undefined || Number.parseInt(node ?? '0', 10) < 24) {
    host.stderr.write(
      `error: Postern needs Node 24 or newer; this is ${other ?? process.version}\n  hint: npm install --save-dev node@24, or install Node 24\n`,
    )
    return EXIT.usage
  }
  let exit: ExitCode = EXIT.done
  const program = buildProgram(async (load, commandArgs, options) => {
    const output = new Output({
      stdout: host.stdout,
      stderr: host.stderr,
      json: options['json'] === true,
      quiet: options['quiet'] === true,
      environment: host.env,
    })
    exit = await withSignals(host, async signals => {
      try {
        const { run } = await load()
        return await run(commandArgs, options, {
          output,
          folder: workingFolder(host),
          environment: host.env,
          ...signals,
        })
      } catch (error) {
        // Stopped while it waited for another process: nothing was begun.
        const { signal } = signals
        return signal.aborted && error === signal.reason ? EXIT.done : output.failure(asMissingPackage(error))
      }
    })
  }, version())
  eachCommand(program, command => {
    command.exitOverride().configureOutput({
      writeOut: text => host.stdout.write(text),
      writeErr: text => host.stderr.write(text),
      outputError: (text, write) => write(withWholeCommand(text, program, command)),
    })
  })
  try {
    await program.parseAsync(askedHelp(args, program), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return EXIT.done
    if (asksForJson(args)) host.stdout.write(`${JSON.stringify({ error: usageError(error) })}\n`)
    return EXIT.usage
  }
  return exit
}

/** @throws ConfigError where it was removed since the shell changed to it */
function workingFolder(host: ProcessLike): string {
  try {
    return host.cwd()
  } catch (cause) {
    throw new ConfigError(
      {
        place: 'working directory',
        problem: 'does not exist any more',
        hint: 'change to one that does (cd), and run the command again',
      },
      { cause },
    )
  }
}

/** Read by hand: the command line was not understood. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes('--json')
}

/** What programs read of a command line that was not understood; people read it on standard error. */
function usageError({ code, message }: CommanderError): unknown {
  // A command that only has others below it showed its help.
  const problem = code === 'commander.help' ? 'a command is missing' : message.replace(/^error: /, '')
  return { code: 'POSTERN_USAGE', message: problem, exit: EXIT.usage }
}

type Program = ReturnType<typeof buildProgram>

function eachCommand(program: Program, visit: (command: Program) => void): void {
  visit(program)
  for (const command of program.commands) eachCommand(command as Program, visit)
}

/** npm passes on a Ctrl-C that the terminal has sent to its children already: so soon it is the same one. */
const SAME_SIGNAL_MS = 500

async function withSignals(
  host: ProcessLike,
  work: (
    signals: Pick<CommandContext, 'signal' | 'hurry' | 'expectReload' | 'onReload'>,
  ) => Promise<ExitCode>,
): Promise<ExitCode> {
  const stop = new AbortController()
  const hurry = new AbortController()
  let stoppedAt = Number.NaN
  const reloads: (() => void)[] = []
  let isExpected = false
  let isMissed = false
  const onStop = (): void => {
    const now = performance.now()
    if (!stop.signal.aborted) {
      stoppedAt = now
      stop.abort()
    } else if (now - stoppedAt >= SAME_SIGNAL_MS) hurry.abort()
  }
  const onHangUp = (): void => {
    isMissed = reloads.length === 0
    for (const reload of reloads) reload()
  }
  const expectReload = (): void => {
    if (!isExpected) host.on('SIGHUP', onHangUp)
    isExpected = true
  }
  const onReload = (reload: () => void): void => {
    expectReload()
    reloads.push(reload)
    if (isMissed) onHangUp()
  }
  host.on('SIGINT', onStop)
  host.on('SIGTERM', onStop)
  try {
    return await work({ signal: stop.signal, hurry: hurry.signal, expectReload, onReload })
  } finally {
    host.off('SIGINT', onStop)
    host.off('SIGTERM', onStop)
    host.off('SIGHUP', onHangUp)
  }
}
