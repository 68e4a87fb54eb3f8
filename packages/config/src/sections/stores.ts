import { ConfigError } from '@postern/core'
import * as z from 'zod/mini'
import { key, parsed, section } from '../key/key.ts'
import { oneOf, storeUrl } from '../key/types.ts'

/**
 * Servers to share state through, for more than one machine. Addresses may hold passwords: write `${NAME}` to
 * take them from the environment.
 */
export interface StoresConfig {
  /** Address of PostgreSQL, with user and database. Default: none: SQLite in the data directory. */
  readonly postgres?: string | undefined
  /**
   * Address of Redis or Valkey; one is enough for a cluster. `redis+sentinel://sentinel:26379/name`, once or
   * for each Sentinel, asks Sentinels for the primary. Default: none.
   */
  readonly redis?: string | readonly string[] | undefined
  /** Where limits are counted. Default: `redis` when it has an address, else `memory`. */
  readonly limits?: 'memory' | 'redis' | 'postgres' | undefined
  /**
   * What happens to limits when the store does not answer in 50 ms: `local` (each process holds the limit by
   * itself), `open` or `closed`. Default: `local`.
   */
  readonly failure?: 'open' | 'closed' | 'local' | undefined
}

interface StoresSettings {
  readonly postgres?: string
  readonly redis?: string | readonly string[]
  readonly limits?: 'memory' | 'redis' | 'postgres'
  readonly failure: 'open' | 'closed' | 'local'
}

/** The stores with their defaults; the one that counts limits has an address. */
export interface CompiledStores extends StoresSettings {
  readonly limits: 'memory' | 'redis' | 'postgres'
}

const redisUrl: z.ZodMiniType<string, string> = storeUrl(
  'redis:',
  'rediss:',
  'redis+sentinel:',
  'rediss+sentinel:',
)

/** `stores`. */
export const stores: z.ZodMiniType<CompiledStores, StoresConfig | undefined> = key(
  parsed(
    section<StoresSettings, StoresConfig>('StoresConfig', () => ({
      postgres: key(storeUrl('postgres:', 'postgresql:'), {
        description: 'Address of PostgreSQL, with user and database.',
        defaultText: 'none: SQLite in the data directory',
        example: '${POSTGRES_URL}',
      }),
      redis: key(z.union([redisUrl, z.array(redisUrl).check(z.minLength(1))]), {
        description:
          'Address of Redis or Valkey; one is enough for a cluster. `redis+sentinel://sentinel:26379/name`, once or for each Sentinel, asks Sentinels for the primary.',
        defaultText: 'none',
        example: '${REDIS_URL}',
      }),
      limits: key(oneOf('memory', 'redis', 'postgres'), {
        description: 'Where limits are counted.',
        defaultText: '`redis` when it has an address, else `memory`',
        example: 'postgres',
      }),
      failure: key(oneOf('open', 'closed', 'local'), {
        description:
          'What happens to limits when the store does not answer in 50 ms: `local` (each process holds the limit by itself), `open` or `closed`.',
        default: 'local',
        example: 'closed',
      }),
    })),
    undefined,
    compileStores,
  ),
  {
    description: 'Servers to share state through, for more than one machine.',
    default: {},
    defaultText: 'embedded',
    example: { redis: '${REDIS_URL}' },
    applies: 'restart',
  },
)

function compileStores(stores: StoresSettings): CompiledStores {
  const { limits = stores.redis === undefined ? 'memory' : 'redis' } = stores
  if (limits !== 'memory' && stores[limits] === undefined)
    throw new ConfigError({
      place: '.limits',
      problem: `is "${limits}", which has no address`,
      hint: `set stores.${limits}`,
    })
  return { ...stores, limits }
}
