import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connectPostgres, migrate, openSqlite, type PostgresDatabase } from '@postern/store'
import { freshDatabase } from '../../../test/fresh.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import { rewriteTable } from '../src/migrate/rewrite-table.ts'
import type { RewriteClient } from '../src/migrate/write-rows.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { JOB_MIGRATIONS, POSTGRES_DIALECT, SQLITE_DIALECT } from '../src/sql/table.sql.ts'
import type { TableSchema } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'

const url = await freshDatabase({ after })
const postgres: PostgresDatabase = connectPostgres({ url })
const sqlite = openSqlite({ path: ':memory:' })
before(async () => {
  await migrate(postgres, 'vault', JOB_MIGRATIONS)
  migrate(sqlite, 'vault', JOB_MIGRATIONS)
})
after(async () => {
  await postgres.close()
  sqlite.close()
})

const columns: TableSchema['columns'] = { value: { mode: 'local', state: 'dual', storage: 'text' } }
const vault = (schema: Omit<TableSchema, 'columns'>) =>
  new Vault({ tables: { item: { ...schema, columns } }, local: LocalKeys.generate() })

async function table(client: RewriteClient, definition: string, rows: readonly string[]): Promise<void> {
  await client.query('DROP TABLE IF EXISTS item')
  await client.query(`CREATE TABLE item (${definition})`)
  for (const row of rows) await client.query(`INSERT INTO item VALUES (${row})`)
}

async function plainValues(client: RewriteClient): Promise<number> {
  const { rows } = await client.query<{ readonly value: string }>('SELECT value FROM item')
  return rows.filter(({ value }) => !value.startsWith('pv1.')).length
}

/** Keys of every kind of type, of which three rows each are migrated two at a time. */
const KEYS: readonly (readonly [type: string, ...keys: string[]])[] = [
  ['CHAR(8)', "'aa000001'", "'aa000002'", "'aa000003'"],
  ['CHAR(8)', "'a'", "'b'", "'c'"],
  ['VARCHAR(8)', "'aa000001'", "'aa000002'", "'aa000003'"],
  ['BIT(8)', "B'00000001'", "B'00000010'", "B'00000011'"],
  ['BIT VARYING(8)', "B'1'", "B'10'", "B'11'"],
  ['BIGINT', '9007199254740993', '9007199254740994', '9007199254740995'],
  ['NUMERIC(20, 0)', '1', '2', '3'],
  ['UUID', `'${'a'.repeat(32)}'`, `'${'b'.repeat(32)}'`, `'${'c'.repeat(32)}'`],
  ['INET', "'10.0.0.1'", "'10.0.0.2'", "'10.0.0.3'"],
  ['NAME', "'one'", "'two'", "'three'"],
  ['"char"', "'a'", "'b'", "'c'"],
]

describe('a migration in PostgreSQL', () => {
  for (const [type, ...keys] of KEYS)
    it(`finds the rows of a key of type ${type} like ${keys[0]}`, async () => {
      await table(
        postgres,
        `id ${type} PRIMARY KEY, value TEXT`,
        keys.map(key => `${key}, 'secret'`),
      )
      const { done, rewritten } = await rewriteTable({
        ...{ kind: 'seal', table: 'item', vault: vault({ key: ['id'] }), client: postgres },
        ...{ dialect: POSTGRES_DIALECT, batch: 2 },
      })
      assert.deepEqual(
        { done, rewritten, plain: await plainValues(postgres) },
        { done: true, rewritten: 3, plain: 0 },
      )
    })

  it('does not take a tenant of type CHAR for one that changes', async () => {
    await table(postgres, 'id INTEGER PRIMARY KEY, owner CHAR(3), value TEXT', ["1, 'abc', 'secret'"])
    const { rewritten } = await rewriteTable({
      ...{ kind: 'seal', table: 'item', vault: vault({ key: ['id'], tenant: 'owner' }), client: postgres },
      dialect: POSTGRES_DIALECT,
    })
    assert.equal(rewritten, 1)
  })

  it('does not end as done where row level security hides rows from it', async () => {
    await table(postgres, 'id INTEGER PRIMARY KEY, owner TEXT, value TEXT', ["1, 'a', 'x'", "2, 'b', 'y'"])
    await postgres.query('ALTER TABLE item ENABLE ROW LEVEL SECURITY')
    await postgres.query("CREATE POLICY own ON item USING (owner = 'a')")
    const role = `vault_job_${process.pid}`
    await postgres.query(`CREATE ROLE ${role} LOGIN PASSWORD 'job'`)
    await postgres.query(`GRANT SELECT, UPDATE ON item TO ${role}`)
    await postgres.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON vault_job TO ${role}`)
    const place = new URL(url)
    place.username = role
    place.password = 'job'
    const client = connectPostgres({ url: place.href })
    const job = () =>
      rewriteTable({
        ...{ kind: 'seal', table: 'item', vault: vault({ key: ['id'] }), client },
        dialect: POSTGRES_DIALECT,
      })
    try {
      await assert.rejects(job(), { code: 'POSTERN_CONFIG', message: /row level security/ })
      assert.equal(await plainValues(postgres), 2)
      await postgres.query(`ALTER ROLE ${role} BYPASSRLS`)
      assert.equal((await job()).rewritten, 2)
    } finally {
      await client.close()
      await postgres.query(`DROP OWNED BY ${role}`)
      await postgres.query(`DROP ROLE ${role}`)
    }
  })
})

for (const [name, client, dialect] of [
  ['PostgreSQL', postgres as RewriteClient, POSTGRES_DIALECT],
  ['SQLite', sqliteClient(sqlite) as RewriteClient, SQLITE_DIALECT],
] as const)
  describe(`a job in ${name}`, () => {
    const job = (except: readonly (readonly string[])[] = [], key: readonly string[] = ['id']) =>
      rewriteTable({
        ...{ kind: 'seal', table: 'item', vault: vault({ key }), client, dialect, batch: 2, except },
      })

    it('does not pass over the second of two rows with one key, where one batch ends and the next begins', async () => {
      await table(client, 'id INTEGER, tenant TEXT, value TEXT', [
        "1, 'a', 'x'",
        "2, 'a', 'x'",
        "2, 'b', 'y'",
        "3, 'a', 'z'",
      ])
      await assert.rejects(job(), { code: 'POSTERN_CONFIG', message: /id is not unique/ })
      assert.equal(await plainValues(client), 4)
      assert.equal((await job([], ['tenant', 'id'])).rewritten, 4)
    })

    it('does not pass over a row whose key is null', async () => {
      await table(client, 'id TEXT, value TEXT', ["'a', 'x'", "'b', 'x'", "'c', 'x'", "NULL, 'y'"])
      await assert.rejects(job(), { code: 'POSTERN_CONFIG', message: /null in some row/ })
    })

    it('recognises a row that it must leave out, however its key is written, and refuses one that is not there', async () => {
      await table(client, 'id INTEGER PRIMARY KEY, value TEXT', ["6, 'x'", "7, 'y'"])
      assert.equal((await job([['07']])).rewritten, 1)
      const { rows } = await client.query('SELECT value FROM item WHERE id = 7')
      assert.deepEqual(
        rows.map(row => ({ ...(row as object) })),
        [{ value: 'y' }],
      )
      await assert.rejects(job([['8']]), { code: 'POSTERN_CONFIG', message: /does not have: \["8"\]/ })
    })

    it('does not say that it is done while it finds rows that it cannot write', async () => {
      await table(client, 'id INTEGER PRIMARY KEY, value TEXT', ["1, 'x'"])
      const deaf: RewriteClient = {
        query: (text, values) => client.query(text, values),
        updateChecked: async () => [],
      }
      // Gone, says the database, when it is asked for the row by its key.
      const query: RewriteClient['query'] = async (text, values) =>
        / AS t, /.test(text) ? { rows: [], rowCount: 0 } : client.query(text, values)
      await assert.rejects(
        rewriteTable({
          ...{ kind: 'seal', table: 'item', vault: vault({ key: ['id'] }), dialect },
          client: { ...deaf, query },
        }),
        { code: 'POSTERN_INTEGRITY', message: /1 rows need to be rewritten and are not found/ },
      )
    })
  })
