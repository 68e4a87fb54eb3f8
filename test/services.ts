import { installMissing, type Missing } from './install-services.ts'
import type { LocalServer } from './local-server.ts'
import { answersPostgres, hasPostgres, startPostgres } from './postgres-server.ts'
import { answersRedis, hasRedis, startRedis } from './redis-server.ts'

/** Where the servers of this test run are. */
export interface Services {
  readonly postgres: string
  readonly redis: string
}

/** The servers of a whole test run, and how to take them down. */
export interface StartedServices {
  /** What a test process needs in its environment to find them. */
  readonly env: Record<string, string>
  stop(): Promise<void>
}

interface Kind extends Missing {
  readonly start: () => Promise<LocalServer>
  readonly answers: (url: string) => Promise<void>
}

const POSTGRES: Kind = {
  name: 'PostgreSQL',
  variable: 'POSTERN_TEST_POSTGRES',
  packages: ['postgresql'],
  isInstalled: hasPostgres,
  start: startPostgres,
  answers: answersPostgres,
}

const REDIS: Kind = {
  name: 'Redis',
  variable: 'POSTERN_TEST_REDIS',
  packages: ['redis-server'],
  isInstalled: hasRedis,
  start: startRedis,
  answers: answersRedis,
}

/**
 * Brings up PostgreSQL and Redis for a test run: at the addresses of `POSTERN_TEST_POSTGRES`
 * and `POSTERN_TEST_REDIS` when set, else from local binaries on free loopback ports, else
 * installed first (as root on Debian). What is unavailable ends the process with one line that
 * says what to install; nothing is skipped silently.
 */
export async function startServices(): Promise<StartedServices> {
  const kinds = [POSTGRES, REDIS]
  installMissing(kinds.filter(kind => process.env[kind.variable] === undefined && !kind.isInstalled()))
  const started: LocalServer[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(started.map(server => server.stop()))
  }
  const up = await Promise.allSettled(
    kinds.map(async kind => {
      const given = process.env[kind.variable]
      if (given !== undefined) {
        await kind.answers(given).catch((cause: unknown) => {
          throw new Error(`the server named by ${kind.variable} does not answer: ${messageOf(cause)}`)
        })
        return [kind.variable, given] as const
      }
      const server = await kind.start()
      started.push(server)
      return [kind.variable, server.url] as const
    }),
  )
  const failures = up.filter(result => result.status === 'rejected')
  if (failures.length > 0) {
    await stop()
    for (const failure of failures) console.error(`tests: ${messageOf(failure.reason)}`)
    process.exit(1)
  }
  return {
    env: Object.fromEntries(up.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))),
    stop,
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

let shared: Promise<Services> | undefined

/**
 * The servers for a single test file: those of the test run, else its own, which end with this process. Give
 * each test its own database (`freshDatabase`) or key prefix (`freshPrefix`).
 */
export function services(): Promise<Services> {
  shared ??= startServices().then(({ env }) => ({
    postgres: env[POSTGRES.variable] ?? '',
    redis: env[REDIS.variable] ?? '',
  }))
  return shared
}

/** The driver itself, for tests that speak to nodes before they are a cluster. */
export { Redis as BareRedis } from 'ioredis'
export { freshDatabase, freshPrefix } from './fresh.ts'
export { startPostgres } from './postgres-server.ts'
export { type RedisCluster, startRedisCluster } from './redis-cluster.ts'
export { startRedis } from './redis-server.ts'
