import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { migrate, openSqlite } from '@postern/store'
import { LocalKeys } from '../src/local/local-keys.ts'
import { rewriteTable } from '../src/migrate/rewrite-table.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { JOB_MIGRATIONS, SQLITE_DIALECT } from '../src/sql/table.sql.ts'
import { VaultSql } from '../src/sql/vault-sql.ts'
import type { SearchSchema } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'
import { testHolders } from './support/holders.ts'

const EQUALS: SearchSchema = { equals: { column: 'email_term' }, normalise: 'caseless' }
const PREFIXES: SearchSchema = { ...EQUALS, prefixes: { '3': 'email_p3' } }

/** Rows that were sealed before anybody wanted to search them, one of them null. */
async function scene(mode: 'local' | 'split') {
  const sqlite = openSqlite({ path: ':memory:' })
  migrate(sqlite, 'vault', JOB_MIGRATIONS)
  const client = sqliteClient(sqlite)
  await client.query(
    'CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, email_term BLOB, email_p3 BLOB)',
  )
  const keys = { local: LocalKeys.generate(), split: testHolders().keys, searchKey: new Uint8Array(32) }
  const vault = (search: SearchSchema | undefined) =>
    new Vault({
      ...keys,
      tables: {
        customers: {
          key: ['id'],
          columns: { email: { mode, storage: 'text', ...(search && { search }) } },
        },
      },
    })
  await new VaultSql(client, vault(undefined)).insert('customers', [
    { id: 1, email: 'anne@example.com' },
    { id: 2, email: 'ab' },
    { id: 3, email: null },
  ])
  const find = async (search: SearchSchema, value: string): Promise<unknown[]> =>
    (await new VaultSql(client, vault(search)).findBy('customers', 'email', value)).map(({ id }) => id)
  const rewrap = async (search: SearchSchema): Promise<number> =>
    (
      await rewriteTable({
        kind: 'rewrap',
        table: 'customers',
        vault: vault(search),
        client,
        dialect: SQLITE_DIALECT,
      })
    ).rewritten
  const stored = async (): Promise<unknown> =>
    (await client.query('SELECT email, email_term, email_p3 FROM customers ORDER BY id')).rows
  return { client, vault, find, rewrap, stored }
}

for (const mode of ['local', 'split'] as const)
  describe(`a search that is declared once values of mode ${mode} are there`, () => {
    it('is an error while nothing has a term, not an empty result', async () => {
      const { find } = await scene(mode)
      await assert.rejects(find(EQUALS, 'anne@example.com'), {
        code: 'POSTERN_CONFIG',
        message: /postern vault rewrap customers/,
      })
    })

    it('finds them after a rewrap, which writes what has its terms no second time', async () => {
      const { find, rewrap, stored } = await scene(mode)
      assert.equal(await rewrap(EQUALS), 2)
      assert.deepEqual(await find(EQUALS, 'ANNE@example.com'), [1])
      assert.deepEqual(await find(EQUALS, 'ab'), [2])
      assert.deepEqual(await find(EQUALS, 'nobody'), [])
      const before = await stored()
      assert.equal(await rewrap(EQUALS), 0)
      assert.deepEqual(await stored(), before)
    })

    it('finds them by a prefix that is declared later still; a value too short for it keeps its record', async () => {
      const { client, vault, rewrap, stored } = await scene(mode)
      await rewrap(EQUALS)
      assert.equal(await rewrap(PREFIXES), 1)
      const { column, term } = await vault(PREFIXES).prefix('customers', 'email', 'ann')
      const { rows } = await client.query<{ id: number }>(`SELECT id FROM customers WHERE ${column} = $1`, [
        term,
      ])
      assert.deepEqual(
        rows.map(row => ({ ...row })),
        [{ id: 1 }],
      )
      const before = await stored()
      assert.equal(await rewrap(PREFIXES), 0)
      assert.deepEqual(await stored(), before)
    })

    it('finds nothing, and says nothing, in a table without values', async () => {
      const { client, find } = await scene(mode)
      await client.query('UPDATE customers SET email = NULL')
      assert.deepEqual(await find(EQUALS, 'anne@example.com'), [])
    })
  })
