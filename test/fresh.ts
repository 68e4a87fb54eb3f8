import { randomBytes } from 'node:crypto'
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
  await administer(postgres, `CREATE DATABASE ${name}`)
  scope.after(() => administer(postgres, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
  const url = new URL(postgres)
  url.pathname = `/${name}`
  return url.href
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
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
