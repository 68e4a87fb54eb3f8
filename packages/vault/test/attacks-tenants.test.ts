// What a tenant can do to another through an application that passes on what it is given.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { openSqlite } from '@postern/store'
import { LocalKeys } from '../src/local/local-keys.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { VaultSql } from '../src/sql/vault-sql.ts'
import { SqliteSubjectSalts } from '../src/table/subject-salts.ts'
import { Vault } from '../src/table/vault.ts'

const SECRET = 'anne@example.com'
const database = openSqlite({ path: ':memory:' })
const subjects = new SqliteSubjectSalts(':memory:')
after(() => {
  subjects.close()
  database.close()
})
database.db.exec(`
  CREATE TABLE customers (id INTEGER PRIMARY KEY, shop TEXT NOT NULL, email BLOB, phone BLOB);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, address BLOB, note BLOB)`)
const vault = new Vault({
  tables: {
    customers: {
      key: ['id'],
      tenant: 'shop',
      columns: { email: { mode: 'local' }, phone: { mode: 'local' } },
    },
    orders: {
      key: ['id'],
      subject: 'customer',
      columns: { address: { mode: 'local' }, note: { mode: 'local' } },
    },
  },
  local: LocalKeys.generate(),
  subjects,
})
const sql = new VaultSql(sqliteClient(database), vault)

describe('a tenant who names the row of another', () => {
  it('updates nothing: the row stays with its tenant, and opens', async () => {
    await sql.insert('customers', [{ id: 1, shop: 'north', email: SECRET, phone: '1' }])
    const mine = { id: 1, shop: 'south', email: 'mallory@example.com' }
    assert.equal(await sql.update('customers', mine), false)
    assert.equal(await sql.update('customers', { ...mine, phone: '2' }), false)
    assert.deepEqual(await sql.query('customers', 'SELECT * FROM customers'), [
      { id: 1, shop: 'north', email: SECRET, phone: '1' },
    ])
    assert.equal(await sql.update('customers', { id: 1, shop: 'south' }), false)
    assert.equal(await sql.update('customers', { id: 1, shop: 'north' }), true)
    assert.equal(await sql.update('customers', { id: 1, shop: 'north', email: 'new@example.com' }), true)
  })
})

describe('an update that gives a row to another subject', () => {
  it('brings every sealed value along, or changes nothing: the others would not open any more', async () => {
    await sql.insert('orders', [{ id: 1, customer: 'anne', address: 'Oak Road 1', note: 'ring twice' }])
    assert.equal(await sql.update('orders', { id: 1, customer: 'bob', address: 'Elm Road 2' }), false)
    const read = () => sql.query('orders', 'SELECT * FROM orders')
    assert.deepEqual(await read(), [{ id: 1, customer: 'anne', address: 'Oak Road 1', note: 'ring twice' }])
    const whole = { id: 1, customer: 'bob', address: 'Elm Road 2', note: 'at the back' }
    assert.equal(await sql.update('orders', whole), true)
    assert.deepEqual(await read(), [whole])
  })
})
