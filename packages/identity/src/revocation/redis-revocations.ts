import { type RedisConnection, redisError, redisName, redisReady } from '@postern/store'
import { type Revocation, type RevocationTable, readRevocation } from './revocation.ts'

export interface RedisRevocationOptions {
  /** Connected by the caller, who closes it. */
  readonly redis: RedisConnection
  /** Written before the key; default: `postern`. */
  readonly prefix?: string
}

/**
 * Revocations in Redis or Valkey: one sorted set by their end, and a channel. Use a Redis that keeps its
 * data: what it forgets is no longer revoked.
 */
export function redisRevocations(options: RedisRevocationOptions): RevocationTable {
  const { redis } = options
  const key = `{${options.prefix ?? 'postern'}:revocation}:entries`
  const channel = `{${options.prefix ?? 'postern'}:revocation}:changes`
  let subscriber: RedisConnection | undefined
  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw redisError(error, redisName(redis))
    }
  }

  return {
    name: 'redis',
    load: (now, limit) =>
      translated(async () => {
        await redisReady(redis)
        const texts = await redis.zrange(key, '+inf', `(${now}`, 'BYSCORE', 'REV', 'LIMIT', 0, limit)
        return texts.map(parse).filter(entry => entry !== undefined)
      }),
    put: entry =>
      translated(async () => {
        const text = JSON.stringify(entry)
        const replies = await redis
          .multi()
          .zremrangebyscore(key, '-inf', entry.revokedAt)
          .zadd(key, entry.expiresAt, text)
          .publish(channel, text)
          .exec()
        const failure =
          replies === null
            ? new Error('the transaction was discarded')
            : replies.find(([error]) => error)?.[0]
        if (failure) throw failure
      }),
    watch: async changed => {
      const connection: RedisConnection =
        'nodes' in redis
          ? redis.duplicate([], { enableOfflineQueue: true })
          : redis.duplicate({ enableOfflineQueue: true })
      subscriber?.disconnect()
      subscriber = connection
      connection.on('error', () => {
        // ioredis reconnects and subscribes again by itself; the main connection's
        // health tells of the trouble.
      })
      connection.on('message', (_channel: string, message: string) => changed(parse(message)))
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
