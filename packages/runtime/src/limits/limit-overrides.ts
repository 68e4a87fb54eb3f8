import { parseLimitRule } from '@postern/config'
import { type Migration, migrate, type PostgresDatabase, SqliteDatabase } from '@postern/store'
import type { Rule } from '@postern/throttle'
import type { Connections } from '../stores/connections.ts'

const TABLE = `CREATE TABLE limit_override (
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  rule TEXT NOT NULL,
  PRIMARY KEY (name, key)
)`

const MIGRATIONS: readonly Migration[] = [{ id: 1, name: 'limit overrides', sqlite: TABLE, postgres: TABLE }]

/** A rule that one key of a limit has for itself. */
export interface LimitOverride {
  readonly name: string
  readonly key: string
  /** As the configuration writes it: `1000/1m`. */
  readonly rule: string
}

type Row = Readonly<Record<string, unknown>>

/**
 * Rules of single keys, changed without a deploy: in PostgreSQL where there is one, else in the data
 * directory. Every process reads them again within seconds. All methods reject with StoreError when the store
 * does not answer.
 */
export class LimitOverrides {
  readonly #connections: Connections
  #database: Promise<SqliteDatabase | PostgresDatabase> | undefined

  /** Opens nothing before it is asked. */
  constructor(connections: Connections) {
    this.#connections = connections
  }

  /** The rule of a key, or undefined when it has none of its own. */
  async read(name: string, key: string): Promise<Rule | undefined> {
    const [row] = await this.#query('SELECT rule FROM limit_override WHERE name = $1 AND key = $2', [
      name,
      key,
    ])
    return row === undefined ? undefined : parseLimitRule(String(row['rule']))
  }

  /** @throws ConfigError when the rule is invalid */
  async set({ name, key, rule }: LimitOverride): Promise<void> {
    parseLimitRule(rule)
    await this.#query(
      'INSERT INTO limit_override (name, key, rule) VALUES ($1, $2, $3) ON CONFLICT (name, key) DO UPDATE SET rule = excluded.rule',
      [name, key, rule],
    )
  }

  /** @returns whether there was one */
  async remove(name: string, key: string): Promise<boolean> {
    const sql = 'DELETE FROM limit_override WHERE name = $1 AND key = $2 RETURNING name'
    return (await this.#query(sql, [name, key])).length > 0
  }

  /** The first 10,000, by name and key. */
  async list(): Promise<readonly LimitOverride[]> {
    const rows = await this.#query(
      'SELECT name, key, rule FROM limit_override ORDER BY name, key LIMIT 10000',
      [],
    )
    return rows.map(row => ({
      name: String(row['name']),
      key: String(row['key']),
      rule: String(row['rule']),
    }))
  }

  async #query(text: string, values: readonly string[]): Promise<readonly Row[]> {
    this.#database ??= this.#open().catch((error: unknown) => {
      this.#database = undefined
      throw error
    })
    const database = await this.#database
    if (database instanceof SqliteDatabase) {
      // Requests look rules up, so reading must not wait for whoever writes.
      const run = (): readonly Row[] => database.db.prepare(text.replaceAll(/\$\d/g, '?')).all(...values)
      return text.startsWith('SELECT') ? database.read(run) : database.transaction(run)
    }
    return (await database.query<Row>(text, values)).rows
  }

  async #open(): Promise<SqliteDatabase | PostgresDatabase> {
    const { postgres } = this.#connections
    if (postgres !== undefined) {
      await migrate(postgres, 'postern', MIGRATIONS)
      return postgres
    }
    const { sqlite } = this.#connections
    migrate(sqlite, 'postern', MIGRATIONS)
    return sqlite
  }
}
