import { StoreError } from '@postern/core'
import { type RedisConnection, redisError, redisName } from '@postern/store'
import { readRecord, recordLifetime, writeRecord } from './login-record.ts'
import type { LoginStore } from './login-store.ts'

export interface RedisLoginOptions {
  /** Connected by the caller, who closes it. */
  readonly redis: RedisConnection
  /** Written before every key; default: `postern`. */
  readonly prefix?: string
}

/** Sets a key unless it is no longer what was read. */
const SWAP = `
local now = redis.call('GET', KEYS[1]) or ''
if now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`
const MAX_RACES = 32

/**
 * Records in Redis or Valkey, for many machines. A change is kept only when nobody else changed the record meanwhile, else the step runs
 * again. Use a Redis that keeps its data: known devices are in it.
 */
export function redisLoginStore(options: RedisLoginOptions): LoginStore {
  const { redis } = options
  const prefix = `${options.prefix ?? 'postern'}:login:`
  return {
    name: 'redis',
    update: async (account, step) => {
      const key = prefix + account
      try {
        for (let race = 0; race < MAX_RACES; race++) {
          const text = await redis.get(key)
          const { record, result } = step(readRecord(text ?? undefined))
          if (record === undefined) return result
          const lifetime = String(Math.ceil(recordLifetime(record)))
          const swapped = await redis.eval(SWAP, 1, key, text ?? '', writeRecord(record), lifetime)
          if (swapped === 1) return result
        }
      } catch (error) {
        throw redisError(error, redisName(redis))
      }
      throw new StoreError('too many processes change the same login record at once', {
        store: redisName(redis),
        retryable: true,
      })
    },
  }
}
