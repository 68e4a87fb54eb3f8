import type { CompiledConfig } from '@postern/config'
import { type Clock, formatDuration, StoreError } from '@postern/core'
import {
  connectPostgres,
  connectRedis,
  postgresTime,
  type RedisConnection,
  redisError,
  redisReady,
  redisTime,
} from '@postern/store'
import { checkSchemas } from './check-schemas.ts'
import { bad, type DoctorFinding, ok, warn } from './finding.ts'

/** Milliseconds; the clocks of machines that run NTP differ by much less. */
const CLOCK_TOLERANCE = 2_000

/**
 * Whether the configured servers answer, each within a few seconds. Addresses are shown without credentials.
 */
export async function checkStores(config: CompiledConfig, clock?: Clock): Promise<readonly DoctorFinding[]> {
  const { postgres, redis } = config.stores
  const findings: Promise<readonly DoctorFinding[]>[] = []
  if (postgres !== undefined) findings.push(checkPostgres(postgres, clock))
  if (redis !== undefined) findings.push(checkRedis(redis, clock))
  return [...(await Promise.all(findings)).flat(), ...checkCounts(config)]
}

/** Who names PostgreSQL may expect that limits are counted there, as bans and the log are kept there. */
function checkCounts({ stores, limits }: CompiledConfig): readonly DoctorFinding[] {
  if (stores.postgres === undefined || stores.limits !== 'memory' || limits.length === 0) return []
  return [
    warn(
      'limits',
      'are counted by each instance for itself, although stores.postgres is shared',
      'fine with one instance; for several add stores.redis, or limits: postgres to stores',
    ),
  ]
}

async function checkPostgres(url: string, clock?: Clock): Promise<readonly DoctorFinding[]> {
  try {
    const database = connectPostgres({ url, max: 1 })
    try {
      const ahead = await postgresTime(database, clock).measure()
      return [answers('postgres', ahead), ...(await checkSchemas(database))]
    } finally {
      await database.close()
    }
  } catch (error) {
    return [bad('postgres', message(error), whatToCheck(error, 'stores.postgres'))]
  }
}

async function checkRedis(url: string | readonly string[], clock?: Clock): Promise<readonly DoctorFinding[]> {
  try {
    const redis = connectRedis({ url })
    try {
      await redisReady(redis, '3s')
      return [answers('redis', await redisTime(redis, clock).measure()), await checkEviction(redis)]
    } catch (error) {
      // Of a command that fails, the driver tells its own settings.
      throw redisError(error, redis)
    } finally {
      redis.disconnect()
    }
  } catch (error) {
    return [bad('redis', message(error), whatToCheck(error, 'stores.redis'))]
  }
}

/**
 * A Redis that evicts forgets what must not be forgotten: revocations, sessions that are to be ended, what
 * limits counted. What it does is in `INFO`, which the user of Postern may ask for.
 */
async function checkEviction(redis: RedisConnection): Promise<DoctorFinding> {
  const name = 'redis eviction'
  const nodes = 'nodes' in redis ? redis.nodes('master') : [redis]
  const asked = nodes.map(async node => /^maxmemory_policy:([\w-]+)/m.exec(await node.info('memory'))?.[1])
  const policies = await Promise.all(asked).catch(() => [undefined])
  if (policies.includes(undefined))
    return warn(name, 'is not known', 'allow INFO to the user in stores.redis; it must be noeviction')
  const evicts = policies.find(policy => policy !== 'noeviction')
  if (evicts === undefined) return ok(name, 'evicts nothing')
  return warn(
    name,
    `forgets what it has no room for (${evicts}): sessions, counts and revocations among it`,
    'set maxmemory-policy noeviction, or give Postern a Redis of its own',
  )
}

/** @param ahead how far its clock is ahead of this machine's, milliseconds */
function answers(name: string, ahead: number): DoctorFinding {
  if (Math.abs(ahead) <= CLOCK_TOLERANCE) return ok(name, 'answers')
  const difference = formatDuration(Math.round(Math.abs(ahead) / 1_000) * 1_000)
  const problem = `answers, and its clock is ${difference} ${ahead > 0 ? 'ahead of' : 'behind'} this machine's`
  return warn(name, problem, 'run NTP on both: sessions, one-time links and tokens go by the clock of each')
}

/** Of a server that answers, its message says what to change. */
function whatToCheck(error: unknown, key: string): string {
  return error instanceof StoreError && !error.retryable
    ? `correct ${key}, or what the server allows`
    : `check that it runs, and the address in ${key}`
}

/** Messages of StoreError name a store without its credentials. */
function message(error: unknown): string {
  return error instanceof Error ? error.message : 'does not answer'
}
