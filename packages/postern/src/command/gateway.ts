import { ConfigError, type Event } from '@postern/core'
import type { Config } from '../config/config.ts'
import { checkConfig, loadConfig } from '../config/load-config.ts'
import { EventLog } from '../serve/event-log.ts'
import { followFile } from '../serve/follow-file.ts'
import { type Served, serve } from '../serve/serve.ts'
import { type Command, type CommandContext, type CommandOptions, textOption } from './command.ts'
import { decisionLine } from './decision-line.ts'
import { EXIT } from './exit-code.ts'
import { loadSetup, type Setup } from './setup.ts'

/** `postern gateway`: runs until it is told to stop; requests under way finish. */
export const run: Command = async (_args, options, context) => {
  const setup = overridden(await loadSetup(options, context), options, context)
  const served = await serve({ loaded: setup, dataDirectory: setup.dataDirectory })
  announce(served, setup, context)
  watchEvents(served, context, 'refusals')
  const stopFollowing = followConfiguration(served, setup, options, context)
  await stopped(context.signal)
  stopFollowing()
  context.output.note('stopping: requests under way finish first')
  await served.close()
  return EXIT.done
}

/** The configuration with what the command line says about it. @throws ConfigError */
export function overridden(setup: Setup, options: CommandOptions, context: CommandContext): Setup {
  const workers = textOption(options, 'workers')
  const admin = textOption(options, 'admin')
  const said: Config = {
    upstream: textOption(options, 'to') ?? setup.config.upstream,
    listen: textOption(options, 'listen') ?? setup.config.listen,
    workers: workers === undefined ? setup.config.workers : workers === 'auto' ? 'auto' : Number(workers),
    mode: options['observe'] === true ? 'observe' : setup.config.mode,
    admin: admin === undefined ? setup.config.admin : { listen: admin },
  }
  const value = Object.fromEntries(
    Object.entries({ ...setup.config, ...said }).filter(([, part]) => part !== undefined),
  )
  return { ...setup, ...checkConfig({ ...setup.file, value, place: setup.file.place }, context.environment) }
}

function announce(served: Served, { config, file, dataDirectory }: Setup, { output }: CommandContext): void {
  const mode = config.mode ?? 'enforce'
  output.line(`${output.paint('green', 'postern')} ${served.url} -> ${config.upstream ?? ''}`)
  output.line(`  configuration  ${file.path ?? 'none, the defaults protect'}`)
  output.line(
    `  mode           ${mode === 'enforce' ? mode : output.paint('yellow', 'observe: nothing is blocked')}`,
  )
  output.line(`  data           ${dataDirectory}`)
  if (served.admin !== undefined) output.line(`  admin          ${served.admin} (/healthz /readyz /metrics)`)
  output.result({
    event: 'listening',
    url: served.url,
    admin: served.admin,
    upstream: config.upstream,
    mode,
    pid: process.pid,
  })
}

/** Shows events as they happen: lines for people at a terminal, JSON lines for everything else. */
export function watchEvents(served: Served, { output }: CommandContext, verbosity: 'refusals' | 'all'): void {
  const asJson = (event: Event): void => void output.data(JSON.stringify(event))
  const write = output.isForPeople ? (event: Event): void => output.line(decisionLine(event, output)) : asJson
  const log = new EventLog(write, count => output.note(`${count} more like these were not shown`))
  served.layer.listen(event => log.take(event, verbosity))
}

/** Puts a changed configuration into force on SIGHUP and when its file changes; a broken one is refused and the old one stays. */
function followConfiguration(
  served: Served,
  setup: Setup,
  options: CommandOptions,
  context: CommandContext,
): () => void {
  const { output } = context
  let running: Promise<void> = Promise.resolve()
  const reload = async (): Promise<void> => {
    try {
      const loaded = await loadConfig({
        path: setup.file.path,
        folder: context.folder,
        environment: context.environment,
      })
      const { config } = overridden({ ...setup, ...loaded }, options, context)
      const waiting = served.layer.reload(config)
      output.note(
        `configuration reloaded${waiting.length > 0 ? `; these need a restart: ${waiting.join(', ')}` : ''}`,
      )
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      output.note(served.layer.reloadFailed(error))
    }
  }
  const request = (): void => {
    running = running.then(reload).catch((error: unknown) => output.note(`reload failed: ${String(error)}`))
  }
  context.onReload(request)
  return setup.file.path === undefined ? () => {} : followFile(setup.file.path, request)
}

/** Resolves when the process is told to stop. */
export function stopped(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
