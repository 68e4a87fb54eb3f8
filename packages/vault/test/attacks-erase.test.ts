import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openSqlite } from '@postern/store'
import { LocalKeys } from '../src/local/local-keys.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { VaultSql } from '../src/sql/vault-sql.ts'
import { SqliteSubjectSalts } from '../src/table/subject-salts.ts'
import type { TableSchemas } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'
import { testHolders } from './support/holders.ts'

const folder = mkdtempSync(join(tmpdir(), 'vault-erase-'))
after(() => rmSync(folder, { recursive: true }))
const searchKey = new Uint8Array(32).fill(6)

const tables: TableSchemas = {
  orders: {
    key: ['id'],
    subject: 'customer',
    columns: {
      email: { mode: 'split', search: { equals: { column: 'email_term' }, prefixes: { 3: 'email_p3' } } },
      number: { mode: 'split', type: 'bigint', search: { equals: { column: 'number_term' } } },
    },
  },
}

function setting(name: string) {
  const path = join(folder, name)
  const subjects = new SqliteSubjectSalts(path)
  const database = openSqlite({ path: ':memory:' })
  database.db.exec(
    'CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, email BLOB, email_term BLOB, email_p3 BLOB, number BLOB, number_term BLOB)',
  )
  const holders = testHolders({
    services: {
      app: { seal: ['*'], open: ['*'], search: ['*'] },
      reader: { seal: [], open: ['*'], search: ['*'] },
    },
  })
  const sqlOf = (service: string) => {
    const vault = new Vault({
      tables,
      split: holders.client(service).keys,
      searchKey,
      subjects,
      local: LocalKeys.generate(),
    })
    return { vault, sql: new VaultSql(sqliteClient(database), vault) }
  }
  return { path, subjects, database, sqlOf }
}

describe('a person who was erased', () => {
  it('is not found by guessing: the terms beside his records are gone, and no one else’s', async () => {
    const { database, sqlOf } = setting('terms.db')
    const { sql, vault } = sqlOf('app')
    await sql.insert('orders', [
      { id: 1, customer: 'anne', email: 'anne@example.com', number: 1n },
      { id: 2, customer: 'bob', email: 'bob@example.com', number: 2n },
    ])
    const { term } = await vault.equals('orders', 'email', 'anne@example.com')
    const guessed = () => database.db.prepare('SELECT id FROM orders WHERE email_term = ?').all(term).length
    assert.equal(guessed(), 1)
    assert.equal(await sql.erase('anne'), true)
    assert.equal(guessed(), 0)
    const left = database.db.prepare('SELECT id, email_p3, number_term FROM orders ORDER BY id').all()
    assert.deepEqual(
      left.map(row => [row['id'], row['email_p3'] === null, row['number_term'] === null]),
      [
        [1, true, true],
        [2, false, false],
      ],
    )
    assert.equal((await sql.findBy('orders', 'email', 'bob@example.com')).length, 1)
    assert.equal(await sql.erase('anne'), false, 'nothing is left to erase')
  })

  it('was there: a name that was mistyped is not said to be erased, nor taken from whoever has it later', async () => {
    const { sqlOf, subjects } = setting('mistyped.db')
    const { sql, vault } = sqlOf('app')
    assert.equal(await vault.erase('ann'), false)
    await sql.insert('orders', [{ id: 1, customer: 'ann', email: 'ann@example.com', number: 1n }])
    assert.equal((await subjects.get(['ann'])).size, 1)
    assert.deepEqual([await vault.erase('ann'), await vault.erase('ann')], [true, false])
    await assert.rejects(sql.insert('orders', [{ id: 2, customer: 'ann', email: 'x', number: 1n }]), {
      code: 'POSTERN_CONFIG',
    })
  })

  it('leaves no salt in the file while another process reads it: the error says to erase again', async () => {
    const { path, subjects } = setting('busy.db')
    const salt = (await subjects.ensure(['anne'])).get('anne') as Uint8Array
    const holds = (): boolean =>
      [path, `${path}-wal`].some(file => existsSync(file) && readFileSync(file).includes(Buffer.from(salt)))
    assert.equal(holds(), true)
    const reader = openSqlite({ path })
    reader.db.exec('BEGIN')
    reader.db.prepare('SELECT count(*) FROM vault_subject').get()
    await assert.rejects(subjects.destroy('anne'), { code: 'POSTERN_STORE', retryable: true })
    reader.db.exec('COMMIT')
    reader.close()
    assert.equal(await subjects.destroy('anne'), false)
    assert.equal(holds(), false)
    subjects.close()
  })
})

describe('a service that may read and search, and not write', () => {
  it('searches, and finds whole numbers of any size', async () => {
    const { sqlOf } = setting('reader.db')
    await sqlOf('app').sql.insert('orders', [
      { id: 1, customer: 'anne', email: 'anne@example.com', number: 9007199254740993n },
    ])
    const { sql } = sqlOf('reader')
    assert.equal((await sql.findBy('orders', 'email', 'anne@example.com')).length, 1)
    assert.equal((await sql.findBy('orders', 'number', 9007199254740993n)).length, 1)
  })
})
