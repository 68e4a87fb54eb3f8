import type { Config } from '@postern/config'
import { ConfigError } from '@postern/core'
import { migrate } from '@postern/store'
import { type LimitStore, limitMigrations, MemoryStore, postgresStore, redisStore } from '@postern/throttle'
import type { Connections } from './connections.ts'

/**
 * Where limits are counted: as `stores.limits` says, else in Redis where there is one, else in memory.
 * @param table memory shared with worker threads; of this thread alone unless given
 * @throws ConfigError when `stores.limits` names a store that has no address; StoreError when it cannot be prepared
 */
export async function openLimitStore(
  config: Config,
  connections: Connections,
  table: SharedArrayBuffer | undefined,
): Promise<LimitStore> {
  const { redis, postgres } = connections
  const chosen = config.stores?.limits ?? (redis === undefined ? 'memory' : 'redis')
  if (chosen === 'redis' && redis !== undefined) return redisStore({ redis })
  if (chosen === 'postgres' && postgres !== undefined) {
    await migrate(postgres, 'throttle', limitMigrations)
    return postgresStore({ database: postgres })
  }
  if (chosen === 'memory') return new MemoryStore(table === undefined ? {} : { table })
  throw new ConfigError({
    place: 'stores.limits',
    problem: `is "${chosen}", which has no address`,
    mend: `set stores.${chosen}`,
  })
}
