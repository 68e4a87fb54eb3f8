import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { migrate, openSqlite } from '@postern/store'
import { LocalKeys } from '../src/local/local-keys.ts'
import type { RewriteKind } from '../src/migrate/rewrite-rows.ts'
import { rewriteTable } from '../src/migrate/rewrite-table.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { JOB_MIGRATIONS, SQLITE_DIALECT } from '../src/sql/table.sql.ts'
import { VaultSql } from '../src/sql/vault-sql.ts'
import type { ColumnState, TableSchemas } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'
import { testHolders } from './support/holders.ts'

const local = LocalKeys.generate()
const tables = (mode: 'local' | 'split', state: ColumnState): TableSchemas => ({
  customers: {
    key: ['id'],
    columns: {
      email: {
        mode,
        state,
        storage: 'text',
        search: { equals: { column: 'email_term' } },
      },
    },
  },
})
const searchKey = new Uint8Array(32).fill(3)

/** A table with rows that were sealed in one mode, and vaults that have it in either mode. */
async function scene(before: 'local' | 'split') {
  const { keys: split } = testHolders()
  const sqlite = openSqlite({ path: ':memory:' })
  migrate(sqlite, 'vault', JOB_MIGRATIONS)
  const client = sqliteClient(sqlite)
  await client.query('CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT, email_term BLOB)')
  const vault = (mode: 'local' | 'split', state: ColumnState) =>
    new Vault({ tables: tables(mode, state), local, split, searchKey })
  const rows = ['anne', 'bob', 'carol'].map((name, id) => ({ id, email: `${name}@example.com` }))
  await new VaultSql(client, vault(before, 'strict')).insert('customers', rows)
  const after = before === 'local' ? 'split' : 'local'
  const read = async (state: ColumnState): Promise<unknown[]> => {
    const sql = new VaultSql(client, vault(after, state))
    return (await sql.query('customers', 'SELECT id, email FROM customers ORDER BY id')).map(row => ({
      ...row,
    }))
  }
  const job = (kind: RewriteKind, state: ColumnState = 'dual') =>
    rewriteTable({ kind, table: 'customers', vault: vault(after, state), client, dialect: SQLITE_DIALECT })
  return { client, vault, rows, after, read, job } as const
}

for (const before of ['local', 'split'] as const)
  describe(`a column that was in mode ${before} and is now in the other`, () => {
    it('is read in state dual, and says what to do in state strict', async () => {
      const { read, rows } = await scene(before)
      assert.deepEqual(await read('dual'), rows)
      await assert.rejects(read('strict'), {
        code: 'POSTERN_INTEGRITY',
        message: /state "dual".*postern vault rewrap customers/s,
      })
    })

    for (const kind of ['seal', 'rewrap'] as const)
      it(`is moved by ${kind === 'seal' ? 'a migration' : 'a rewrap'}, and no value is sealed twice`, async () => {
        const { read, rows, job, client, vault, after } = await scene(before)
        assert.equal((await job(kind)).rewritten, rows.length)
        assert.deepEqual(await read('strict'), rows)
        const sql = new VaultSql(client, vault(after, 'strict'))
        assert.deepEqual(
          (await sql.findBy('customers', 'email', 'bob@example.com')).map(({ id }) => id),
          [1],
        )
        assert.equal((await job(kind)).rewritten, 0)
      })

    it('goes back to plain values', async () => {
      const { rows, job, client } = await scene(before)
      await job('open', 'plaintext')
      const stored = await client.query<Readonly<Record<string, unknown>>>(
        'SELECT id, email FROM customers ORDER BY id',
      )
      assert.deepEqual(
        stored.rows.map(row => ({ ...row })),
        rows,
      )
    })
  })

describe('a migration to mode split', () => {
  it('seals as text what only looks like a record of the key file', async () => {
    const { client, read, job } = await scene('local')
    const [{ email } = { email: '' }] = (
      await client.query<{ readonly email: string }>('SELECT email FROM customers WHERE id = 0')
    ).rows
    // The record of another row, and one of an epoch that the key file does not have.
    const pasted = email
    const bytes = Buffer.from(email.slice(4), 'base64url')
    bytes[3] = 9
    const forged = `pv1.${bytes.toString('base64url')}`
    await client.query('UPDATE customers SET email = $1 WHERE id = 1', [pasted])
    await client.query('UPDATE customers SET email = $1 WHERE id = 2', [forged])
    await job('seal')
    assert.deepEqual(await read('strict'), [
      { id: 0, email: 'anne@example.com' },
      { id: 1, email: pasted },
      { id: 2, email: forged },
    ])
  })

  it('takes no record of the key file in state strict, so that a stolen key file writes nothing', async () => {
    const { client, vault, rows, job, read } = await scene('local')
    await job('rewrap')
    const [forged] = await vault('local', 'strict').sealRows('customers', [
      { id: 1, email: 'thief@example.com' },
    ])
    await client.query('UPDATE customers SET email = $1 WHERE id = 1', [forged?.['email']])
    await assert.rejects(read('strict'), { code: 'POSTERN_INTEGRITY' })
    assert.equal(rows.length, 3)
  })
})
