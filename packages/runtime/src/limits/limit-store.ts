import type { CompiledConfig } from '@postern/config'
import { StoreError } from '@postern/core'
import { migrate } from '@postern/store'
import {
  type LimitStore,
  laterStore,
  limitMigrations,
  MemoryStore,
  postgresStore,
  redisStore,
} from '@postern/throttle'
import type { Connections } from '../stores/connections.ts'

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
    const prepare = async (): Promise<LimitStore> => {
      await migrate(postgres, 'throttle', limitMigrations)
      return postgresStore({ database: postgres })
    }
    try {
      return await prepare()
    } catch (error) {
      // The policy of stores.failure decides until it is there.
      if (error instanceof StoreError && error.retryable) return laterStore('postgres', prepare)
      throw error
    }
  }
  return new MemoryStore(table === undefined ? {} : { table })
}
