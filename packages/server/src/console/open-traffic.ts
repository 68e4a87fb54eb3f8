import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { CompiledConsole, LoadedConfig } from '@postern/config'
import {
  type Instance,
  InstanceBoard,
  type LiveFeed,
  OthersFeed,
  PostgresTraffic,
  SqliteTraffic,
  type TrafficStore,
} from '@postern/console'
import type { Health } from '@postern/core'
import type { Runtime } from '@postern/runtime'
import type { PreviewPlan } from '../preview/preview-plan.ts'
import { instanceName, ownVersion } from './system-readings.ts'

export interface OpenTrafficOptions {
  readonly runtime: Runtime
  readonly settings: CompiledConsole
  /** Absolute. */
  readonly directory: string
  /** Where the gateway listens. */
  readonly gateway: string
  /** The configuration in force. */
  readonly loaded: () => LoadedConfig
  readonly live: LiveFeed
}

/** The kept traffic, and the instances that share it. */
export interface OpenTraffic {
  readonly traffic: TrafficStore
  /** The same place, for a thread that opens it by itself. */
  readonly place: PreviewPlan['traffic']
  /** This instance first. */
  instances(): Promise<readonly Instance[]>
  health(): readonly Health[]
  close(): Promise<void>
}

/**
 * Opens the traffic: in PostgreSQL where `stores.postgres` names one, which all instances then share, else in
 * the data directory.
 * @throws StoreError when the file in the data directory cannot be opened
 */
export function openTraffic(options: OpenTrafficOptions): OpenTraffic {
  const { runtime, settings, directory, gateway, loaded, live } = options
  const { clock, connections } = runtime.resources
  const { keep, maxSize } = settings
  const startedAt = clock.now()
  const name = instanceName(gateway)
  const digest = digestOf(loaded)
  const own = (): Omit<Instance, 'seenAt'> => ({
    name,
    gateway,
    version: ownVersion(),
    configuration: digest(),
    startedAt,
  })
  const database = connections?.postgres
  const { postgres } = runtime.config.stores
  if (database === undefined || postgres === undefined) {
    const traffic = SqliteTraffic.open({ directory, keep, maxSize })
    return {
      traffic,
      place: { directory },
      instances: async () => [{ ...own(), seenAt: clock.now() }],
      health: () => [],
      close: () => traffic.close(),
    }
  }
  const traffic = new PostgresTraffic({ database, instance: name, keep, maxSize })
  const board = new InstanceBoard({ table: traffic, clock, own })
  const others = new OthersFeed({
    traffic,
    isWatched: () => live.isWatched,
    onEvent: event => live.take(event),
  })
  return {
    traffic,
    place: { postgres },
    instances: () => board.list(),
    health: () => [board.health()],
    close: async () => {
      others.close()
      await board.close()
      // Away, it has what is left on no page, where it is read one by one.
      await traffic.close().catch(() => undefined)
    },
  }
}

/** Digest of the file in force, made again when another one is. */
function digestOf(loaded: () => LoadedConfig): () => string {
  let known: { readonly loaded: LoadedConfig; readonly digest: string } | undefined
  return () => {
    const now = loaded()
    if (known?.loaded !== now) known = { loaded: now, digest: digestOfFile(now) }
    return known.digest
  }
}

function digestOfFile({ file }: LoadedConfig): string {
  const hash = createHash('sha256')
  try {
    if (file.path !== undefined) hash.update(readFileSync(file.path))
  } catch {
    // Gone since it was read: it is then like no other.
    hash.update(file.path ?? '')
  }
  return hash.digest('hex')
}
