import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { type Health, parseDuration, systemRandom } from '@postern/core'
import { sharedTable } from '@postern/throttle'
import { type AdminServer, startAdmin } from '../admin/admin-server.ts'
import { auditCommands } from '../admin/audit-commands.ts'
import { limitCommands } from '../admin/limit-commands.ts'
import { Metrics } from '../admin/metrics.ts'
import { parameterCommands } from '../admin/parameter-commands.ts'
import { writeRunFile } from '../admin/run-file.ts'
import { Layer } from '../assembly/layer.ts'
import { type Listen, parseListen } from '../config/checks.ts'
import type { Config } from '../config/config.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { startForwardAuthFront } from './forward-auth-front.ts'
import { type Front, startSingleFront } from './front.ts'
import { certificateOf, type GatewayPlan, gatewayPlan } from './gateway-plan.ts'
import { startOutlets } from './outlets.ts'
import { PortInUse } from './port-in-use.ts'
import { startWorkerFront } from './worker-front.ts'
import type { Overrides } from './worker-plan.ts'

export interface ServeOptions {
  /** The configuration with the overrides in it. */
  readonly loaded: LoadedConfig
  /** What the command line said, for workers that read the configuration themselves. */
  readonly overrides: Overrides
  /** Absolute. */
  readonly dataDirectory: string
  /** What takes requests: the reverse proxy unless told otherwise, or the endpoint that another proxy asks. */
  readonly front?: 'gateway' | 'forward-auth'
}

/** A gateway with everything around it: the layer, the admin listener, the file that commands find it by. */
export interface Served {
  readonly url: string
  /** Undefined when the configuration wants none. */
  readonly admin: string | undefined
  readonly layer: Layer
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
  const isGateway = options.front !== 'forward-auth'
  const workers = config.workers === 'auto' ? availableParallelism() : (config.workers ?? 1)
  const count = isGateway ? workers : 1
  const shared = {
    limits: count > 1 ? sharedTable({ slots: LIMIT_SLOTS }) : undefined,
    secret: systemRandom.bytes(32),
  }
  const plan = isGateway ? gatewayPlan(loaded) : undefined
  const layer = await Layer.open({ loaded, dataDirectory, ...shared })
  const metrics = new Metrics()
  const closers: (() => Promise<void> | void)[] = [() => layer.close()]
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0)) await closer()
  }
  try {
    const front = await startFront(options, { plan, layer, metrics, count, ...shared })
    const drain = parseDuration(config.timeouts?.drain ?? '10s')
    closers.unshift(() => front.close(drain))
    const outlets = await startOutlets(config, layer)
    closers.unshift(() => outlets.close())
    const token = randomBytes(24).toString('base64url')
    const commands = { ...limitCommands(layer), ...auditCommands(layer), ...parameterCommands(layer) }
    const health = (): readonly Health[] => [...front.health(), ...outlets.health()]
    const admin = await openAdmin(config, listen =>
      startAdmin({ listen, token, health, metrics: () => metrics.page(health()), commands }),
    )
    if (admin !== undefined) {
      closers.unshift(() => admin.close())
      const content = { pid: process.pid, gateway: front.url, admin: admin.address, token }
      closers.unshift(writeRunFile(dataDirectory, content))
    }
    return {
      url: front.url,
      admin: admin?.address,
      layer,
      health,
      reload: async next => {
        // Read first: what cannot be used leaves everything as it was.
        const certificate = config.tls === undefined ? undefined : certificateOf(next)
        const waiting = layer.reload(next).filter(key => key !== 'tls' || certificate === undefined)
        layer.rooms.follow(next)
        const problems = await front.reload(certificate)
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

interface FrontParts {
  /** Undefined for forward-auth. */
  readonly plan: GatewayPlan | undefined
  readonly layer: Layer
  readonly metrics: Metrics
  readonly count: number
  readonly limits: SharedArrayBuffer | undefined
  readonly secret: Uint8Array
}

function startFront(options: ServeOptions, parts: FrontParts): Promise<Front> {
  const { plan, layer, metrics } = parts
  // Requests of workers are counted there; what arises on this thread (findings, losses) is counted here.
  layer.listen(event => metrics.count(event))
  if (plan === undefined) return startForwardAuthFront(options.loaded, layer)
  return startGatewayFront(options, parts, plan).catch((error: unknown) => {
    throw PortInUse.explain(error, plan.listen.host ?? '', plan.listen.port, '--listen')
  })
}

function startGatewayFront(
  { loaded, overrides, dataDirectory }: ServeOptions,
  { layer, metrics, count, limits, secret }: FrontParts,
  plan: GatewayPlan,
): Promise<Front> {
  if (limits === undefined) return startSingleFront(plan, layer)
  const { path: file, folder } = loaded.file
  return startWorkerFront({
    gateway: plan,
    plan: { file, folder, overrides, dataDirectory, limits, secret },
    count,
    layer,
    metrics,
  })
}

const ADMIN: Listen = { host: '127.0.0.1', port: 9464 }

/** Where it was told; else the usual port, or a free one when that is taken by another gateway. */
async function openAdmin(
  config: Config,
  start: (listen: Listen) => Promise<AdminServer>,
): Promise<AdminServer | undefined> {
  if (config.admin === false) return undefined
  const asked = config.admin?.listen === undefined ? undefined : parseListen(config.admin.listen)
  try {
    return await start(asked ?? ADMIN)
  } catch (error) {
    if (asked !== undefined) throw PortInUse.explain(error, asked.host, asked.port, '--admin')
    return start({ host: ADMIN.host, port: 0 })
  }
}
