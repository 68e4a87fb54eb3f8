import type { CompiledConfig } from '@postern/config'
import { type Clock, formatDuration } from '@postern/core'
import { connectPostgres, connectRedis, postgresTime, redisTime } from '@postern/store'
import { bad, type DoctorFinding, ok, warn } from './finding.ts'

/** Milliseconds; the clocks of machines that run NTP differ by much less. */
const CLOCK_TOLERANCE = 2_000

/**
 * Whether the configured servers answer, each within a few seconds. Addresses are shown without credentials.
 */
export async function checkStores(config: CompiledConfig, clock?: Clock): Promise<readonly DoctorFinding[]> {
  const { postgres, redis } = config.stores
  const findings: Promise<DoctorFinding>[] = []
  if (postgres !== undefined) findings.push(checkPostgres(postgres, clock))
  if (redis !== undefined) findings.push(checkRedis(redis, clock))
  return Promise.all(findings)
}

async function checkPostgres(url: string, clock?: Clock): Promise<DoctorFinding> {
  try {
    const database = connectPostgres({ url, max: 1 })
    try {
      return answers('postgres', await postgresTime(database, clock).measure())
    } finally {
      await database.close()
    }
  } catch (error) {
    return bad('postgres', message(error), 'check that it runs, and the address in stores.postgres')
  }
}

async function checkRedis(url: string | readonly string[], clock?: Clock): Promise<DoctorFinding> {
  try {
    const redis = connectRedis({ url })
    try {
      return answers('redis', await redisTime(redis, clock).measure())
    } finally {
      redis.disconnect()
    }
  } catch (error) {
    return bad('redis', message(error), 'check that it runs, and the address in stores.redis')
  }
}

/** @param ahead how far its clock is ahead of this machine's, milliseconds */
function answers(name: string, ahead: number): DoctorFinding {
  if (Math.abs(ahead) <= CLOCK_TOLERANCE) return ok(name, 'answers')
  const difference = formatDuration(Math.round(Math.abs(ahead) / 1_000) * 1_000)
  const problem = `answers, and its clock is ${difference} ${ahead > 0 ? 'ahead of' : 'behind'} this machine's`
  return warn(name, problem, 'run NTP on both: sessions, one-time links and tokens go by the clock of each')
}

/** Messages of StoreError name a store without its credentials. */
function message(error: unknown): string {
  return error instanceof Error ? error.message : 'does not answer'
}
