import type { CompiledConfig } from '@postern/config'
import type { Clock, Event } from '@postern/core'
import {
  laterRemediations,
  type ProtectedOptions,
  postgresRemediations,
  RemediationStore,
  type RemediationTable,
  redisRemediations,
  sqliteRemediations,
} from '@postern/remediate'
import type { Connections } from '../stores/connections.ts'

export interface RemediationsSetup {
  readonly config: CompiledConfig
  /** Undefined keeps measures in this process's memory only. */
  readonly connections: Connections | undefined
  readonly emit?: (event: Event) => void
  readonly clock?: Clock
  /**
   * A server starts without a store that is away; a command that has nothing else to do says so. Default:
   * `reject`.
   */
  readonly whenAway?: 'reject' | 'start'
}

/**
 * The remediations of a configuration: in Redis where there is one, else PostgreSQL, else the data
 * directory. Trusted proxies and `remediations.never` are protected.
 * @throws StoreError when they cannot be read
 */
export async function openRemediations(setup: RemediationsSetup): Promise<RemediationStore> {
  const { config, connections, emit, clock } = setup
  const table = connections === undefined ? undefined : await openTable(connections)
  return RemediationStore.open({
    protect: protectedBy(config),
    whenAway: setup.whenAway ?? 'reject',
    ...(table !== undefined && { table }),
    ...(emit !== undefined && { emit }),
    ...(clock !== undefined && { clock }),
  })
}

/** Whom no remediation may hold for. */
export function protectedBy({ remediations, trustProxies }: CompiledConfig): ProtectedOptions {
  const never = remediations === false ? [] : remediations.never
  return { addresses: [...trustProxies.entries, ...never] }
}

async function openTable(connections: Connections): Promise<RemediationTable | undefined> {
  const { redis, postgres } = connections
  if (redis !== undefined) return redisRemediations({ redis })
  if (postgres !== undefined)
    return laterRemediations('postgres', () => postgresRemediations({ database: postgres }))
  return connections.isMemoryOnly ? undefined : sqliteRemediations({ database: connections.sqlite })
}
