import { randomUUID } from 'node:crypto'
import { type Clock, type Remediation, systemClock } from '@postern/core'
import { type RedisConnection, redisError, redisName, redisReady } from '@postern/store'
import { type RemediationTable, readRemediation, writeRemediation } from './remediation-table.ts'

/** The Redis that remediations are kept in, and the prefix of its keys. */
export interface RedisRemediationOptions {
  /** Connected by the caller, who closes it. */
  readonly redis: RedisConnection
  /** Prefix of every key and channel. Default: `postern`. */
  readonly prefix?: string
  readonly clock?: Clock
}

const BATCH = 500

/**
 * Remediations in Redis or Valkey: one key each, which Redis expires itself, and a sorted set
 * to list them by. Changes are published. All keys share one hash tag, so that a cluster keeps
 * them together and one MULTI covers them.
 */
export function redisRemediations(options: RedisRemediationOptions): RemediationTable {
  const { redis } = options
  const clock = options.clock ?? systemClock
  const tag = `{${options.prefix ?? 'postern'}:remediation}`
  const ends = `${tag}:ends`
  const channel = `${tag}:changes`
  /** A random text, set by the first reader and kept forever: when it has changed, our data was lost. */
  const marker = `${tag}:generation`
  let generation: string | undefined
  const keyOf = (id: string): string => `${tag}:${id}`
  let subscriber: RedisConnection | undefined

  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw redisError(error, redisName(redis))
    }
  }
  /** A MULTI that fails rejects, or says so per command. */
  const checked = async (
    replies: Promise<[error: Error | null, result: unknown][] | null>,
  ): Promise<void> => {
    const list = await replies
    if (list === null) throw new Error('the transaction was discarded')
    const failure = list.find(([error]) => error !== null)?.[0]
    if (failure) throw failure
  }

  const readAll = async (ids: readonly string[]): Promise<Remediation[]> => {
    const found: Remediation[] = []
    for (let i = 0; i < ids.length; i += BATCH) {
      const texts = await redis.mget(ids.slice(i, i + BATCH).map(keyOf))
      for (const text of texts) {
        const remediation = text === null ? undefined : parse(text)
        if (remediation !== undefined) found.push(remediation)
      }
    }
    return found
  }

  return {
    name: 'redis',
    load: (now, limit) =>
      translated(async () => {
        await redisReady(redis)
        await redis.set(marker, randomUUID(), 'NX')
        const before = generation
        generation = (await redis.get(marker)) ?? undefined
        if (before !== undefined && generation !== before) return 'lost'
        const ids = await redis.zrange(ends, '+inf', `(${now}`, 'BYSCORE', 'REV', 'LIMIT', 0, limit)
        return await readAll(ids)
      }),
    put: remediation =>
      translated(async () => {
        const text = JSON.stringify(writeRemediation(remediation))
        const now = clock.now()
        const left = Math.max(1, Math.ceil(remediation.expiresAt - now))
        await checked(
          redis
            .multi()
            .zremrangebyscore(ends, '-inf', now)
            .set(keyOf(remediation.id), text, 'PX', left)
            .zadd(ends, remediation.expiresAt, remediation.id)
            .publish(channel, `+${text}`)
            .exec(),
        )
      }),
    remove: id =>
      translated(async () => {
        await checked(redis.multi().del(keyOf(id)).zrem(ends, id).publish(channel, `-${id}`).exec())
      }),
    watch: async changed => {
      const connection: RedisConnection =
        'nodes' in redis
          ? redis.duplicate([], { enableOfflineQueue: true })
          : redis.duplicate({ enableOfflineQueue: true })
      subscriber = connection
      connection.on('error', () => {
        // ioredis reconnects and subscribes again by itself; the health of the main
        // connection reports the failure.
      })
      connection.on('message', (_channel: string, message: string) => {
        if (message.startsWith('-')) changed({ kind: 'removed', id: message.slice(1) })
        else {
          const remediation = parse(message.slice(1))
          changed(remediation === undefined ? { kind: 'stale' } : { kind: 'put', remediation })
        }
      })
      try {
        await connection.subscribe(channel)
      } catch (error) {
        connection.disconnect()
        throw redisError(error, redisName(redis))
      }
      // From the second time on: messages were missed while the connection was away.
      connection.on('ready', () => changed({ kind: 'stale' }))
    },
    close: async () => subscriber?.disconnect(),
  }
}

function parse(text: string): Remediation | undefined {
  try {
    return readRemediation(JSON.parse(text))
  } catch {
    return undefined
  }
}
