import { randomBytes } from 'node:crypto'
import {
  type Acting,
  type Budgets,
  claimSigner,
  type InstallOptions,
  installBudgets,
  type SigningKey,
} from '@postern/access'
import { connectPostgres, type PostgresDatabase } from '@postern/store'
import pg from 'pg'
import { freshDatabase, type Scope } from '../../../../test/fresh.ts'

/** The keys of the tests. */
export const CLAIM_KEY: SigningKey = { id: 1, secret: new Uint8Array(32).fill(1) }
export const GRANT_KEY: SigningKey = { id: 1, secret: new Uint8Array(32).fill(2) }

/** Of a statement that waits for a lock that nobody releases: it fails, and says what it was. */
const STATEMENT_LIMIT_MS = 60_000

/** A database of its own with budgets, its owner, and the application's own role, which owns nothing. */
export interface Guarded {
  /** As a superuser. */
  readonly owner: pg.Pool
  readonly database: PostgresDatabase
  /** The application's URL. */
  readonly url: string
  readonly role: string
  /** One bare connection of the application, without the wrapper. */
  connect(): Promise<pg.Client>
  /** Text of a fresh claim. */
  claim(acting?: Partial<Acting>): string
}

/** @param schema statements that make the tables; `APP` in it is the application's role */
export async function guarded(
  scope: Scope,
  schema: string,
  budgets: Budgets,
  options: Partial<InstallOptions> = {},
): Promise<Guarded> {
  const url = await freshDatabase(scope)
  const role = `app_${randomBytes(6).toString('hex')}`
  const owner = new pg.Pool({ connectionString: url, max: 4, statement_timeout: STATEMENT_LIMIT_MS })
  owner.on('error', () => {})
  const database = connectPostgres({ url, statementTimeout: '60s' })
  const clients: pg.Client[] = []
  scope.after(async () => {
    await Promise.all(clients.map(client => client.end().catch(() => {})))
    await owner.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`).catch(() => {})
    await database.close()
    await owner.end()
  })
  await owner.query(`CREATE ROLE ${role} LOGIN PASSWORD 'app'`)
  await owner.query(schema.replaceAll('APP', role))
  await installBudgets(database, { budgets, claimKeys: [CLAIM_KEY], grantKeys: [GRANT_KEY], ...options })
  const sign = claimSigner({ key: CLAIM_KEY })
  const own = new URL(url)
  own.username = role
  own.password = 'app'
  return {
    owner,
    database,
    url: own.href,
    role,
    claim: acting => sign({ actor: 'user:alice', ...acting }),
    connect: async () => {
      const client = new pg.Client({
        connectionString: own.href,
        statement_timeout: STATEMENT_LIMIT_MS,
      })
      client.on('error', () => {})
      await client.connect()
      clients.push(client)
      return client
    },
  }
}

/** One count, as a number. */
export async function count(on: pg.Pool | pg.Client, sql: string): Promise<number> {
  const { rows } = await on.query<{ n: string }>(`SELECT count(*) AS n FROM ${sql}`)
  return Number(rows[0]?.n)
}
