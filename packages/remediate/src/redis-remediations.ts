import { randomUUID } from 'node:crypto'
import { type Clock, type Remediation, systemClock } from '@postern/core'
import { type RedisConnection, redisError, redisReady, redisSubscriber, redisTime } from '@postern/store'
import { type RemediationTable, readRemediation, shifted, writeRemediation } from './remediation-table.ts'

/** The Redis that remediations are kept in, and the prefix of its keys. */
export interface RedisRemediationOptions {
  /** Connected by the caller, who closes it. */
  readonly redis: RedisConnection
  /** Prefix of every key and channel. Default: `postern`. */
  readonly prefix?: string
  readonly clock?: Clock
}

const BATCH = 500
/** How long the count of a process's changes is kept, milliseconds, and how long it is relied on. */
const COUNT_KEPT = 7 * 86_400_000
const COUNT_HELD = COUNT_KEPT - 86_400_000
/** Removals that are made again when Redis has lost them. */
const MAX_REMOVED = 1_000

/**
 * Remediations in Redis or Valkey: one key each, which Redis expires itself, and a sorted set
 * to list them by. Changes are published. All keys share one hash tag, so that a cluster keeps
 * them together and one MULTI covers them. Times are kept in the server's, whatever the clocks of
 * the instances say. A process counts its changes in Redis: when that count is behind, an older
 * state was restored (a snapshot after a crash, a replica that became the primary).
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
  const count = `${tag}:writer:${randomUUID()}`
  let written = 0
  let writtenAt = 0
  const removed = new Set<string>()
  const time = redisTime(redis, clock)
  const keyOf = (id: string): string => `${tag}:${id}`
  let subscriber: RedisConnection | undefined

  const translated = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw redisError(error, redis)
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
    written = Math.max(written, Number(list[0]?.[1]))
    writtenAt = clock.monotonic()
  }
  /** A change, with its count first. */
  const change = (): ReturnType<RedisConnection['multi']> =>
    redis.multi().incr(count).pexpire(count, COUNT_KEPT)
  const isRestored = async (): Promise<boolean> => {
    if (written === 0 || clock.monotonic() - writtenAt > COUNT_HELD) return false
    const kept = Number((await redis.get(count)) ?? 0)
    if (kept >= written) return false
    written = kept
    if (removed.size > 0) {
      const ids = [...removed]
      await checked(
        change()
          .del(...ids.map(keyOf))
          .zrem(ends, ...ids)
          .exec(),
      )
    }
    return true
  }

  /** @param ahead how far the clock of Redis is ahead of this process */
  const readAll = async (ids: readonly string[], ahead: number): Promise<Remediation[]> => {
    const found: Remediation[] = []
    for (let i = 0; i < ids.length; i += BATCH) {
      const texts = await redis.mget(ids.slice(i, i + BATCH).map(keyOf))
      for (const text of texts) {
        const remediation = text === null ? undefined : parse(text)
        if (remediation !== undefined) found.push(shifted(remediation, -ahead))
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
        const restored = await isRestored()
        if (restored || (before !== undefined && generation !== before)) return 'lost'
        const ahead = await time.measure()
        const ids = await redis.zrange(ends, '+inf', `(${now + ahead}`, 'BYSCORE', 'REV', 'LIMIT', 0, limit)
        return await readAll(ids, ahead)
      }),
    put: remediation =>
      translated(async () => {
        const ahead = await time.ahead()
        const kept = shifted(remediation, ahead)
        const text = JSON.stringify(writeRemediation(kept))
        const now = clock.now() + ahead
        const left = Math.max(1, Math.ceil(kept.expiresAt - now))
        removed.delete(kept.id)
        await checked(
          change()
            .zremrangebyscore(ends, '-inf', now)
            .set(keyOf(kept.id), text, 'PX', left)
            .zadd(ends, kept.expiresAt, kept.id)
            .publish(channel, `+${text}`)
            .exec(),
        )
      }),
    remove: id =>
      translated(async () => {
        await checked(change().del(keyOf(id)).zrem(ends, id).publish(channel, `-${id}`).exec())
        if (removed.size >= MAX_REMOVED) removed.clear()
        removed.add(id)
      }),
    watch: async changed => {
      const connection = redisSubscriber(redis)
      subscriber = connection
      connection.on('message', (_channel: string, message: string) => {
        if (message.startsWith('-')) changed({ kind: 'removed', id: message.slice(1) })
        else {
          const remediation = parse(message.slice(1))
          const ahead = time.known
          if (remediation === undefined || ahead === undefined) changed({ kind: 'stale' })
          else changed({ kind: 'put', remediation: shifted(remediation, -ahead) })
        }
      })
      try {
        await connection.subscribe(channel)
      } catch (error) {
        connection.disconnect()
        throw redisError(error, redis)
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
