import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { isMemoryOnly, type Listen, type LoadedConfig } from '@postern/config'
import { ConfigError, type Health, systemRandom } from '@postern/core'
import { PortInUse, type Runtime, startIntegrations } from '@postern/runtime'
import { sharedTable } from '@postern/throttle'
import { type AdminServer, startAdmin } from './admin/admin-server.ts'
import { auditCommands } from './admin/audit-commands.ts'
import { limitCommands } from './admin/limit-commands.ts'
import { Metrics } from './admin/metrics.ts'
import { parameterCommands } from './admin/parameter-commands.ts'
import { writeRunFile } from './admin/run-file.ts'
import { certificateOf, gatewayPlan } from './gateway-plan.ts'
import type { ServeOptions } from './serve-options.ts'
import { startListening } from './start-listening.ts'

/** A gateway with everything around it: the runtime, the admin listener, the file that commands find it by. */
export interface Served {
  readonly url: string
  /** Undefined when the configuration wants none. */
  readonly admin: string | undefined
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
  const metrics = new Metrics()
  const { runtime, listener } = await startListening(options, { plan, metrics, count, ...shared })
  const closers: (() => Promise<void> | void)[] = [
    () => listener.close(config.timeouts.drain),
    () => runtime.close(),
  ]
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0)) await closer()
  }
  try {
    const integrations = await startIntegrations(config, runtime)
    closers.unshift(() => integrations.close())
    const token = randomBytes(24).toString('base64url')
    const commands = { ...limitCommands(runtime), ...auditCommands(runtime), ...parameterCommands(runtime) }
    const health = (): readonly Health[] => [...listener.health(), ...integrations.health()]
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
      runtime,
      health,
      reload: async next => {
        // Read first: what cannot be used leaves everything as it was.
        const certificate = config.tls === undefined ? undefined : certificateOf(next)
        const waiting = runtime.reload(next).filter(key => key !== 'tls' || certificate === undefined)
        runtime.resources.follow(next)
        const problems = await listener.reload(certificate)
        return waiting.length === 0 ? problems : [...problems, `these need a restart: ${waiting.join(', ')}`]
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Keys that the counters of all workers hold. */
const LIMIT_SLOTS = 131_072

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
