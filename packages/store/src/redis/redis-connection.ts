import type { Cluster, Redis } from 'ioredis'

/** One server, or a cluster; both take the same commands. */
export type RedisConnection = Redis | Cluster
