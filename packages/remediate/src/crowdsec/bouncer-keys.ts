import { createHash } from 'node:crypto'
import { type Clock, ConfigError, type RandomSource, systemClock, systemRandom } from '@postern/core'
import { migrate, type PostgresDatabase, SqliteDatabase, type SqlResult } from '@postern/store'
import { DETECT_MIGRATIONS } from '../remediation-migrations.sql.ts'

/** The key of one bouncer, without its secret. */
export interface BouncerKey {
  readonly name: string
  /** Epoch milliseconds. */
  readonly createdAt: number
}

/** The keys by which bouncers may read our decisions. Only their hashes are kept. */
export interface BouncerKeys {
  /**
   * Creates a key. Its text is returned only here and cannot be read again.
   * @throws ConfigError when the name is taken or invalid; StoreError
   */
  create(name: string): Promise<string>
  /** @returns whether there was one */
  revoke(name: string): Promise<boolean>
  list(): Promise<readonly BouncerKey[]>
  /** The name of the bouncer whose key this is, or undefined. */
  verify(key: string): Promise<string | undefined>
}

export interface BouncerKeysOptions {
  readonly clock?: Clock
  readonly random?: RandomSource
}

type Query = (
  text: string,
  values: readonly (string | number)[],
) => Promise<readonly Readonly<Record<string, unknown>>[]>

/**
 * Keys in the same database as the remediations; the table is created when it is missing.
 * @throws StoreError when the database cannot be migrated
 */
export async function bouncerKeys(
  database: SqliteDatabase | PostgresDatabase,
  options: BouncerKeysOptions = {},
): Promise<BouncerKeys> {
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  if (database instanceof SqliteDatabase) migrate(database, 'detect', DETECT_MIGRATIONS)
  else await migrate(database, 'detect', DETECT_MIGRATIONS)
  const query = database instanceof SqliteDatabase ? sqliteQuery(database) : postgresQuery(database)

  return {
    async create(name) {
      if (!/^[\w.-]{1,64}$/.test(name))
        throw new ConfigError({
          place: 'name',
          problem: 'is not a valid bouncer name',
          hint: 'letters, digits, ".", "_" and "-"',
        })
      const key = Buffer.from(random.bytes(32)).toString('base64url')
      const added = await query(
        'INSERT INTO bouncer_key (name, hash, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING name',
        [name, hashOf(key), clock.now()],
      )
      if (added.length === 0)
        throw new ConfigError({
          place: 'name',
          problem: `"${name}" already has a key`,
          hint: `remove it first (postern bouncers remove ${name}), or choose another name`,
        })
      return key
    },
    async revoke(name) {
      return (await query('DELETE FROM bouncer_key WHERE name = $1 RETURNING name', [name])).length > 0
    },
    async list() {
      const rows = await query('SELECT name, created_at FROM bouncer_key ORDER BY name LIMIT 1000', [])
      return rows.map(row => ({ name: String(row['name']), createdAt: Number(row['created_at']) }))
    },
    async verify(key) {
      if (key.length < 20 || key.length > 128) return undefined
      // Looked up by hash: how long the comparison takes tells nothing about the key.
      const [row] = await query('SELECT name FROM bouncer_key WHERE hash = $1', [hashOf(key)])
      return row === undefined ? undefined : String(row['name'])
    },
  }
}

/** Plain SHA-256: the keys are 256 random bits, so there is nothing to stretch. */
function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}

function sqliteQuery(database: SqliteDatabase): Query {
  return async (text, values) => {
    const ask = () => database.db.prepare(text.replace(/\$\d/g, '?')).all(...values)
    // Whoever guesses a key would otherwise take the one lock for writing with each guess.
    return text.startsWith('SELECT') ? database.read(ask) : database.transaction(ask)
  }
}

function postgresQuery(database: PostgresDatabase): Query {
  return async (text, values) => {
    const { rows }: SqlResult<Readonly<Record<string, unknown>>> = await database.query(text, values)
    return rows
  }
}
