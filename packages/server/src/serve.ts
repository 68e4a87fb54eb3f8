import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import {
  type CompiledAlerts,
  type CompiledConfig,
  isMemoryOnly,
  type Listen,
  type LoadedConfig,
  loadConfig,
  staleImportsSentence,
} from '@postern/config'
import { ConfigError, type Event, type Health, systemRandom } from '@postern/core'
import type { Mailer } from '@postern/identity/built-in'
import {
  type Closers,
  closeInOrder,
  operatorEvent,
  PortInUse,
  type Runtime,
  startIntegrations,
} from '@postern/runtime'
import { sharedTable } from '@postern/throttle'
import { type AdminServer, startAdmin } from './admin/admin-server.ts'
import { asksForAdminPort } from './admin/asks-for-admin-port.ts'
import { auditCommands } from './admin/audit-commands.ts'
import { auditReadings } from './admin/audit-readings.ts'
import { limitCommands } from './admin/limit-commands.ts'
import { parameterCommands } from './admin/parameter-commands.ts'
import { writeRunFile } from './admin/run-file.ts'
import type { AlertSender } from './alerts/alert-sender.ts'
import { BackendCheck } from './backend/backend-check.ts'
import { consoleCommands } from './console/console-commands.ts'
import type { ConsoleSetup } from './console/console-setup.ts'
import type { RunningConsole } from './console/open-console.ts'
import { instanceName, ownVersion } from './console/system-readings.ts'
import { certificateOf, gatewayPlan } from './plan/gateway-plan.ts'
import { overridden } from './plan/overridden.ts'
import type { ServeOptions } from './plan/serve-options.ts'
import { startListening } from './start-listening.ts'
import { Metrics } from './telemetry/metrics.ts'
import type { OtlpExporter } from './telemetry/otlp-exporter.ts'

/** What readiness says while the last requests are finished. */
const STOPPING: Health = { name: 'process', ok: false, required: true, detail: 'stopping' }

/**
 * A gateway with everything around it: the runtime, the admin listener, the file that commands find it by.
 */
export interface Served {
  readonly url: string
  /** Undefined when the configuration wants none. */
  readonly admin: string | undefined
  /** The console, where the configuration wants one, and an address that signs in to it once. */
  readonly console:
    | {
        readonly address: string
        readonly link: string
        /** Whether somebody can sign in by themselves, so that no link need be shown. */
        readonly hasAccounts: boolean
      }
    | undefined
  readonly runtime: Runtime
  health(): readonly Health[]
  /**
   * Puts another configuration into force on every thread.
   * @returns what to tell the operator, a line each
   * @throws ConfigError when it cannot be put together; the old one stays
   */
  reload(loaded: LoadedConfig): Promise<readonly string[]>
  close(): Promise<void>
  /** While it closes: waits no longer for requests under way. */
  hurry(): void
}

/** Threads that take requests. @throws ConfigError where there may be only one, and more are asked for */
function threadCount({ loaded, dataDirectory }: ServeOptions): number {
  const { workers, listen, stores } = loaded.config
  const isOnSocket = listen.path !== undefined
  if (isOnSocket && workers !== 'auto' && workers > 1)
    throw new ConfigError({
      place: 'workers',
      problem: 'must be 1 where listen is a Unix socket, which threads cannot share',
      hint: 'let the gateway listen on a port of this machine, e.g. 127.0.0.1:8080',
    })
  const most = isOnSocket ? 1 : availableParallelism()
  const count = workers === 'auto' ? most : workers
  if (count > 1 && isMemoryOnly(dataDirectory) && stores.redis === undefined && stores.postgres === undefined)
    throw new ConfigError({
      place: 'workers',
      problem: 'must be 1 with dataDirectory: false, because threads could not share bans',
      hint: 'set stores.redis or stores.postgres, or start more processes',
    })
  return count
}

/**
 * Starts the gateway of a configuration: in this thread, or in as many as `workers` says.
 * @throws ConfigError, StoreError, or PortInUse with the place that was taken
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { loaded, dataDirectory } = options
  const { config } = loaded
  const isGateway = options.kind !== 'forward-auth'
  const count = isGateway ? threadCount(options) : 1
  const shared = {
    limits: count > 1 ? sharedTable({ slots: LIMIT_SLOTS }) : undefined,
    secret: systemRandom.bytes(32),
  }
  const plan = isGateway ? gatewayPlan(loaded, count) : undefined
  const metrics = new Metrics()
  const { runtime, listener } = await startListening(options, { plan, metrics, count, ...shared })
  let admin: AdminServer | undefined
  let isStopping = false
  const closers: Closers = [
    () => listener.close(config.timeouts.drain),
    // Readiness says that this process stops while requests are still finished.
    () => admin?.close(),
    () => runtime.close(),
  ]
  const close = async (): Promise<void> => {
    isStopping = true
    await closeInOrder(closers.splice(0))
  }
  try {
    const integrations = await startIntegrations(config, runtime)
    closers.unshift(() => integrations.close())
    const token = randomBytes(24).toString('base64url')
    let current = loaded
    const reload = async (next: LoadedConfig): Promise<readonly string[]> => {
      // Read first: what cannot be used leaves everything as it was.
      const certificate = config.tls === undefined ? undefined : certificateOf(next)
      const waiting = runtime.reload(next).filter(key => key !== 'tls' || certificate === undefined)
      runtime.resources.follow(next)
      current = next
      const problems = await listener.reload(next.file.text, certificate)
      const stale = staleImportsSentence(loaded.file, next.file)
      return [
        ...problems,
        ...(waiting.length === 0 ? [] : [`these need a restart: ${waiting.join(', ')}`]),
        ...(stale === undefined ? [] : [stale]),
      ]
    }
    const backend = plan === undefined ? undefined : startBackendCheck(plan.upstream, config, runtime)
    if (backend !== undefined) closers.unshift(() => backend.close())
    const alerts = await startAlerts(config, runtime)
    const telemetry = await startTelemetry(config, runtime, metrics, listener.url)
    if (telemetry !== undefined) closers.push(() => telemetry.close())
    const partsHealth = (): readonly Health[] => [
      ...listener.health(),
      ...(backend === undefined ? [] : [backend.health()]),
      ...integrations.health(),
      ...(alerts === undefined ? [] : [alerts.health()]),
      ...(telemetry === undefined ? [] : [telemetry.health()]),
    ]
    const opened =
      config.console === false
        ? undefined
        : await startConsole({
            settings: config.console,
            runtime,
            dataDirectory,
            overrides: options.overrides,
            gateway: listener.url,
            workers: count,
            lost: () => listener.lost(),
            attacks: isGateway ? 'gateway' : 'none',
            configuration: 'file',
            loaded: () => current,
            reload: async () => reload(await loadedAgain(options, current)),
            health: partsHealth,
            testAlerts: alerts === undefined ? undefined : () => alerts.test(),
          })
    if (opened !== undefined) closers.unshift(() => opened.close())
    const health = (): readonly Health[] => [
      ...(isStopping ? [STOPPING] : []),
      ...partsHealth(),
      ...(opened?.health() ?? []),
    ]
    const commands = {
      ...limitCommands(runtime),
      ...auditCommands(runtime.resources, (principal, tenant) =>
        eraseTraffic(runtime, opened, principal, tenant),
      ),
      ...parameterCommands(runtime.resources),
      ...consoleCommands(opened, recordOf(runtime)),
    }
    admin = await openAdmin(loaded, listen =>
      startAdmin({
        listen,
        token,
        health,
        metrics: () => metrics.page(health(), auditReadings(runtime.resources)),
        commands,
      }),
    )
    if (admin !== undefined) {
      const content = { pid: process.pid, gateway: listener.url, admin: admin.address, token }
      closers.unshift(writeRunFile(dataDirectory, content))
    }
    const accounts = (await opened?.operators.list()) ?? []
    const hasAccounts = accounts.some(({ isInvited }) => !isInvited)
    return {
      url: listener.url,
      admin: admin?.address,
      console: addressesOf(opened, { hasAccounts }),
      runtime,
      health,
      reload,
      close,
      hurry: () => void listener.close(0),
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Enters an operator's act in the log before it is done. */
function recordOf(runtime: Runtime): Parameters<typeof consoleCommands>[1] {
  return async (action, data, operator) => {
    const { clock, recorder } = runtime.resources
    const act = { action, resource: { type: 'console' }, data }
    await recorder?.commit(operatorEvent(act, clock, typeof operator === 'string' ? operator : undefined))
  }
}

function startBackendCheck(
  upstream: string,
  { backendCheck: settings }: CompiledConfig,
  runtime: Runtime,
): BackendCheck | undefined {
  if (settings === false) return undefined
  // The engine is another one after a reload.
  const emit = (event: Event): void => runtime.engine.emit(event)
  return new BackendCheck({ upstream, settings, clock: runtime.resources.clock, emit })
}

/** Loaded only where alerts are wanted. */
async function startAlerts(
  { alerts: settings }: CompiledConfig,
  runtime: Runtime,
): Promise<AlertSender | undefined> {
  if (settings === undefined) return undefined
  const { AlertSender } = await import('./alerts/alert-sender.ts')
  const { email } = settings
  // Loaded only where mails are wanted.
  const mailer = email === undefined ? undefined : await alertMailer(email)
  const sender = new AlertSender({
    settings,
    clock: runtime.resources.clock,
    fetch,
    ...(mailer !== undefined && { mailer }),
  })
  runtime.listen(event => sender.take(event))
  return sender
}

/** Loaded only where a collector is named. */
async function startTelemetry(
  { telemetry: settings }: CompiledConfig,
  runtime: Runtime,
  metrics: Metrics,
  gateway: string,
): Promise<OtlpExporter | undefined> {
  if (settings === undefined) return undefined
  const { OtlpExporter } = await import('./telemetry/otlp-exporter.ts')
  const exporter = new OtlpExporter({
    settings,
    source: { instance: instanceName(gateway), version: ownVersion() },
    clock: runtime.resources.clock,
    fetch,
    counts: () => metrics.counts(),
    readings: () => auditReadings(runtime.resources),
  })
  runtime.listen(event => exporter.take(event))
  return exporter
}

async function alertMailer({ smtp, from, tls }: NonNullable<CompiledAlerts['email']>): Promise<Mailer> {
  const { smtpMailer } = await import('@postern/identity/built-in')
  return smtpMailer({ url: smtp, from, tls, place: 'alerts.email' })
}

/** The console's code is loaded only where one is wanted. */
async function startConsole(setup: ConsoleSetup): Promise<RunningConsole> {
  const { openConsole } = await import('./console/open-console.ts')
  return openConsole(setup)
}

/** Without a console there may be what one kept before. */
async function eraseTraffic(
  { resources: { connections } }: Runtime,
  opened: RunningConsole | undefined,
  principal: string,
  tenant: string,
): Promise<void> {
  if (opened !== undefined) return opened.erase(principal, tenant)
  if (connections === undefined) return
  const { eraseKeptTraffic } = await import('./console/erase-kept-traffic.ts')
  await eraseKeptTraffic(connections, principal, tenant)
}

/** The link is made when it is read: it is good for 15 minutes. */
function addressesOf(
  opened: RunningConsole | undefined,
  { hasAccounts }: { readonly hasAccounts: boolean },
): Served['console'] {
  if (opened === undefined) return undefined
  return {
    address: opened.address,
    hasAccounts,
    get link() {
      return opened.link()
    },
  }
}

/** The configuration as its file has it now, which the console may have created. */
async function loadedAgain({ overrides }: ServeOptions, { file }: LoadedConfig): Promise<LoadedConfig> {
  const read = await loadConfig({ path: file.path, folder: file.folder, environment: process.env })
  return overridden(read, overrides, process.env)
}

/** Keys that the counters of all workers hold. */
const LIMIT_SLOTS = 131_072

/** The configured place; else the usual port, or a free one when that is taken by another gateway. */
async function openAdmin(
  { config, written }: LoadedConfig,
  start: (listen: Listen) => Promise<AdminServer>,
): Promise<AdminServer | undefined> {
  if (config.admin === false) return undefined
  const { listen } = config.admin
  const isAsked = asksForAdminPort(written)
  try {
    return await start(listen)
  } catch (error) {
    if (isAsked) throw PortInUse.explain(error, listen.host, listen.port, '--admin')
    return start({ host: listen.host, port: 0 })
  }
}
