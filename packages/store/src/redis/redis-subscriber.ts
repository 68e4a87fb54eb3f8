import { releaseProcess } from './process-release.ts'
import type { RedisConnection } from './redis-connection.ts'

/**
 * Another connection to the same server or cluster, for subscriptions: it subscribes again by itself when it
 * is made again, and lets the process end. Its errors are ignored; the main connection's health reports them.
 */
export function redisSubscriber(redis: RedisConnection): RedisConnection {
  const connection =
    'nodes' in redis
      ? redis.duplicate([], { enableOfflineQueue: true })
      : redis.duplicate({ enableOfflineQueue: true })
  connection.on('error', () => {})
  releaseProcess(connection)
  return connection
}
