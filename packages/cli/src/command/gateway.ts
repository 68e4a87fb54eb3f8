import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { availableParallelism, networkInterfaces } from 'node:os'
import { resolve } from 'node:path'
import type { CompiledConfig } from '@postern/config'
import { fileVersion, followFile, isMemoryOnly, loadConfig } from '@postern/config'
import type { Event } from '@postern/core'
import { EventLog, passkeysSentence, startNotes } from '@postern/runtime'
import type { Overrides } from '@postern/server'
import {
  checkBackend,
  fewFilesSentence,
  listenPlaces,
  MORE_FILES_HINT,
  openFileLimit,
  overridden,
  reachOf,
  reachSentence,
  type Served,
  serve,
} from '@postern/server'
import { type Command, type CommandContext, type CommandOptions, textOption } from './command.ts'
import { decisionLine } from './decision-line.ts'
import { EXIT } from './exit-code.ts'
import { loadServiceSetup, noteOwner, type Setup } from './setup.ts'

/** `postern gateway`: runs until a signal stops it; requests under way finish. */
export const run: Command = async (_args, options, context) => {
  context.expectReload()
  const setup = await loadServiceSetup(options, context)
  noteOwner(setup, context)
  const overrides = readOverrides(options, setup)
  const loaded = overridden(setup, overrides, context.environment)
  const served = await serve({
    loaded,
    overrides,
    dataDirectory: setup.dataDirectory,
    onWait: sentence => context.output.note(sentence),
    stop: context.signal,
  })
  const stopFollowing = followConfiguration(served, setup, overrides, context)
  announce(served, { ...setup, ...loaded }, context)
  watchEvents(served, context, 'refusals')
  void noteBackend(loaded.config, context)
  const passkeys = await passkeysSentence(loaded.config)
  if (passkeys !== undefined) context.output.note(passkeys)
  for (const note of await startNotes(loaded.config, served.runtime.resources.identity))
    context.output.note(note)
  await stopped(context.signal)
  stopFollowing()
  context.output.note('stopping: waiting for requests in progress; again to stop at once')
  await closeUnlessHurried(served, context)
  return EXIT.done
}

/** What the command line says over the configuration. */
function readOverrides(options: CommandOptions, { config }: Setup): Overrides {
  const workers = textOption(options, 'workers')
  const admin = textOption(options, 'admin')
  const { console: asked } = options
  return {
    upstream: textOption(options, 'to'),
    listen: textOption(options, 'listen'),
    // The check of the whole configuration reports what is not a number.
    workers:
      workers !== undefined && /^\d+$/.test(workers) ? Number(workers) : (workers as 'auto' | undefined),
    mode: options['observe'] === true ? 'observe' : undefined,
    admin: admin === undefined ? undefined : { listen: admin },
    console:
      typeof asked === 'string'
        ? { listen: asked }
        : asked === true && config.console === false
          ? {}
          : undefined,
  }
}

/** Says which parts start later. */
function noteAway(served: Served, output: CommandContext['output']): void {
  for (const { name, ok, detail } of served.health()) {
    if (ok) continue
    const meanwhile = name === 'limits' ? ' They follow stores.failure until it does.' : ''
    output.note(`started without ${name}: ${detail ?? 'it does not answer'}.${meanwhile}`)
  }
}

function announce(served: Served, { config, file, dataDirectory }: Setup, { output }: CommandContext): void {
  const { mode } = config
  output.line(`${output.paint('green', 'postern')} ${served.url} -> ${config.upstream ?? ''}`)
  const open = announceReach(served, output)
  output.line(`  configuration  ${file.path ?? 'none (defaults)'}`)
  output.line(
    `  mode           ${mode === 'enforce' ? mode : output.paint('yellow', 'observe: nothing is blocked')}`,
  )
  output.line(`  data           ${isMemoryOnly(dataDirectory) ? memorySentence(config) : dataDirectory}`)
  noteCertificate(config, file.folder, output)
  if (served.admin !== undefined) output.line(`  admin          ${served.admin} (/healthz /readyz /metrics)`)
  const { console: opened } = served
  if (opened !== undefined)
    output.line(
      opened.hasAccounts
        ? `  console        ${opened.address} (a link without a passkey: postern console link)`
        : `  console        ${opened.link} (signs in once, within 15 minutes)`,
    )
  noteAway(served, output)
  const { loaded, skipped } = served.runtime.foreignRules
  if (loaded + skipped > 0)
    output.note(`${loaded} additional inspection rules are active; ${skipped} are not supported`)
  const threads = config.workers === 'auto' ? availableParallelism() : config.workers
  const few = fewFilesSentence(config.caps, threads, openFileLimit())
  if (few !== undefined) output.note(`${few}; ${MORE_FILES_HINT}`)
  if (config.trustProxies.isEmpty)
    output.note(
      'trustProxies is not set: X-Forwarded-For, X-Forwarded-Proto and Forwarded are ignored, and the connecting address counts as the client. ' +
        'Behind a load balancer, set trustProxies; otherwise all its clients share one limit.',
    )
  output.result({
    event: 'listening',
    url: served.url,
    open,
    admin: served.admin,
    ...(opened !== undefined && { console: opened.address }),
    upstream: config.upstream,
    mode,
    pid: process.pid,
  })
}

/** What `dataDirectory: false` means for this configuration. */
function memorySentence({ stores, audit }: CompiledConfig): string {
  const isShared = stores.redis !== undefined || stores.postgres !== undefined
  const log =
    audit !== false && audit.store === 'postgres' ? 'the audit log is in PostgreSQL' : 'no audit log'
  return `nothing on disk: ${log}; bans ${isShared ? 'are in stores' : 'end with this process'}; nothing is learned of parameters`
}

/** Clients refuse a certificate out of its time, and the gateway would not know why nobody comes. */
function noteCertificate({ tls }: CompiledConfig, folder: string, output: CommandContext['output']): void {
  if (tls === undefined) return
  try {
    const { validFromDate, validToDate } = new X509Certificate(readFileSync(resolve(folder, tls.cert)))
    if (validFromDate.getTime() > Date.now())
      output.note(
        `the certificate ${tls.cert} is valid only from ${validFromDate.toISOString().slice(0, 10)}: clients will refuse it until then. Check the clock of this machine.`,
      )
    if (validToDate.getTime() < Date.now())
      output.note(
        `the certificate ${tls.cert} expired on ${validToDate.toISOString().slice(0, 10)}: clients will refuse it. Renew it; it is read again by itself.`,
      )
  } catch {
    // It was read a moment ago; its errors were reported then.
  }
}

/**
 * A backend that is not there at the start is the commonest mistake; it may also only be late, so it is not
 * an error.
 */
async function noteBackend(config: CompiledConfig, { output }: CommandContext): Promise<void> {
  const { state, detail, hint } = await checkBackend(config, listenPlaces(config).gateway)
  if (state === 'bad') output.note(`${detail}; ${hint ?? ''}. Until then requests get 502.`)
}

/**
 * Says who can reach the gateway, and warns of an admin listener that others can.
 * @returns the addresses open to the network
 */
export function announceReach(served: Served, output: CommandContext['output']): readonly string[] {
  const interfaces = networkInterfaces()
  const reach = reachOf(served.url, interfaces)
  output.line(`  reachable      ${reachSentence(served.url, reach, '--listen')}`)
  if (served.admin !== undefined && reachOf(served.admin, interfaces).isOpen)
    output.note(
      `the admin listener ${served.admin} is open to the network: anyone there reads /metrics and /readyz; commands need the token`,
    )
  return reach.isOpen ? reach.addresses : []
}

/** Shows events as they happen: lines for people at a terminal, JSON lines for everything else. */
export function watchEvents(served: Served, { output }: CommandContext, verbosity: 'refusals' | 'all'): void {
  const asJson = (event: Event): void => void output.data(JSON.stringify(event))
  const kept = served.runtime.resources.recorder === undefined ? 'not-kept' : 'kept'
  const asLine = (event: Event): void => output.line(decisionLine(event, output, kept))
  const write = output.isForPeople ? asLine : asJson
  const log = new EventLog(write, count => output.note(`${count} more like these were not shown`))
  served.runtime.listen(event => log.take(event, verbosity))
}

/**
 * Puts a changed configuration into force on SIGHUP and when its file changes; a broken one is refused and
 * the old one stays.
 */
export function followConfiguration(
  served: Served,
  setup: Setup,
  overrides: Overrides,
  context: CommandContext,
): () => void {
  const { output, environment, folder } = context
  let running: Promise<void> = Promise.resolve()
  const reload = async (): Promise<void> => {
    try {
      const loaded = await loadConfig({ path: setup.file.path, folder, environment })
      const lines = await served.reload(overridden(loaded, overrides, environment))
      for (const line of ['configuration reloaded', ...lines]) output.note(line)
    } catch (error) {
      output.note(served.runtime.reloadFailed(error))
    }
  }
  const request = (): void => {
    running = running.then(reload)
  }
  context.onReload(request)
  const { path, version, folder: base } = setup.file
  const { cert, key } = setup.config.tls ?? {}
  // A certificate that was renewed comes into force like a configuration that was changed.
  const certificates = [cert, key].filter(file => file !== undefined).map(file => resolve(base, file))
  const ends = certificates.map(file => followFile(file, fileVersion(file), request))
  if (path !== undefined) ends.push(followFile(path, version, request))
  return () => {
    for (const end of ends) end()
  }
}

/** Waits for requests in progress, until a second signal. */
export async function closeUnlessHurried(served: Served, { hurry }: CommandContext): Promise<void> {
  if (hurry.aborted) served.hurry()
  else hurry.addEventListener('abort', () => served.hurry(), { once: true })
  await served.close()
}

/** Resolves when a signal stops the process. */
export function stopped(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
