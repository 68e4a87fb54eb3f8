import { type ChildProcess, spawn } from 'node:child_process'
import { ConfigError } from '@postern/core'
import type { Overrides } from '@postern/server'
import { overridden, serve } from '@postern/server'
import { type Command, type CommandContext, textOption } from './command.ts'
import { EXIT, type ExitCode } from './exit-code.ts'
import { announceReach, stopped, watchEvents } from './gateway.ts'
import { loadServiceSetup, noteOwner } from './setup.ts'
import { wholeOption } from './whole-option.ts'

const GRACE_MS = 5_000

/**
 * `postern dev -- npm run dev`: the developer's backend with the gateway in front, and every decision on the
 * terminal. Nothing is blocked unless `--enforce` says so. Ends when either of them ends.
 */
export const run: Command = async (args, options, context) => {
  const { output } = context
  const port = wholeOption(options, 'port', 3_000, { least: 1, most: 65_535 })
  const setup = await loadServiceSetup(options, context)
  noteOwner(setup, context)
  const to = textOption(options, 'to') ?? setup.config.upstream ?? `http://127.0.0.1:${port}`
  const mode = options['enforce'] === true ? 'enforce' : 'observe'
  const overrides: Overrides = { upstream: to, mode, listen: textOption(options, 'listen'), workers: 1 }
  const loaded = overridden(setup, overrides, context.environment)
  const served = await serve({
    loaded,
    overrides,
    dataDirectory: setup.dataDirectory,
    onWait: sentence => context.output.note(sentence),
    stop: context.signal,
  })
  try {
    output.line(
      `${output.paint('green', 'postern')} ${served.url} -> ${to} (${mode === 'observe' ? 'nothing is blocked; --enforce blocks' : 'enforcing'})`,
    )
    const open = announceReach(served, output)
    output.result({ event: 'listening', url: served.url, open, upstream: to, mode })
    watchEvents(served, context, 'all')
    if (args.length === 0) {
      await stopped(context.signal)
      return EXIT.done
    }
    return await runBackend(args, port, context)
  } finally {
    await served.close()
  }
}

/** Runs the developer's command with PORT set; its end is ours, and ours is its. */
async function runBackend(args: readonly string[], port: number, context: CommandContext): Promise<ExitCode> {
  const [program = '', ...rest] = args
  const child = spawn(program, rest, {
    stdio: 'inherit',
    env: { ...context.environment, PORT: String(port) },
  })
  const ended = new Promise<number | Error>(resolve => {
    child.once('error', resolve)
    child.once('exit', code => resolve(code ?? 0))
  })
  const outcome = await Promise.race([ended, stopped(context.signal).then(() => 'stopped' as const)])
  if (outcome === 'stopped') {
    await end(child, ended)
    return EXIT.done
  }
  if (outcome instanceof Error)
    throw new ConfigError({
      place: program,
      problem: `cannot be started (${outcome.message})`,
      hint: 'postern dev -- npm run dev',
    })
  context.output.note(`the backend ended with code ${outcome}`)
  return outcome === 0 ? EXIT.done : EXIT.no
}

async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  await ended
  clearTimeout(timer)
}
