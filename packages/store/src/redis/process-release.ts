import type { Cluster, Redis } from 'ioredis'
import { unref } from '../driver/unref.ts'
import type { RedisConnection } from './redis-connection.ts'

const LOOK_MS = 1_000

/**
 * Lets the process end while the connection is idle, or waits to be made again: a script or a test run that
 * used Redis need not close it. A command in progress keeps the process, by the timer of its deadline.
 */
export function releaseProcess(redis: RedisConnection): void {
  if ('nodes' in redis) releaseCluster(redis)
  else {
    redis.on('connect', () => redis.stream?.unref())
    redis.on('reconnecting', () => unref(Reflect.get(redis, 'reconnectTimeout')))
  }
}

/**
 * A cluster opens connections when it learns of nodes, and a hidden one for what it subscribes to; there is
 * no event for each. So it is looked through now and then for as long as it lives.
 */
function releaseCluster(cluster: Cluster): void {
  const timer = setInterval(() => {
    unref(Reflect.get(cluster, 'reconnectTimeout'))
    for (const node of [...cluster.nodes('all'), hiddenSubscriber(cluster)]) {
      unref(node?.stream)
      if (node !== undefined) unref(Reflect.get(node, 'reconnectTimeout'))
    }
  }, LOOK_MS).unref()
  cluster.once('end', () => clearInterval(timer))
}

function hiddenSubscriber(cluster: Cluster): Redis | undefined {
  const group: unknown = Reflect.get(cluster, 'subscriber')
  if (typeof group !== 'object' || group === null) return undefined
  const instance: unknown = Reflect.get(group, 'subscriber')
  return isRedis(instance) ? instance : undefined
}

function isRedis(value: unknown): value is Redis {
  return typeof value === 'object' && value !== null && 'stream' in value
}
