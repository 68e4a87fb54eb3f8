import { type Clock, systemClock } from '@postern/core'
import type { RedisConnection } from '@postern/store'
import { redisRecords } from '../records/redis-records.ts'
import { LOGIN_CODEC, type LoginStore } from './login-store.ts'

export interface RedisLoginOptions {
  /** Connected by the caller, who closes it. */
  readonly redis: RedisConnection
  /** Written before every key; default: `postern`. */
  readonly prefix?: string
  readonly clock?: Clock
}

/**
 * Login records in Redis or Valkey, for many machines. Use one that keeps its data: known devices are in it.
 */
export function redisLoginStore({
  redis,
  prefix = 'postern',
  clock = systemClock,
}: RedisLoginOptions): LoginStore {
  return redisRecords(redis, `${prefix}:login:`, LOGIN_CODEC, clock)
}
