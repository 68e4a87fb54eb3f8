import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { inspect } from 'node:util'
import { connectPostgres, openSqlite } from '@postern/store'
import { eq } from 'drizzle-orm'
import { customType, integer, pgTable } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/pg-proxy'
import { Kysely, type KyselyPlugin, SqliteDialect } from 'kysely'
import { freshDatabase } from '../../../test/fresh.ts'
import { kyselyVault } from '../src/orm/kysely-vault.ts'
import { sealedColumn } from '../src/orm/sealed-column.ts'
import type { TableSchemas } from '../src/table/table-schema.ts'
import { Vault } from '../src/table/vault.ts'
import { TestPerson, testHolders } from './support/holders.ts'

const SECRET = 'anne@example.com'
const tables: TableSchemas = {
  customers: {
    key: ['id'],
    columns: { email: { mode: 'split', search: { equals: { column: 'email_term' } } } },
  },
}
const isConfigWithoutSecret = (error: Error): boolean =>
  (error as { code?: string }).code === 'POSTERN_CONFIG' && !inspect(error, { depth: 9 }).includes('anne')

describe('Kysely', () => {
  const sqlite = openSqlite({ path: ':memory:' })
  sqlite.db.exec('CREATE TABLE customers (id INTEGER PRIMARY KEY, email BLOB, email_term BLOB, city TEXT)')
  after(() => sqlite.close())
  interface Database {
    customers: { id: number; email: unknown; email_term: unknown; city: string | null }
  }
  const dialect = new SqliteDialect({
    database: {
      close: () => {},
      prepare(text: string) {
        const statement = sqlite.db.prepare(text)
        return {
          reader: /^select/i.test(text),
          all: (values: readonly unknown[]) =>
            statement.all(...(values as (string | number | null | Uint8Array)[])),
          run: (values: readonly unknown[]) => {
            const { changes, lastInsertRowid } = statement.run(
              ...(values as (string | number | null | Uint8Array)[]),
            )
            return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
          },
          iterate: (values: readonly unknown[]) =>
            statement.iterate(
              ...(values as (string | number | null | Uint8Array)[]),
            ) as IterableIterator<unknown>,
        }
      },
    },
  })
  const holders = testHolders()
  const vault = new Vault({ tables, split: holders.keys, searchKey: new Uint8Array(32) })
  const plugin = kyselyVault(vault, ['customers'])
  const db = new Kysely<Database>({ dialect, plugins: [plugin satisfies KyselyPlugin] })

  it('opens what a SELECT returns, and finds by a term', async () => {
    const rows = await vault.sealRows('customers', [
      { id: 1, email: SECRET, city: 'Cork' },
      { id: 2, email: null, city: null },
    ])
    await db
      .insertInto('customers')
      .values(rows as Database['customers'][])
      .execute()
    const all = await db.selectFrom('customers').selectAll().orderBy('id').execute()
    assert.deepEqual(
      all.map(({ email }) => email),
      [SECRET, null],
    )
    const { term } = await vault.equals('customers', 'email', SECRET)
    const found = await db.selectFrom('customers').selectAll().where('email_term', '=', term).execute()
    assert.deepEqual(
      found.map(({ id, email }) => [id, email]),
      [[1, SECRET]],
    )
  })

  it('opens on the authority of a person', async () => {
    const anne = new TestPerson('anne', holders.enroller, holders.clock)
    const capability = anne.capability([{ tenant: '', table: 'customers', row: ['1'], columns: ['email'] }])
    const read = () => db.selectFrom('customers').selectAll().where('id', '=', 1).execute()
    const [row] = await plugin.withCapability(capability, read)
    assert.equal(row?.email, SECRET)
    await assert.rejects(plugin.withCapability(capability, read), { code: 'POSTERN_CREDENTIAL' })
  })

  it('refuses to write or compare a plain value, and says so without it', async () => {
    const none = { id: 3, email: null, email_term: null, city: null }
    const attempts = [
      () =>
        db.insertInto('customers').values({ id: 3, email: SECRET, email_term: null, city: null }).execute(),
      () =>
        db
          .insertInto('customers')
          .values([
            { id: 3, email: SECRET, email_term: null, city: null },
            { id: 4, email: null, email_term: null, city: null },
          ])
          .execute(),
      () => db.updateTable('customers').set({ email: SECRET }).where('id', '=', 1).execute(),
      () =>
        db
          .insertInto('customers')
          .values({ id: 1, email: null, email_term: null, city: null })
          .onConflict(oc => oc.column('id').doUpdateSet({ email: SECRET }))
          .execute(),
      () => db.selectFrom('customers').selectAll().where('email', '=', SECRET).execute(),
      () => db.deleteFrom('customers').where('customers.email', 'like', SECRET).execute(),
      // Writes inside another query, or that name their table in another way.
      () =>
        db
          .with('made', q =>
            q
              .insertInto('customers')
              .values({ ...none, email: SECRET })
              .returning('id'),
          )
          .selectFrom('made')
          .selectAll()
          .execute(),
      () =>
        db
          .with('made', q => q.updateTable('customers').set({ email: SECRET }).returning('id'))
          .deleteFrom('customers')
          .execute(),
      () => db.updateTable('customers as c').set({ email: SECRET }).execute(),
      () => db.updateTable(['customers as c', 'customers as d']).set({ email: SECRET }).execute(),
      () =>
        db
          .replaceInto('customers')
          .values({ ...none, email: SECRET })
          .execute(),
      () => db.insertInto('customers').values(none).onDuplicateKeyUpdate({ email: SECRET }).execute(),
      () =>
        db
          .mergeInto('customers as c')
          .using('customers as d', 'c.id', 'd.id')
          .whenMatched()
          .thenUpdateSet({ email: SECRET })
          .execute(),
      () =>
        db
          .mergeInto('customers as c')
          .using('customers as d', 'c.id', 'd.id')
          .whenNotMatched()
          .thenInsertValues({ ...none, email: SECRET })
          .execute(),
      // Plain values that are in the database already.
      () =>
        db
          .insertInto('customers')
          .columns(['id', 'email'])
          .expression(q => q.selectFrom('customers').select(['id', 'city']))
          .execute(),
      () =>
        db
          .insertInto('customers')
          .expression(q => q.selectFrom('customers').selectAll())
          .execute(),
      () =>
        db
          .updateTable('customers')
          .set(q => ({ email: q.ref('city') }))
          .execute(),
      // Comparisons with the sides changed, or of what is made of the column.
      () =>
        db
          .selectFrom('customers')
          .selectAll()
          .where(q => q(q.val<unknown>(SECRET), '=', q.ref('email')))
          .execute(),
      () =>
        db
          .selectFrom('customers')
          .selectAll()
          .where(q => q(q.fn<string>('lower', ['email']), '=', SECRET))
          .execute(),
      () =>
        db
          .selectFrom('customers')
          .selectAll()
          .where(q => q(q.refTuple('id', 'email'), 'in', [q.tuple(1, SECRET)]))
          .execute(),
      () =>
        db
          .selectFrom('customers')
          .select(q =>
            q
              .case(q.fn<string>('lower', ['email']))
              .when(SECRET)
              .then(1)
              .else(0)
              .end()
              .as('same'),
          )
          .execute(),
    ]
    const missed: string[] = []
    for (const attempt of attempts)
      try {
        await attempt()
        missed.push(attempt.toString())
      } catch (error) {
        if (!isConfigWithoutSecret(error as Error)) missed.push(`${attempt} ${error}`)
      }
    assert.deepEqual(missed, [])
    assert.equal(
      (await db.selectFrom('customers').selectAll().where('email', 'is', null).execute()).length,
      1,
    )
  })
})

const url = await freshDatabase({ after })

describe('Drizzle', () => {
  const postgres = connectPostgres({ url })
  after(() => postgres.close())
  const db = drizzle(async (text, values) => {
    const { rows } = await postgres.query<Record<string, unknown>>(text, values)
    return { rows: rows.map(row => Object.values(row)) }
  })
  const bytes = customType<{ data: unknown; driverData: Buffer }>(sealedColumn('customers.email'))
  const term = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })
  const customers = pgTable('customers', {
    id: integer().primaryKey(),
    email: bytes(),
    emailTerm: term('email_term'),
  })
  const vault = new Vault({
    tables: {
      customers: {
        key: ['id'],
        columns: { email: { mode: 'split', search: { equals: { column: 'emailTerm' } } } },
      },
    },
    split: testHolders().keys,
    searchKey: new Uint8Array(32),
  })

  it('stores sealed rows, and opens what it returns', async () => {
    await postgres.query('CREATE TABLE customers (id INTEGER PRIMARY KEY, email BYTEA, email_term BYTEA)')
    const rows = await vault.sealRows('customers', [
      { id: 1, email: SECRET },
      { id: 2, email: 'b@example.com' },
    ])
    await db.insert(customers).values(rows as (typeof customers.$inferInsert)[])
    const wanted = await vault.equals('customers', 'email', SECRET)
    const found = await db.select().from(customers).where(eq(customers.emailTerm, wanted.term))
    assert.deepEqual(
      (await vault.openRows('customers', found)).map(({ email }) => email),
      [SECRET],
    )
  })

  it('refuses a plain value, and says so without it', async () => {
    await assert.rejects(
      async () => db.insert(customers).values({ id: 3, email: SECRET }),
      isConfigWithoutSecret,
    )
    await assert.rejects(
      async () => db.select().from(customers).where(eq(customers.email, SECRET)),
      isConfigWithoutSecret,
    )
  })
})

describe('TypeORM', () => {
  it('takes a transformer that lets sealed values and null through, and nothing else', async () => {
    const vault = new Vault({ tables, split: testHolders().keys, searchKey: new Uint8Array(32) })
    const { to, from } = sealedColumn('customers.email')
    const [row] = await vault.sealRows('customers', [{ id: 1, email: SECRET }])
    assert.equal(to(row?.['email']), row?.['email'])
    assert.equal(from(row?.['email']), row?.['email'])
    assert.equal(to(null), null)
    assert.equal(to(undefined), undefined)
    for (const plain of [SECRET, Buffer.from(SECRET), 7])
      assert.throws(() => to(plain), isConfigWithoutSecret)
  })
})
