import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { connectPostgres, migrate, openSqlite, type PostgresDatabase, type SqlClient } from '@postern/store'
import { freshDatabase } from '../../../test/fresh.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import { rewriteTable } from '../src/migrate/rewrite-table.ts'
import type { RewriteClient } from '../src/migrate/write-rows.ts'
import type { CheckedUpdate } from '../src/sql/checking-client.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { JOB_MIGRATIONS, POSTGRES_DIALECT, SQLITE_DIALECT, type TableDialect } from '../src/sql/table.sql.ts'
import { VaultSql } from '../src/sql/vault-sql.ts'
import type { ColumnState, TableSchemas } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'
import { testHolders } from './support/holders.ts'

const SECRET = 'anne@example.com'
const searchKey = new Uint8Array(32).fill(4)

function tables(state: ColumnState): TableSchemas {
  return {
    customers: {
      key: ['shop', 'id'],
      columns: {
        email: {
          mode: 'split',
          state,
          storage: 'text',
          search: { equals: { column: 'email_term', bits: 128 }, normalise: 'caseless' },
        },
        note: { mode: 'local', state },
      },
    },
  }
}

const postgres: PostgresDatabase = connectPostgres({ url: await freshDatabase({ after }) })
const sqlite = openSqlite({ path: ':memory:' })
before(async () => {
  await migrate(postgres, 'vault', JOB_MIGRATIONS)
  migrate(sqlite, 'vault', JOB_MIGRATIONS)
})
after(async () => {
  await postgres.close()
  sqlite.close()
})

/** What went over the wire to a database. */
class Recorded implements SqlClient {
  readonly seen: string[] = []
  readonly transaction: RewriteClient['transaction']
  readonly updateChecked: RewriteClient['updateChecked']
  readonly #client: RewriteClient
  constructor(client: RewriteClient, seen: string[] = []) {
    this.seen = seen
    this.#client = client
    this.transaction = client.transaction && (work => this.#inside(work))
    this.updateChecked = client.updateChecked && (work => this.#checked(work))
  }
  query<Row>(text: string, values: readonly unknown[] = []) {
    this.#see(text, values)
    return this.#client.query<Row>(text, values)
  }
  #inside<T>(work: (client: Pick<SqlClient, 'query'>) => Promise<T>): Promise<T> {
    assert.ok(this.#client.transaction)
    return this.#client.transaction(client => work(new Recorded(client, this.seen)))
  }
  #checked(work: CheckedUpdate) {
    assert.ok(this.#client.updateChecked)
    this.#see(work.update.text, work.update.values)
    return this.#client.updateChecked(work)
  }
  #see(text: string, values: readonly unknown[]): void {
    this.seen.push(
      text,
      ...values
        .flat()
        .map(value => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value))),
    )
  }
}

for (const dialect of ['postgres', 'sqlite'] as const) {
  const setting = async (): Promise<{ readonly client: Recorded; readonly dialect: TableDialect }> => {
    const client = new Recorded(dialect === 'postgres' ? postgres : sqliteClient(sqlite))
    const [binary, integer] = dialect === 'postgres' ? ['BYTEA', 'BIGINT'] : ['BLOB', 'INTEGER']
    await client.query('DROP TABLE IF EXISTS customers')
    await client.query(
      `CREATE TABLE customers (shop TEXT, id ${integer}, email TEXT, email_term ${binary} UNIQUE, note ${binary}, city TEXT, PRIMARY KEY (shop, id))`,
    )
    client.seen.length = 0
    return { client, dialect: dialect === 'postgres' ? POSTGRES_DIALECT : SQLITE_DIALECT }
  }

  describe(`encrypted columns in ${dialect}`, () => {
    it('are written, read, changed and found, and no plain value is ever in SQL or its parameters', async () => {
      const { client } = await setting()
      const holders = testHolders()
      const vault = new Vault({
        tables: tables('strict'),
        local: LocalKeys.generate(),
        split: holders.keys,
        searchKey,
      })
      const sql = new VaultSql(client, vault)
      await sql.insert('customers', [
        { shop: 'n', id: 1, email: SECRET, note: 'likes oak', city: 'Cork' },
        { shop: 'n', id: 2, email: 'bob@example.com', note: null, city: 'Sligo' },
      ])
      const found = await sql.findBy<{ id: number; note: string; city: string }>(
        'customers',
        'email',
        'Anne@example.com',
      )
      assert.deepEqual(
        found.map(({ id, note, city }) => [Number(id), note, city]),
        [[1, 'likes oak', 'Cork']],
      )
      assert.equal(await sql.update('customers', { shop: 'n', id: 1, email: 'new@example.com' }), true)
      assert.deepEqual(await sql.findBy('customers', 'email', SECRET), [])
      assert.equal((await sql.findBy('customers', 'email', 'new@example.com')).length, 1)
      const page = await sql.query<{ email: string }>('customers', 'SELECT * FROM customers ORDER BY id')
      assert.deepEqual(
        page.map(({ email }) => email),
        ['new@example.com', 'bob@example.com'],
      )
      assert.equal(
        client.seen.some(text => /anne@|bob@|new@|likes oak/i.test(text)),
        false,
      )
    })

    it('can be unique, and the error says nothing of the value', async () => {
      const { client } = await setting()
      const vault = new Vault({
        tables: tables('strict'),
        local: LocalKeys.generate(),
        split: testHolders().keys,
        searchKey,
      })
      const sql = new VaultSql(client, vault)
      await sql.insert('customers', [{ shop: 'n', id: 1, email: SECRET }])
      await assert.rejects(
        sql.insert('customers', [{ shop: 'n', id: 2, email: SECRET.toUpperCase() }]),
        (error: Error) => !inspect(error, { depth: 9 }).toLowerCase().includes('anne'),
      )
    })

    it('searched with the wrong key are an error instead of nothing', async () => {
      const { client } = await setting()
      const split = testHolders().keys
      const local = LocalKeys.generate()
      const made = (key: Uint8Array) =>
        new VaultSql(client, new Vault({ tables: tables('strict'), local, split, searchKey: key }))
      await made(searchKey).insert('customers', [{ shop: 'n', id: 1, email: SECRET }])
      await assert.rejects(made(new Uint8Array(32)).findBy('customers', 'email', SECRET), {
        code: 'POSTERN_INTEGRITY',
      })
      assert.deepEqual(await made(searchKey).findBy('customers', 'email', 'x@example.com'), [])
    })

    it('are migrated, stopped and resumed, verified, and migrated back', async () => {
      const { client, dialect: own } = await setting()
      for (let id = 0; id < 25; id++)
        await client.query('INSERT INTO customers (shop, id, email, note) VALUES ($1, $2, $3, $4)', [
          'n',
          id,
          id % 5 === 0 ? null : `c${id}@example.com`,
          Buffer.from(`note ${id}`),
        ])
      const local = LocalKeys.generate()
      const split = testHolders({
        budgets: { person: 1e6, service: 1e6, served: 1e6, table: 1e6, all: 1e6 },
      }).keys
      const vault = (state: ColumnState) => new Vault({ tables: tables(state), local, split, searchKey })
      const job = (state: ColumnState, kind: 'seal' | 'open', more: object = {}) =>
        rewriteTable({
          kind,
          table: 'customers',
          vault: vault(state),
          client,
          dialect: own,
          batch: 4,
          ...more,
        })
      await assert.rejects(job('strict', 'seal'), { code: 'POSTERN_CONFIG' })
      for (const batch of [0, -1, 1.5, Number.NaN, 1e9])
        await assert.rejects(
          job('dual', 'seal', { batch }),
          /batch: .* is not a whole number from 1 to 10000/,
        )
      const stop = new AbortController()
      const part = await job('dual', 'seal', { signal: stop.signal, onProgress: () => stop.abort() })
      assert.deepEqual([part.rows, part.done], [4, false])
      const whole = await job('dual', 'seal')
      assert.deepEqual([whole.rows, whole.done, whole.rewritten], [25, true, 45 - 7])
      const rows = await new VaultSql(client, vault('strict')).query<{ email: string; note: string }>(
        'customers',
        'SELECT * FROM customers ORDER BY id',
      )
      assert.deepEqual(
        rows.map(({ email }) => email),
        Array.from({ length: 25 }, (_, id) => (id % 5 === 0 ? null : `c${id}@example.com`)),
      )
      assert.equal(
        (await new VaultSql(client, vault('strict')).findBy('customers', 'email', 'c7@example.com')).length,
        1,
      )
      assert.equal((await job('dual', 'seal')).rewritten, 0)
      assert.equal((await job('plaintext', 'open')).rewritten, 45)
      const plain = await client.query<{ email: string; note: Uint8Array }>(
        'SELECT email, note FROM customers WHERE id = 7',
      )
      assert.deepEqual(
        [plain.rows[0]?.email, Buffer.from(plain.rows[0]?.note ?? []).toString()],
        ['c7@example.com', 'note 7'],
      )
    })

    it('lose no write that happens during the migration', async () => {
      const { client, dialect: own } = await setting()
      await client.query('INSERT INTO customers (shop, id, email) VALUES ($1, $2, $3)', [
        'n',
        1,
        'old@example.com',
      ])
      const vault = new Vault({
        tables: tables('dual'),
        local: LocalKeys.generate(),
        split: testHolders().keys,
        searchKey,
      })
      let isFirst = true
      const racing: Pick<SqlClient, 'query'> = {
        async query<Row>(text: string, values: readonly unknown[] = []) {
          if (text.startsWith('UPDATE') && isFirst) {
            isFirst = false
            await new VaultSql(client, vault).update('customers', {
              shop: 'n',
              id: 1,
              email: 'new@example.com',
            })
          }
          return client.query<Row>(text, values)
        },
      }
      const result = await rewriteTable({
        kind: 'seal',
        table: 'customers',
        vault,
        client: racing,
        dialect: own,
      })
      assert.deepEqual([result.contended, result.rewritten], [1, 0])
      assert.equal(
        (await new VaultSql(client, vault).findBy('customers', 'email', 'new@example.com')).length,
        1,
      )
    })

    it('move to a new epoch in the background, waiting when a budget is used up', async () => {
      const { client, dialect: own } = await setting()
      const first = LocalKeys.generate()
      const holders = testHolders({ budgets: { person: 8, service: 8, served: 8, table: 8, all: 8 } })
      const made = (local: LocalKeys) =>
        new Vault({ tables: tables('strict'), local, split: holders.keys, searchKey })
      await new VaultSql(client, made(first)).insert(
        'customers',
        Array.from({ length: 5 }, (_, id) => ({ shop: 'n', id, note: `note ${id}` })),
      )
      const second = first.rotated()
      const result = await rewriteTable({
        kind: 'rewrap',
        table: 'customers',
        vault: made(second),
        client,
        dialect: own,
        batch: 2,
      })
      assert.equal(result.rewritten, 5)
      const rows = await new VaultSql(client, made(second.without(0))).query<{ note: string }>(
        'customers',
        'SELECT * FROM customers ORDER BY id',
      )
      assert.deepEqual(
        rows.map(({ note }) => note),
        [0, 1, 2, 3, 4].map(id => `note ${id}`),
      )
      await new VaultSql(client, made(second)).insert(
        'customers',
        Array.from({ length: 20 }, (_, id) => ({ shop: 's', id, email: `c${id}@example.com` })),
      )
      const waits: number[] = []
      const back = new Vault({ tables: tables('plaintext'), local: second, split: holders.keys, searchKey })
      const opened = await rewriteTable({
        kind: 'open',
        table: 'customers',
        vault: back,
        client,
        dialect: own,
        batch: 2,
        verify: 0,
        clock: holders.clock,
        wait: async milliseconds => {
          waits.push(milliseconds)
          holders.clock.advance(milliseconds)
        },
      })
      assert.equal(opened.rewritten, 25)
      assert.ok(waits.length > 0)
    })
  })
}

describe('names in SQL', () => {
  it('that are not plain are refused', async () => {
    const vault = new Vault({
      tables: { 'x"; DROP TABLE y; --': { key: ['id'], columns: { a: { mode: 'local' } } } },
      local: LocalKeys.generate(),
    })
    await assert.rejects(
      new VaultSql(sqliteClient(sqlite), vault).insert('x"; DROP TABLE y; --', [{ id: 1, a: 'x' }]),
      { code: 'POSTERN_CONFIG' },
    )
  })
})
