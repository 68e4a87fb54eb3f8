import { ConfigError, type Duration, formatDuration, parseDuration, StoreError } from '@postern/core'
import type { Cluster, CommonRedisOptions, Redis } from 'ioredis'
import { redisDriver } from '../driver/drivers.ts'
import { storeName } from '../driver/store-name.ts'
import { ExchangeableRedis } from './exchangeable-redis.ts'
import { releaseProcess } from './process-release.ts'
import type { RedisConnection } from './redis-connection.ts'
import { NOT_CONNECTED, translatedError } from './redis-error.ts'
import { releasedSentinels } from './released-sentinels.ts'

/** URL of Redis, and how long a command and a connection may take. */
export interface RedisConnectOptions {
  /**
   * `redis://user:password@host:port/0`, `rediss://` for TLS. One address is enough for a cluster, which is
   * found out when it answers; several, in a list or parted by commas, are its seeds.
   * `redis+sentinel://user:password@sentinel:26379/name` asks Sentinels for the primary of that name.
   */
  readonly url: string | readonly string[]
  /** How long one command may take. Default `500ms`. */
  readonly commandTimeout?: Duration
  /** How long making a connection may take. Default `2s`. */
  readonly connectTimeout?: Duration
}

interface State {
  readonly name: string
  trouble: string | undefined
  /** Settles when it is known whether one address stands for a server or for a cluster. */
  readonly known: Promise<void>
}

/** Without `replyMapping`, which would change the type of the connection. */
type Settings = Omit<CommonRedisOptions, 'replyMapping'>

const SCHEMES = ['redis:', 'rediss:', 'redis+sentinel:', 'rediss+sentinel:']
const states = new WeakMap<RedisConnection, State>()
const LONGEST_PAUSE_MS = 2_000

/**
 * Connects to Redis or Valkey, and reconnects for as long as it is not closed. Commands sent while the first
 * connection is being made wait for it; once that is settled, a command without a connection fails at once,
 * and one whose connection breaks is never sent again by itself: nothing queues up, nothing runs twice. For a
 * subscriber take `redis.duplicate({ enableOfflineQueue: true })`, which subscribes again by itself.
 * @throws ConfigError for an invalid URL
 */
export function connectRedis(options: RedisConnectOptions): RedisConnection {
  const urls = typeof options.url === 'string' ? options.url.split(',') : options.url
  const names = urls.map(url => storeName('redis', url, SCHEMES))
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
  const isSentinel = new URL(first).protocol.includes('+sentinel')
  const isCluster = !isSentinel && (typeof options.url !== 'string' || urls.length > 1)
  const name = names.join(',')
  if (!isSentinel && !isCluster) return connectEither(first, common, name)
  const redis = isSentinel ? connectSentinels(urls, common) : connectCluster(urls, common)
  releaseProcess(redis)
  return watched(redis, { name, trouble: 'not connected yet', known: Promise.resolve() })
}

function watched(redis: RedisConnection, state: State): RedisConnection {
  states.set(redis, state)
  watch(redis, state)
  return redis
}

/** A server by its address, or the whole cluster it turns out to be part of. */
function connectEither(url: string, options: Settings, name: string): RedisConnection {
  const single = connectSingle(url, options)
  releaseProcess(single)
  const { promise: known, resolve } = Promise.withResolvers<void>()
  const redis = new ExchangeableRedis(single)
  const learn = async (): Promise<void> => {
    let info: unknown
    try {
      info = await single.call('INFO', 'cluster')
    } catch (error) {
      // Who may not ask has one server, or gives several addresses.
      if (!(error instanceof Error) || !/NOPERM|unknown command/i.test(error.message)) return
    }
    single.off('ready', ask)
    if (/cluster_enabled:1/.test(String(info))) {
      const cluster = connectCluster([url], options)
      releaseProcess(cluster)
      redis.exchange(cluster)
    }
    resolve()
  }
  const ask = (): void => void learn()
  single.on('ready', ask)
  return watched(redis.connection, { name, trouble: 'not connected yet', known })
}

function connectSentinels(urls: readonly string[], options: Settings): Redis {
  const { Redis } = redisDriver()
  const nodes = urls.map(url => new URL(url))
  const [seed] = nodes as [URL, ...URL[]]
  const [master = '', db = '0'] = seed.pathname.slice(1).split('/')
  const secure = seed.protocol === 'rediss+sentinel:'
  const sentinelPassword = seed.searchParams.get('sentinelPassword')
  return new Redis({
    ...options,
    sentinels: nodes.map(({ hostname, port }) => ({
      host: hostname,
      port: Number(port === '' ? 26_379 : port),
    })),
    name: decodeURIComponent(master),
    db: Number(db),
    ...(seed.username !== '' && { username: decodeURIComponent(seed.username) }),
    ...(seed.password !== '' && { password: decodeURIComponent(seed.password) }),
    ...(sentinelPassword !== null && { sentinelPassword }),
    ...(secure && { tls: {}, enableTLSForSentinelMode: true }),
    // A Sentinel that takes a question and answers none is left for the next.
    sentinelCommandTimeout: options.commandTimeout,
    Connector: releasedSentinels(pauseBeforeRetry),
    retryStrategy: pauseBeforeRetry,
  })
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
  const before = state.trouble
  let wasReady = false
  const settled = (): void => {
    redis.options.enableOfflineQueue = false
  }
  redis.on('error', error => {
    state.trouble = messageOf(error, state.name)
    // Where no Sentinel leads to a server, no connection is ever closed.
    settled()
  })
  redis.on('ready', () => {
    wasReady = true
    state.trouble = undefined
    settled()
  })
  redis.on('close', () => {
    // A server that expects TLS closes a connection without it, and says nothing.
    if (!wasReady && state.trouble === before)
      state.trouble = `${state.name}: closed the connection at once; does the scheme of the URL fit (rediss:// is TLS)?`
    state.trouble ??= `${state.name}: ${NOT_CONNECTED}`
    settled()
  })
}

function messageOf(error: unknown, store: string): string {
  const translated = translatedError(error, store)
  return translated instanceof Error ? translated.message : store
}

/** The store as errors name it, without credentials: `redis 127.0.0.1:6379`. */
export function redisName(redis: RedisConnection): string {
  return states.get(redis)?.name ?? 'redis'
}

/** Why there is no connection now, without the name of the store; undefined when there is one. */
export function redisTrouble(redis: RedisConnection): string | undefined {
  const state = states.get(redis)
  return state?.trouble?.replace(`${state.name}: `, '')
}

/**
 * What went wrong in Redis, as a `StoreError`. Of a command for which there is no connection it says why
 * there is none: a changed password, an address where nothing listens. What is not an error is returned as it
 * is.
 */
export function redisError(error: unknown, redis: RedisConnection): unknown {
  const store = redisName(redis)
  const translated = translatedError(error, store)
  if (!(translated instanceof StoreError) || translated.message !== `${store}: ${NOT_CONNECTED}`)
    return translated
  return new StoreError(redisTrouble(redis) ?? NOT_CONNECTED, { store, retryable: true })
}

/**
 * Resolves when the server takes commands.
 * @throws StoreError that says why, when it does not in time; a wrong password at once
 */
export async function redisReady(redis: RedisConnection, within: Duration = '5s'): Promise<void> {
  const known = states.get(redis)?.known
  const limit = parseDuration(within, 'within')
  const store = redisName(redis)
  await new Promise<void>((resolve, reject) => {
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      redis.off('ready', onReady)
      redis.off('error', onError)
      settle()
    }
    const onReady = (): void =>
      void known?.then(() => {
        if (redis.status === 'ready') finish(resolve)
      })
    const onError = (error: unknown): void => {
      const translated = translatedError(error, store)
      if (translated instanceof StoreError && !translated.retryable) finish(() => reject(translated))
    }
    const timer = setTimeout(() => {
      const message = `${redisTrouble(redis) ?? NOT_CONNECTED} (waited ${formatDuration(limit)})`
      finish(() => reject(new StoreError(message, { store, retryable: true })))
    }, limit)
    redis.on('ready', onReady)
    redis.on('error', onError)
    if (redis.status === 'ready') onReady()
  })
}
