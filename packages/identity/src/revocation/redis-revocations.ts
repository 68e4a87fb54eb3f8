import type { Clock } from '@postern/core'
import { type RedisConnection, redisError, redisReady, redisSubscriber, redisTime } from '@postern/store'
import { type Revocation, type RevocationTable, readRevocation, shifted } from './revocation.ts'

export interface RedisRevocationOptions {
  /** Connected by the caller, who closes it. */
  readonly redis: RedisConnection
  /** Written before the key; default: `postern`. */
  readonly prefix?: string
  /** This machine's clock. Default: the system's. */
  readonly clock?: Clock
}

/**
 * Revocations in Redis or Valkey: one sorted set by their end, and a channel. Times are kept in the server's.
 * Use a Redis that keeps its data: what it forgets is known only to instances that run.
 */
export function redisRevocations(options: RedisRevocationOptions): RevocationTable {
  const { redis } = options
  const key = `{${options.prefix ?? 'postern'}:revocation}:entries`
  const channel = `{${options.prefix ?? 'postern'}:revocation}:changes`
  const time = redisTime(redis, options.clock)
  let subscriber: RedisConnection | undefined
  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw redisError(error, redis)
    }
  }

  return {
    name: 'redis',
    load: (now, limit) =>
      translated(async () => {
        await redisReady(redis)
        const ahead = await time.measure()
        const texts = await redis.zrange(key, '+inf', `(${now + ahead}`, 'BYSCORE', 'REV', 'LIMIT', 0, limit)
        return texts
          .map(parse)
          .filter(entry => entry !== undefined)
          .map(entry => shifted(entry, -ahead))
      }),
    put: (entry, now) =>
      translated(async () => {
        const ahead = await time.ahead()
        const kept = shifted(entry, ahead)
        const text = JSON.stringify(kept)
        const replies = await redis
          .multi()
          .zremrangebyscore(key, '-inf', now + ahead)
          .zadd(key, kept.expiresAt, text)
          .publish(channel, text)
          .exec()
        const failure =
          replies === null
            ? new Error('the transaction was discarded')
            : replies.find(([error]) => error)?.[0]
        if (failure) throw failure
      }),
    watch: async changed => {
      const connection = redisSubscriber(redis)
      subscriber?.disconnect()
      subscriber = connection
      connection.on('message', (_channel: string, message: string) => {
        const entry = parse(message)
        const ahead = time.known
        // Without a known difference of the clocks everything is read again.
        changed(entry === undefined || ahead === undefined ? undefined : shifted(entry, -ahead))
      })
      await translated(() => connection.subscribe(channel))
      // From the second time on: messages were missed while the connection was away.
      connection.on('ready', () => changed(undefined))
    },
    close: async () => subscriber?.disconnect(),
  }
}

function parse(text: string): Revocation | undefined {
  try {
    return readRevocation(JSON.parse(text))
  } catch {
    return undefined
  }
}
