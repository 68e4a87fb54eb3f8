import { randomBytes } from 'node:crypto'
import { type Health, parseDuration } from '@postern/core'
import { startGateway } from '@postern/gateway'
import { type AdminServer, startAdmin } from '../admin/admin-server.ts'
import { limitCommands } from '../admin/limit-commands.ts'
import { Metrics } from '../admin/metrics.ts'
import { writeRunFile } from '../admin/run-file.ts'
import { Layer } from '../assembly/layer.ts'
import { type Listen, parseListen } from '../config/checks.ts'
import type { Config } from '../config/config.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { gatewayPlan } from './gateway-options.ts'
import { PortInUse } from './port-in-use.ts'

export interface ServeOptions {
  readonly loaded: LoadedConfig
  /** Absolute. */
  readonly dataDirectory: string
}

/** A gateway with everything around it: the layer, the admin listener, the file that commands find it by. */
export interface Served {
  readonly url: string
  /** Undefined when the configuration wants none. */
  readonly admin: string | undefined
  readonly layer: Layer
  health(): readonly Health[]
  close(): Promise<void>
}

/**
 * Starts the gateway of a configuration in this process.
 * @throws ConfigError, StoreError, or PortInUse with the place that was taken
 */
export async function serve({ loaded, dataDirectory }: ServeOptions): Promise<Served> {
  const { config } = loaded
  const plan = gatewayPlan(loaded)
  const layer = await Layer.open({ config, dataDirectory })
  const metrics = new Metrics()
  layer.listen(event => metrics.count(event))
  const closers: (() => Promise<void> | void)[] = [() => layer.close()]
  try {
    const gateway = await startGateway({
      ...plan,
      engine: () => layer.engine,
      recheck: exchange => layer.remediations.find(exchange)?.measure !== 'block',
    }).catch((error: unknown) => {
      throw PortInUse.explain(error, plan.listen.host ?? '', plan.listen.port, '--listen')
    })
    const drain = parseDuration(config.timeouts?.drain ?? '10s')
    closers.unshift(() => gateway.close({ grace: drain }))
    const health = (): readonly Health[] => gateway.health()
    const token = randomBytes(24).toString('base64url')
    const admin = await openAdmin(config, listen =>
      startAdmin({
        listen,
        token,
        health,
        metrics: () => metrics.page(health()),
        commands: limitCommands(layer),
      }),
    )
    if (admin !== undefined) {
      closers.unshift(() => admin.close())
      closers.unshift(
        writeRunFile(dataDirectory, { pid: process.pid, gateway: gateway.url, admin: admin.address, token }),
      )
    }
    return {
      url: gateway.url,
      admin: admin?.address,
      layer,
      health,
      close: async () => {
        for (const close of closers) await close()
      },
    }
  } catch (error) {
    for (const close of closers) await close()
    throw error
  }
}

const ADMIN: Listen = { host: '127.0.0.1', port: 9464 }

/** Where it was told; else the usual port, or a free one when that is taken by another gateway. */
async function openAdmin(
  config: Config,
  start: (listen: Listen) => Promise<AdminServer>,
): Promise<AdminServer | undefined> {
  if (config.admin === false) return undefined
  const asked = config.admin?.listen === undefined ? undefined : parseListen(config.admin.listen, '127.0.0.1')
  try {
    return await start(asked ?? ADMIN)
  } catch (error) {
    if (asked !== undefined) throw PortInUse.explain(error, asked.host, asked.port, '--admin')
    return start({ host: ADMIN.host, port: 0 })
  }
}
