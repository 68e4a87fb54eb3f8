import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { inspect } from 'node:util'
import pg from 'pg'
import {
  And,
  Any,
  Between,
  DataSource,
  EntitySchema,
  Equal,
  ILike,
  In,
  IsNull,
  Like,
  MoreThan,
  Not,
  Or,
} from 'typeorm'
import { freshDatabase } from '../../../test/fresh.ts'
import { LocalKeys, Vault } from '../../vault/src/index.ts'
import { sealedColumn } from '../../vault/src/orm/sealed-column.ts'

const SECRET = 'anne@example.com'
const PLACE = 'customers.email'

/** A row as the application has it; `email` is sealed in what TypeORM reads and writes. */
interface Customer {
  readonly id: number
  readonly email: unknown
  readonly emailTerm: Uint8Array | null
  readonly city: string | null
}

const Customers = new EntitySchema<Customer>({
  name: 'Customer',
  tableName: 'customers',
  columns: {
    id: { type: 'int', primary: true },
    email: { type: 'bytea', nullable: true, transformer: sealedColumn(PLACE) },
    emailTerm: { type: 'bytea', nullable: true, name: 'email_term' },
    city: { type: 'text', nullable: true },
  },
})
const url = await freshDatabase({ after })
const source = new DataSource({ type: 'postgres', url, entities: [Customers] })
await source.initialize()
after(() => source.destroy())
await source.synchronize()
const customers = source.getRepository(Customers)
const vault = new Vault({
  tables: {
    customers: {
      key: ['id'],
      columns: { email: { mode: 'local', search: { equals: { column: 'emailTerm' } } } },
    },
  },
  local: LocalKeys.generate(),
  searchKey: new Uint8Array(32).fill(7),
})
const sealed = (rows: readonly Partial<Customer>[]): Promise<Partial<Customer>[]> =>
  vault.sealRows('customers', rows)
const asRow = (customer: Customer): Record<string, unknown> => ({ ...customer })

/** What the table holds, read without TypeORM. */
async function stored(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query('SELECT * FROM customers ORDER BY id')).rows
  } finally {
    await client.end()
  }
}

const isConfigWithoutSecret = (error: unknown): boolean =>
  (error as { code?: string }).code === 'POSTERN_CONFIG' && !inspect(error, { depth: 9 }).includes('anne@')

describe('an entity of TypeORM with an encrypted column', () => {
  it('is stored sealed, and opened from what a repository returns', async () => {
    await customers.save(
      await sealed([
        { id: 1, email: SECRET, city: 'Cork' },
        { id: 2, email: 'bob@example.com', city: null },
        { id: 3, email: null, city: null },
      ]),
    )
    const rows = await stored()
    assert.deepEqual(
      rows.map(({ email }) => (email as Buffer | null)?.[0]),
      [0xb7, 0xb7, undefined],
    )
    assert.ok(!rows.some(({ email }) => `${email}`.includes('example.com')))
    const found = await customers.find({ order: { id: 'ASC' } })
    const opened = await vault.openRows('customers', found.map(asRow))
    assert.deepEqual(
      opened.map(({ email }) => email),
      [SECRET, 'bob@example.com', null],
    )
  })

  it('is found by its search term', async () => {
    const { term } = await vault.equals('customers', 'email', SECRET)
    const found = await customers.findBy({ emailTerm: Buffer.from(term) })
    assert.deepEqual(
      found.map(({ id }) => id),
      [1],
    )
    assert.equal((await customers.findBy({ email: IsNull() })).length, 1)
    assert.equal((await customers.findBy({ email: Not(IsNull()) })).length, 2)
  })

  it('takes no plain value in what it writes or compares, and says so without it', async () => {
    const plain = { id: 9, email: SECRET, emailTerm: null, city: null }
    const attempts: Readonly<Record<string, () => Promise<unknown>>> = {
      save: () => customers.save(plain),
      preload: async () => customers.save((await customers.preload({ ...plain, id: 1 })) ?? plain),
      insert: () => customers.insert(plain),
      'insert bytes': () => customers.insert({ ...plain, email: Buffer.from(SECRET) }),
      'insert a list': () => customers.insert({ ...plain, email: [SECRET] }),
      upsert: () => customers.upsert(plain, ['id']),
      update: () => customers.update({ id: 1 }, { email: SECRET }),
      'builder, insert': () => customers.createQueryBuilder().insert().values(plain).execute(),
      'builder, update': () => customers.createQueryBuilder().update().set({ email: SECRET }).execute(),
      'builder, where': () => customers.createQueryBuilder('c').where({ email: SECRET }).getMany(),
      find: () => customers.find({ where: { email: SECRET } }),
      count: () => customers.countBy({ email: SECRET }),
      delete: () => customers.delete({ email: SECRET }),
      'update where': () => customers.update({ email: SECRET }, { city: 'Cork' }),
      Equal: () => customers.findBy({ email: Equal(SECRET) }),
      Not: () => customers.findBy({ email: Not(SECRET) }),
      Like: () => customers.findBy({ email: Like(SECRET) }),
      ILike: () => customers.findBy({ email: ILike(SECRET) }),
      In: () => customers.findBy({ email: In([SECRET]) }),
      Any: () => customers.findBy({ email: Any([SECRET]) }),
      Between: () => customers.findBy({ email: Between(SECRET, SECRET) }),
      MoreThan: () => customers.findBy({ email: MoreThan(SECRET) }),
      Or: () => customers.findBy({ email: Or(Equal(SECRET), IsNull()) }),
      And: () => customers.findBy({ email: And(Equal(SECRET), Not(IsNull())) }),
    }
    for (const [name, attempt] of Object.entries(attempts))
      await assert.rejects(async () => attempt(), isConfigWithoutSecret, name)
    assert.equal(await customers.count(), 3)
  })

  it('does not open in a row that it was pasted into', async () => {
    const [first] = await customers.findBy({ id: 1 })
    await customers.update({ id: 3 }, { email: first?.email as object })
    const rows = await customers.findBy({ id: 3 })
    await assert.rejects(vault.openRows('customers', rows.map(asRow)), { code: 'POSTERN_INTEGRITY' })
  })
})
