import type { CompiledConfig } from '@postern/config'
import { connectPostgres, connectRedis } from '@postern/store'
import { bad, type DoctorFinding, ok } from './finding.ts'

/**
 * Whether the configured servers answer, each within a few seconds. Addresses are shown without credentials.
 */
export async function checkStores(config: CompiledConfig): Promise<readonly DoctorFinding[]> {
  const { postgres, redis } = config.stores
  const findings: Promise<DoctorFinding>[] = []
  if (postgres !== undefined) findings.push(checkPostgres(postgres))
  if (redis !== undefined) findings.push(checkRedis(redis))
  return Promise.all(findings)
}

async function checkPostgres(url: string): Promise<DoctorFinding> {
  try {
    const database = connectPostgres({ url, max: 1 })
    try {
      await database.query('SELECT 1')
      return ok('postgres', 'answers')
    } finally {
      await database.close()
    }
  } catch (error) {
    return bad('postgres', message(error), 'check that it runs, and the address in stores.postgres')
  }
}

async function checkRedis(url: string | readonly string[]): Promise<DoctorFinding> {
  try {
    const redis = connectRedis({ url })
    try {
      await redis.ping()
      return ok('redis', 'answers')
    } finally {
      redis.disconnect()
    }
  } catch (error) {
    return bad('redis', message(error), 'check that it runs, and the address in stores.redis')
  }
}

/** Messages of StoreError name a store without its credentials. */
function message(error: unknown): string {
  return error instanceof Error ? error.message : 'does not answer'
}
