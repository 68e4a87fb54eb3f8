import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { migrate, openSqlite } from '@postern/store'
import { rewriteTable } from '../src/migrate/rewrite-table.ts'
import { encodeContext } from '../src/record/record-context.ts'
import { PARTS_OF } from '../src/split/part.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { JOB_MIGRATIONS, SQLITE_DIALECT } from '../src/sql/table.sql.ts'
import { VaultSql } from '../src/sql/vault-sql.ts'
import { Vault } from '../src/table/vault.ts'
import { dealt, testHolders } from './support/holders.ts'
import { place } from './support/split-records.ts'

/** Three rows, the second of them a canary, and holders that have begun the next epoch. */
async function scene() {
  const holders = testHolders()
  const sqlite = openSqlite({ path: ':memory:' })
  migrate(sqlite, 'vault', JOB_MIGRATIONS)
  const client = sqliteClient(sqlite)
  await client.query('CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT)')
  const tables = {
    customers: { key: ['id'], columns: { email: { mode: 'split', storage: 'text' } } },
  } as const
  await new VaultSql(client, new Vault({ tables, split: holders.keys })).insert(
    'customers',
    [1, 2, 3].map(id => ({ id, email: `customer${id}@example.com` })),
  )
  for (const core of holders.cores) core.addCanary(encodeContext(place(2)))
  const secrets = dealt(1)
  for (const { keys } of holders.options)
    for (const part of PARTS_OF[keys.id]) keys.add(1, part, secrets[part])
  // Another process, which learns of the epoch as it starts.
  const split = holders.client('app').keys
  await split.prepare()
  const vault = new Vault({ tables, split })
  const sql = new VaultSql(client, vault)
  const rewrap = (except: readonly (readonly string[])[]) =>
    rewriteTable({ kind: 'rewrap', table: 'customers', vault, client, dialect: SQLITE_DIALECT, except })
  const epochs = async () =>
    (await client.query<{ readonly email: string }>('SELECT email FROM customers ORDER BY id')).rows.map(
      ({ email }) => Buffer.from(email.slice(4), 'base64url')[3],
    )
  return { sql, rewrap, epochs, holders }
}

describe('a rewrap of a table with a canary', () => {
  it('is frozen by it, as whoever else opens every row', async () => {
    const { rewrap } = await scene()
    await assert.rejects(rewrap([]), { code: 'POSTERN_CREDENTIAL' })
    await assert.rejects(rewrap([['2']]), { code: 'POSTERN_CREDENTIAL' })
  })

  it('leaves out the rows of `except`, and freezes nobody', async () => {
    const { rewrap, epochs, sql } = await scene()
    assert.equal((await rewrap([['2']])).rewritten, 2)
    assert.deepEqual(await epochs(), [1, 0, 1])
    const rows = await sql.query('customers', 'SELECT * FROM customers WHERE id <> 2')
    assert.equal(rows.length, 2)
  })

  it('moves the canary by writing it again, which opens nothing', async () => {
    const { rewrap, epochs, sql } = await scene()
    await rewrap([['2']])
    await sql.update('customers', { id: 2, email: 'customer2@example.com' })
    assert.deepEqual(await epochs(), [1, 1, 1])
    assert.equal((await sql.query('customers', 'SELECT * FROM customers WHERE id = 1')).length, 1)
  })

  it('refuses a key that has not as many values as the table has', async () => {
    const { rewrap } = await scene()
    await assert.rejects(rewrap([['eu', '2']]), { code: 'POSTERN_CONFIG', message: /by 2 values/ })
  })
})
