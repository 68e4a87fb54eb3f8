import {
  ConfigError,
  type Duration,
  formatDuration,
  type Health,
  type HealthProbe,
  parseDuration,
  StoreError,
} from '@postern/core'
import type { Cluster, CommonRedisOptions, Redis } from 'ioredis'
import { redisDriver } from './drivers.ts'
import { redisError } from './redis-error.ts'
import { storeName } from './store-name.ts'

/** One server, or a cluster; both take the same commands. */
export type RedisConnection = Redis | Cluster

export interface RedisConnectOptions {
  /** `redis://user:password@host:port/0`, `rediss://` for TLS; several, in a list or parted by commas, for a cluster. */
  readonly url: string | readonly string[]
  /** How long one command may take. Default `500ms`. */
  readonly commandTimeout?: Duration
  /** How long making a connection may take. Default `2s`. */
  readonly connectTimeout?: Duration
}

interface State {
  readonly name: string
  trouble: string | undefined
}

/** Without `replyMapping`, which would change the type of the connection. */
type Settings = Omit<CommonRedisOptions, 'replyMapping'>

const states = new WeakMap<RedisConnection, State>()
const LONGEST_PAUSE_MS = 2_000

/**
 * Connects to Redis or Valkey, and reconnects for as long as it is not closed. Commands sent while the first connection
 * is being made wait for it; once that is settled, a command without a connection fails at once, and one whose
 * connection breaks is never sent again by itself: nothing queues up, nothing runs twice. For a subscriber take
 * `redis.duplicate({ enableOfflineQueue: true })`, which subscribes again by itself.
 * @throws ConfigError when a URL is not one
 */
export function connectRedis(options: RedisConnectOptions): RedisConnection {
  const urls = typeof options.url === 'string' ? options.url.split(',') : options.url
  const names = urls.map(url => storeName('redis', url, ['redis:', 'rediss:']))
  const [first] = urls
  if (first === undefined)
    throw new ConfigError({ place: 'redis url', problem: 'is an empty list', hint: 'give at least one URL' })
  const commandTimeout = parseDuration(options.commandTimeout ?? '500ms', 'commandTimeout')
  const common: Settings = {
    commandTimeout,
    connectTimeout: parseDuration(options.connectTimeout ?? '2s', 'connectTimeout'),
    // A server that takes commands and answers none is given up, and with it everything that waits for it.
    socketTimeout: commandTimeout * 4,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectionName: 'postern',
  }
  const isCluster = typeof options.url !== 'string' || urls.length > 1
  const redis = isCluster ? connectCluster(urls, common) : connectSingle(first, common)
  const state: State = { name: names.join(','), trouble: 'not connected yet' }
  states.set(redis, state)
  watch(redis, state)
  return redis
}

function connectSingle(url: string, options: Settings): Redis {
  const { Redis } = redisDriver()
  return new Redis(url, { ...options, retryStrategy: pauseBeforeRetry })
}

function connectCluster(urls: readonly string[], options: Settings): Cluster {
  const nodes = urls.map(url => new URL(url))
  const [seed] = nodes
  const { connectTimeout, commandTimeout, socketTimeout, autoResendUnfulfilledCommands } = options
  const { Cluster } = redisDriver()
  return new Cluster(
    nodes.map(({ hostname, port }) => ({ host: hostname, port: Number(port === '' ? 6379 : port) })),
    {
      clusterRetryStrategy: pauseBeforeRetry,
      maxRedirections: 4,
      redisOptions: {
        ...{ connectTimeout, commandTimeout, socketTimeout, autoResendUnfulfilledCommands },
        ...(seed?.username ? { username: decodeURIComponent(seed.username) } : {}),
        ...(seed?.password ? { password: decodeURIComponent(seed.password) } : {}),
        ...(seed?.protocol === 'rediss:' && { tls: {} }),
      },
    },
  )
}

/** Milliseconds; grows to 2 s, with a quarter of jitter so that instances do not come back in step. */
function pauseBeforeRetry(times: number): number {
  const pause = Math.min(LONGEST_PAUSE_MS, 50 * 2 ** Math.min(times, 10))
  return pause * (0.75 + Math.random() / 4)
}

function watch(redis: RedisConnection, state: State): void {
  const settled = (): void => {
    redis.options.enableOfflineQueue = false
  }
  redis.on('error', error => {
    state.trouble = messageOf(error, state.name)
  })
  redis.on('ready', () => {
    state.trouble = undefined
    settled()
  })
  redis.on('close', () => {
    state.trouble ??= `${state.name}: is not connected`
    settled()
  })
}

function messageOf(error: unknown, store: string): string {
  const translated = redisError(error, store)
  return translated instanceof Error ? translated.message : store
}

/** The store as errors name it, without credentials: `redis 127.0.0.1:6379`. */
export function redisName(redis: RedisConnection): string {
  return states.get(redis)?.name ?? 'redis'
}

/** How a connection is, from memory. */
export function redisHealth(
  redis: RedisConnection,
  { required = true }: { readonly required?: boolean } = {},
): HealthProbe {
  return {
    health: (): Health => {
      const ok = redis.status === 'ready'
      const detail = states.get(redis)?.trouble ?? `${redisName(redis)}: is not connected`
      return { name: redisName(redis), ok, required, ...(!ok && { detail }) }
    },
  }
}

/**
 * Resolves when the server takes commands.
 * @throws StoreError that says why, when it does not in time; a wrong password at once
 */
export async function redisReady(redis: RedisConnection, within: Duration = '5s'): Promise<void> {
  if (redis.status === 'ready') return
  const limit = parseDuration(within, 'within')
  const store = redisName(redis)
  await new Promise<void>((resolve, reject) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      redis.off('ready', onReady)
      redis.off('error', onError)
      settle()
    }
    const onReady = (): void => finish(resolve)
    const onError = (error: unknown): void => {
      const translated = redisError(error, store)
      if (translated instanceof StoreError && !translated.retryable) finish(() => reject(translated))
    }
    const timer = setTimeout(() => {
      const why = states.get(redis)?.trouble ?? `${store}: is not connected`
      const message = `${why.replace(`${store}: `, '')} (waited ${formatDuration(limit)})`
      finish(() => reject(new StoreError(message, { store, retryable: true })))
    }, limit)
    redis.on('ready', onReady)
    redis.on('error', onError)
  })
}
