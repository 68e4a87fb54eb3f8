import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { connectPostgres, openSqlite, type PostgresDatabase, type SqlClient } from '@postern/store'
import { freshDatabase } from '../../../test/fresh.ts'
import { LocalKeys } from '../src/local/local-keys.ts'
import { sqliteClient } from '../src/sql/sqlite-client.ts'
import { VaultSql } from '../src/sql/vault-sql.ts'
import { SqliteSubjectSalts } from '../src/table/subject-salts.ts'
import type { TableSchema } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'
import { testHolders } from './support/holders.ts'

const url = await freshDatabase({ after })
const postgres: PostgresDatabase = connectPostgres({ url })
const sqlite = openSqlite({ path: ':memory:' })
after(async () => {
  await postgres.close()
  sqlite.close()
})

const UUID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
const searchKey = new Uint8Array(32).fill(3)

function setting(client: SqlClient, schema: Partial<TableSchema> = {}) {
  const vault = new Vault({
    tables: {
      item: {
        key: ['id'],
        columns: {
          value: { mode: 'split', storage: 'text', search: { equals: { column: 'term' } } },
          note: { mode: 'local', storage: 'text' },
        },
        ...schema,
      },
    },
    local: LocalKeys.generate(),
    split: testHolders().keys,
    subjects: new SqliteSubjectSalts(':memory:'),
    searchKey,
  })
  return new VaultSql(client, vault)
}

async function table(client: SqlClient, definition: string): Promise<void> {
  await client.query('DROP TABLE IF EXISTS item')
  await client.query(`CREATE TABLE item (${definition})`)
}

const SPELLINGS: readonly (readonly [
  where: string,
  client: SqlClient,
  type: string,
  stored: string,
  given: string,
])[] = [
  ['PostgreSQL', postgres, 'UUID', UUID, UUID.toUpperCase()],
  ['PostgreSQL', postgres, 'UUID', UUID, `{${UUID.replaceAll('-', '')}}`],
  ['PostgreSQL', postgres, 'INTEGER', '7', '007'],
  ['PostgreSQL', postgres, 'BIGINT', '7', ' 7 '],
  ['PostgreSQL', postgres, 'NUMERIC(10, 2)', '7.00', '7'],
  ['PostgreSQL', postgres, 'CHAR(8)', 'abc     ', 'abc'],
  ['PostgreSQL', postgres, 'INET', '10.0.0.1', '10.0.0.1/32'],
  ['PostgreSQL', postgres, 'BYTEA', '\\x09ff', '\\x09FF'],
  ['SQLite', sqliteClient(sqlite), 'INTEGER', '7', '007'],
]

describe('who writes the key of a row in another way', () => {
  for (const [where, client, type, stored, given] of SPELLINGS)
    it(`${JSON.stringify(given)} in a column of type ${type} of ${where}: the row opens, whether it is changed or made`, async () => {
      const term = where === 'SQLite' ? 'BLOB' : 'BYTEA'
      await table(client, `id ${type} PRIMARY KEY, value TEXT, note TEXT, term ${term}`)
      const sql = setting(client)
      const read = async () =>
        (await sql.query('item', 'SELECT * FROM item')).map(({ value, note }) => ({ value, note }))
      await sql.insert('item', [{ id: stored, value: 'first', note: 'n' }])
      // An application that passes on what stands in an address: PUT /items/007.
      assert.equal(await sql.update('item', { id: given, value: 'second' }), true)
      assert.deepEqual(await read(), [{ value: 'second', note: 'n' }])
      assert.equal((await sql.findBy('item', 'value', 'second')).length, 1)
      await client.query('DELETE FROM item')
      await sql.insert('item', [{ id: given, value: 'third', note: 'n' }])
      assert.deepEqual(await read(), [{ value: 'third', note: 'n' }])
    })

  it('and its tenant: the row opens, and is found', async () => {
    await table(postgres, 'id INTEGER PRIMARY KEY, owner UUID, value TEXT, note TEXT, term BYTEA')
    const sql = setting(postgres, { tenant: 'owner' })
    await sql.insert('item', [{ id: 1, owner: UUID.toUpperCase(), value: 'first' }])
    assert.equal((await sql.findBy('item', 'value', 'first', { tenant: UUID })).length, 1)
    assert.equal(await sql.update('item', { id: 1, owner: UUID.toUpperCase(), value: 'second' }), true)
    assert.equal((await sql.findBy('item', 'value', 'second', { tenant: UUID })).length, 1)
  })

  it('does not overwrite what somebody else wrote in between', async () => {
    await table(postgres, 'id INTEGER PRIMARY KEY, value TEXT, note TEXT, term BYTEA')
    const other = setting(postgres)
    let isFirst = true
    const client: SqlClient = {
      query: async (text, values) => {
        const result = await postgres.query(text, values)
        if (isFirst && text.startsWith('UPDATE')) {
          isFirst = false
          await postgres.query("UPDATE item SET note = 'theirs' WHERE id = 7")
        }
        return result as never
      },
    }
    await other.insert('item', [{ id: 7, value: 'v', note: 'n' }])
    await setting(client).update('item', { id: '007', note: 'mine' })
    const { rows } = await postgres.query<{ readonly note: string }>('SELECT note FROM item')
    assert.deepEqual(rows, [{ note: 'theirs' }])
  })
})

describe('a person whose id is written in another way', () => {
  it('is erased, or was not there: never said to be erased while the records open', async () => {
    await table(postgres, 'id INTEGER PRIMARY KEY, person UUID, value TEXT, note TEXT, term BYTEA')
    const sql = setting(postgres, { subject: 'person' })
    await sql.insert('item', [{ id: 1, person: UUID.toUpperCase(), value: 'first', note: 'n' }])
    const notes = async () => (await sql.query('item', 'SELECT * FROM item')).map(({ note }) => note)
    assert.deepEqual(await notes(), ['n'])
    assert.equal(await sql.erase(UUID.toUpperCase()), true)
    assert.deepEqual(await notes(), [null])
    assert.equal(await sql.erase(UUID.toUpperCase()), false)
  })

  it('is erased where another table names people by numbers', async () => {
    await table(postgres, 'id INTEGER PRIMARY KEY, person TEXT, value TEXT, note TEXT, term BYTEA')
    await postgres.query(
      'CREATE TABLE numbered (id INTEGER PRIMARY KEY, person INTEGER, value TEXT, term BYTEA)',
    )
    const columns: TableSchema['columns'] = {
      value: { mode: 'local', storage: 'text', search: { equals: { column: 'term' } } },
    }
    const numbered: TableSchema = { key: ['id'], subject: 'person', columns }
    const vault = new Vault({
      tables: {
        numbered,
        item: { ...numbered, columns: { ...columns, note: { mode: 'local', storage: 'text' } } },
      },
      local: LocalKeys.generate(),
      subjects: new SqliteSubjectSalts(':memory:'),
      searchKey,
    })
    const sql = new VaultSql(postgres, vault)
    await sql.insert('item', [{ id: 1, person: 'ann', value: 'first', note: 'n' }])
    assert.equal(await sql.erase('ann'), true)
    const [row] = await sql.query('item', 'SELECT * FROM item')
    assert.deepEqual([row?.['note'], row?.['term']], [null, null])
  })
})

describe('a service that only ingests', () => {
  it('writes with no right to read from the table', async () => {
    await table(postgres, 'id INTEGER PRIMARY KEY, value TEXT')
    const role = `vault_ingest_${process.pid}`
    await postgres.query(`CREATE ROLE ${role} LOGIN PASSWORD 'form'`)
    await postgres.query(`GRANT INSERT ON item TO ${role}`)
    const place = new URL(url)
    place.username = role
    place.password = 'form'
    const client = connectPostgres({ url: place.href })
    try {
      const columns: TableSchema['columns'] = { value: { mode: 'local', storage: 'text', access: 'ingest' } }
      await setting(client, { columns }).insert('item', [{ id: 1, value: 'x' }])
    } finally {
      await client.close()
      await postgres.query(`DROP OWNED BY ${role}`)
      await postgres.query(`DROP ROLE ${role}`)
    }
    assert.equal((await postgres.query('SELECT 1 FROM item')).rowCount, 1)
  })
})
