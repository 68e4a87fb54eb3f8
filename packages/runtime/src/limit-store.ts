import type { CompiledConfig } from '@postern/config'
import { migrate } from '@postern/store'
import { type LimitStore, limitMigrations, MemoryStore, postgresStore, redisStore } from '@postern/throttle'
import type { Connections } from './connections.ts'

/**
 * Where limits are counted: as `stores.limits` says.
 * @param table memory shared with worker threads; of this thread alone unless given
 * @throws StoreError when it cannot be prepared
 */
export async function openLimitStore(
  config: CompiledConfig,
  connections: Connections,
  table: SharedArrayBuffer | undefined,
): Promise<LimitStore> {
  const { redis, postgres } = connections
  const { limits } = config.stores
  if (limits === 'redis' && redis !== undefined) return redisStore({ redis })
  if (limits === 'postgres' && postgres !== undefined) {
    await migrate(postgres, 'throttle', limitMigrations)
    return postgresStore({ database: postgres })
  }
  return new MemoryStore(table === undefined ? {} : { table })
}
