import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { isMemoryOnly, type Listen, type LoadedConfig, loadConfig } from '@postern/config'
import { ConfigError, type Health, systemRandom } from '@postern/core'
import { PortInUse, Runtime, startIntegrations } from '@postern/runtime'
import { sharedTable } from '@postern/throttle'
import { type AdminServer, startAdmin } from './admin/admin-server.ts'
import { auditCommands } from './admin/audit-commands.ts'
import { consoleCommands } from './admin/console-commands.ts'
import { limitCommands } from './admin/limit-commands.ts'
import { Metrics } from './admin/metrics.ts'
import { parameterCommands } from './admin/parameter-commands.ts'
import { writeRunFile } from './admin/run-file.ts'
import { openConsole, type RunningConsole } from './console.ts'
import { startForwardAuthListener } from './forward-auth-listener.ts'
import { certificateOf, type GatewayPlan, gatewayPlan } from './gateway-plan.ts'
import { type Listener, startSingleListener } from './listener.ts'
import { overridden } from './overridden.ts'
import { startWorkerListener } from './worker-listener.ts'
import type { Overrides } from './worker-plan.ts'

export interface ServeOptions {
  /** The configuration with the overrides in it. */
  readonly loaded: LoadedConfig
  /** What the command line said, for workers that read the configuration themselves. */
  readonly overrides: Overrides
  /** Absolute. */
  readonly dataDirectory: string
  /** What takes requests: the reverse proxy unless told otherwise, or the endpoint that another proxy asks. */
  readonly kind?: 'gateway' | 'forward-auth'
}

/** A gateway with everything around it: the runtime, the admin listener, the file that commands find it by. */
export interface Served {
  readonly url: string
  /** Undefined when the configuration wants none. */
  readonly admin: string | undefined
  /** The console, where the configuration wants one, and an address that signs in to it once. */
  readonly console: { readonly address: string; readonly link: string } | undefined
  readonly runtime: Runtime
  health(): readonly Health[]
  /**
   * Puts another configuration into force on every thread.
   * @returns what to tell the operator, a line each
   * @throws ConfigError when it cannot be put together; the old one stays
   */
  reload(loaded: LoadedConfig): Promise<readonly string[]>
  close(): Promise<void>
}

/**
 * Starts the gateway of a configuration: in this thread, or in as many as `workers` says.
 * @throws ConfigError, StoreError, or PortInUse with the place that was taken
 */
export async function serve(options: ServeOptions): Promise<Served> {
  const { loaded, dataDirectory } = options
  const { config } = loaded
  const isGateway = options.kind !== 'forward-auth'
  const workers = config.workers === 'auto' ? availableParallelism() : config.workers
  const count = isGateway ? workers : 1
  const { redis, postgres } = config.stores
  if (count > 1 && isMemoryOnly(dataDirectory) && redis === undefined && postgres === undefined)
    throw new ConfigError({
      place: 'workers',
      problem: 'must be 1 with dataDirectory: false, or threads could not tell each other of bans',
      hint: 'set stores.redis or stores.postgres, or start more processes',
    })
  const shared = {
    limits: count > 1 ? sharedTable({ slots: LIMIT_SLOTS }) : undefined,
    secret: systemRandom.bytes(32),
  }
  const plan = isGateway ? gatewayPlan(loaded) : undefined
  const runtime = await Runtime.open({ loaded, dataDirectory, ...shared })
  const metrics = new Metrics()
  const closers: (() => Promise<void> | void)[] = [() => runtime.close()]
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0)) await closer()
  }
  try {
    const listener = await startListener(options, { plan, runtime, metrics, count, ...shared })
    closers.unshift(() => listener.close(config.timeouts.drain))
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
      const problems = await listener.reload(certificate)
      return waiting.length === 0 ? problems : [...problems, `these need a restart: ${waiting.join(', ')}`]
    }
    const partsHealth = (): readonly Health[] => [...listener.health(), ...integrations.health()]
    const opened =
      config.console === false || !isGateway
        ? undefined
        : await openConsole({
            settings: config.console,
            runtime,
            dataDirectory,
            gateway: listener.url,
            isPlaceAsked: isConsolePlaceAsked(loaded),
            loaded: () => current,
            reload: async () => reload(await loadedAgain(options, current)),
            health: partsHealth,
          })
    if (opened !== undefined) closers.unshift(() => opened.close())
    const health = (): readonly Health[] => [...partsHealth(), ...(opened?.health() ?? [])]
    const commands = {
      ...limitCommands(runtime),
      ...auditCommands(runtime, (principal, tenant) => opened?.erase(principal, tenant)),
      ...parameterCommands(runtime),
      ...consoleCommands(opened),
    }
    const admin = await openAdmin(loaded, listen =>
      startAdmin({ listen, token, health, metrics: () => metrics.page(health()), commands }),
    )
    if (admin !== undefined) {
      closers.unshift(() => admin.close())
      const content = { pid: process.pid, gateway: listener.url, admin: admin.address, token }
      closers.unshift(writeRunFile(dataDirectory, content))
    }
    return {
      url: listener.url,
      admin: admin?.address,
      console: addressesOf(opened),
      runtime,
      health,
      reload,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The link is made when it is read: it is good for 15 minutes. */
function addressesOf(opened: RunningConsole | undefined): Served['console'] {
  if (opened === undefined) return undefined
  return {
    address: opened.address,
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

function isConsolePlaceAsked({ written }: LoadedConfig): boolean {
  return written.console !== undefined && written.console !== false && written.console.listen !== undefined
}

/** Keys that the counters of all workers hold. */
const LIMIT_SLOTS = 131_072

interface ListenerParts {
  /** Undefined for forward-auth. */
  readonly plan: GatewayPlan | undefined
  readonly runtime: Runtime
  readonly metrics: Metrics
  readonly count: number
  readonly limits: SharedArrayBuffer | undefined
  readonly secret: Uint8Array
}

function startListener(options: ServeOptions, parts: ListenerParts): Promise<Listener> {
  const { plan, runtime, metrics } = parts
  // Requests of workers are counted there; what arises on this thread (findings, losses) is counted here.
  runtime.listen(event => metrics.count(event))
  if (plan === undefined) return startForwardAuthListener(options.loaded, runtime)
  return startGatewayListener(options, parts, plan).catch((error: unknown) => {
    throw PortInUse.explain(error, plan.listen.host ?? '', plan.listen.port, '--listen')
  })
}

function startGatewayListener(
  { loaded, overrides, dataDirectory }: ServeOptions,
  { runtime, metrics, count, limits, secret }: ListenerParts,
  plan: GatewayPlan,
): Promise<Listener> {
  if (limits === undefined) return startSingleListener(plan, runtime)
  const { path: file, folder } = loaded.file
  return startWorkerListener({
    gateway: plan,
    plan: { file, folder, overrides, dataDirectory, limits, secret },
    count,
    runtime,
    metrics,
  })
}

/** Where it was told; else the usual port, or a free one when that is taken by another gateway. */
async function openAdmin(
  { config, written }: LoadedConfig,
  start: (listen: Listen) => Promise<AdminServer>,
): Promise<AdminServer | undefined> {
  if (config.admin === false) return undefined
  const { listen } = config.admin
  const isAsked = written.admin !== undefined && written.admin !== false && written.admin.listen !== undefined
  try {
    return await start(listen)
  } catch (error) {
    if (isAsked) throw PortInUse.explain(error, listen.host, listen.port, '--admin')
    return start({ host: listen.host, port: 0 })
  }
}
