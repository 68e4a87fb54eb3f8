import { createHash } from 'node:crypto'
import { type Clock, StoreError } from '@postern/core'
import { type RedisConnection, redisError, redisTrouble } from '@postern/store'
import type { LimitStore } from '../limit/limit-store.ts'
import type { LimitBatch } from './limit-batch.ts'
import { LIMIT_SCRIPT } from './redis-script.lua.ts'
import { RemoteStore } from './remote-store.ts'

/** The Redis that counts are kept in, and the prefix of its keys. */
export interface RedisStoreOptions {
  /**
   * From `connectRedis` of `@postern/store`: one server or a cluster, Redis 7 or Valkey. The caller closes
   * it.
   */
  readonly redis: RedisConnection
  /**
   * Written before every key, in the braces of a hash tag: all keys of one prefix live on one node of a
   * cluster, which is what makes several limits one decision there. Give different parts of an application
   * different prefixes to spread them. Default: `postern`.
   */
  readonly prefix?: string
  /**
   * For tests: whose wall time to send along, and by whose monotonic time leases end. The server's own clock
   * counts unless given, so that clients' clocks do not matter.
   */
  readonly clock?: Clock
}

const SCRIPT_HASH = createHash('sha1').update(LIMIT_SCRIPT).digest('hex')

/**
 * Counts in Redis or Valkey, for many processes: exact over all of them. Decisions asked at the same time go
 * in one call of one script.
 */
export function redisStore({ redis, prefix = 'postern', clock }: RedisStoreOptions): LimitStore {
  return new RemoteStore({
    name: 'redis',
    prefix: `{${prefix}}:limit:`,
    clock,
    decide: batch => decideInRedis(redis, batch, clock === undefined ? -1 : clock.now()),
    forget: async key => {
      try {
        await redis.del(key)
      } catch (error) {
        throw redisError(error, redis)
      }
    },
    health: () => {
      const ok = redis.status === 'ready'
      const detail = `redis ${redisTrouble(redis) ?? 'is not connected'}`
      return { name: 'limits', ok, required: false, ...(!ok && { detail }) }
    },
  })
}

/** @param time epoch milliseconds, or -1 for the server's own clock */
async function decideInRedis(
  redis: RedisConnection,
  batch: LimitBatch,
  time: number,
): Promise<readonly number[]> {
  const payload = JSON.stringify([time, batch.rules.length / 3, ...batch.rules, ...batch.decisions])
  const { keys } = batch
  let reply: unknown
  try {
    reply = await redis.evalsha(SCRIPT_HASH, keys.length, ...keys, payload)
  } catch (error) {
    // A server that was restarted, or never saw the script, gets its text.
    if (!isUnknownScript(error)) throw redisError(error, redis)
    reply = await redis.eval(LIMIT_SCRIPT, keys.length, ...keys, payload).catch((again: unknown) => {
      throw redisError(again, redis)
    })
  }
  if (Array.isArray(reply)) return reply as readonly number[]
  throw new StoreError('gave an invalid answer', { store: 'redis', retryable: false })
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
