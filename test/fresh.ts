import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { Redis } from 'ioredis'
import pg from 'pg'
import { services } from './services.ts'

/**
 * Anything that runs work when a test is over: a test's context, or `{ after }` of
 * `node:test` for a whole file.
 */
export interface Scope {
  after(work: () => Promise<void>): void
}

const freshName = (): string => `postern_test_${randomBytes(8).toString('hex')}`

/**
 * URL of a new, empty PostgreSQL database, dropped when the scope ends.
 * @example
 * const url = await freshDatabase(t)          // for one test
 * const url = await freshDatabase({ after })  // for a file, with `after` of node:test
 */
export async function freshDatabase(scope: Scope): Promise<string> {
  const { postgres } = await services()
  const name = freshName()
  await administer(postgres, options => `CREATE DATABASE ${name} ${options}`)
  scope.after(async () => {
    // A client that was ended is not gone yet, and fails its test when the server ends it first.
    for (let tries = 0; tries < 10 && (await hasClients(postgres, name)); tries++) await setTimeout(30)
    await administer(postgres, () => `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  })
  const url = new URL(postgres)
  url.pathname = `/${name}`
  return url.href
}

/** How this process makes and drops databases. */
interface Administrator {
  /** Two of its methods are missing in its types. */
  readonly client: pg.Client & { ref(): void; unref(): void }
  /** Behind `CREATE DATABASE NAME`. */
  readonly options: string
}

/** One connection for all databases of this process: to open one costs as much as a database. */
let administrator: Promise<Administrator> | undefined
/** Statements under way. */
let waiting = 0

async function hasClients(url: string, database: string): Promise<boolean> {
  const { rowCount } = await administer(
    url,
    () => `SELECT FROM pg_stat_activity WHERE datname = '${database}' LIMIT 1`,
  )
  return rowCount !== 0
}

async function administer(url: string, statement: (options: string) => string): Promise<pg.QueryResult> {
  administrator ??= connect(url)
  const { client, options } = await administrator
  waiting++
  client.ref()
  try {
    return await client.query(statement(options))
  } finally {
    // While it is idle it keeps no process alive.
    if (--waiting === 0) client.unref()
  }
}

async function connect(url: string): Promise<Administrator> {
  const forget = (): void => {
    administrator = undefined
  }
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
  }) as Administrator['client']
  client.on('error', forget)
  try {
    await client.connect()
    // Since version 15 files are copied only when that is asked for, which takes half the time of a copy by
    // way of the log, unless the server has its disk write each of them.
    const { rows } = await client.query<{ readonly copies: boolean }>(
      `SELECT current_setting('server_version_num')::int >= 150000 AND current_setting('fsync') = 'off' AS copies`,
    )
    return { client, options: rows[0]?.copies === true ? 'STRATEGY file_copy' : '' }
  } catch (cause) {
    forget()
    throw cause
  }
}

/** A key prefix nobody else uses; keys under it are deleted from the shared Redis when the scope ends. */
export function freshPrefix(scope: Scope): string {
  const prefix = `${freshName()}:`
  scope.after(async () => {
    const { redis } = await services()
    const client = new Redis(redis)
    try {
      for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1_000 })) {
        if (Array.isArray(keys) && keys.length > 0) await client.unlink(keys)
      }
    } finally {
      client.disconnect()
    }
  })
  return prefix
}
