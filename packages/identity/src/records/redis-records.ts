import { type Clock, StoreError } from '@postern/core'
import { type RedisConnection, redisError, redisName } from '@postern/store'
import type { RecordCodec, RecordStore } from './record-store.ts'

/** Sets a key unless it is no longer what was read. */
const SWAP = `
local now = redis.call('GET', KEYS[1]) or ''
if now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`
const MAX_RACES = 32

/**
 * Records in Redis or Valkey, for many machines. A change is kept only when nobody else changed the
 * record meanwhile, else the step runs again.
 * @param prefix written before every key
 */
export function redisRecords<Kept>(
  redis: RedisConnection,
  prefix: string,
  codec: RecordCodec<Kept>,
  clock: Clock,
): RecordStore<Kept> {
  return {
    name: 'redis',
    update: async (key, step) => {
      try {
        for (let race = 0; race < MAX_RACES; race++) {
          const text = await redis.get(prefix + key)
          const { record, result } = step(codec.read(text ?? undefined))
          if (record === undefined) return result
          const lifetime = Math.max(1, Math.ceil(codec.lifetime(record, clock.now())))
          const swapped = await redis.eval(
            SWAP,
            1,
            prefix + key,
            text ?? '',
            codec.write(record),
            String(lifetime),
          )
          if (swapped === 1) return result
        }
      } catch (error) {
        throw redisError(error, redis)
      }
      throw new StoreError('too many processes change the same record at once', {
        store: redisName(redis),
        retryable: true,
      })
    },
  }
}
