// The extension for Prisma on a real client: Prisma 7 with the `pg` driver adapter, whose query compiler is
// WebAssembly inside the package.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LocalKeys, Vault } from '@postern/vault'
import { prismaVault } from '@postern/vault/orm'
import pg from 'pg'
import { freshDatabase, type Scope } from '../test/fresh.ts'
import { generatePrisma } from './prisma-client.ts'

const SECRET = 'anne@example.com'
const MODELS = `
model Customer {
  id     Int     @id
  email  Bytes?
  term   Bytes?
  city   String?
  orders Order[]
  @@map("customers")
}
model Order {
  id         Int      @id
  customerId Int      @map("customer_id")
  customer   Customer @relation(fields: [customerId], references: [id])
  @@map("orders")
}
`

/** As much of the generated client as is used here. */
interface Client {
  readonly customer: Record<string, (args: object) => Promise<unknown>>
  readonly order: Record<string, (args: object) => Promise<unknown>>
  $disconnect(): Promise<void>
}

async function extendedClient(scope: Scope, url: string, extension: object): Promise<Client> {
  const { PrismaClient, PrismaPg } = await generatePrisma<{ $extends(extension: object): Client }>(
    scope,
    MODELS,
  )
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) }).$extends(extension)
}

describe('Prisma', () => {
  test('seals what it writes, opens what it finds, and lets no plain value into SQL', async t => {
    const url = await freshDatabase(t)
    const database = new pg.Client({ connectionString: url })
    await database.connect()
    await database.query(
      'CREATE TABLE customers (id int PRIMARY KEY, email bytea, term bytea, city text); CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers)',
    )
    const vault = new Vault({
      tables: {
        customers: {
          key: ['id'],
          columns: { email: { mode: 'local', search: { equals: { column: 'term' } } } },
        },
      },
      local: LocalKeys.generate(),
      searchKey: new Uint8Array(32).fill(3),
    })
    const prisma = await extendedClient(t, url, prismaVault(vault, { Customer: 'customers' }).extension)
    const { customer, order } = prisma
    await customer['create']?.({ data: { id: 1, email: SECRET, city: 'Cork' } })
    await customer['createMany']?.({ data: [{ id: 2, email: 'bob@example.com' }, { id: 3 }] })
    await customer['update']?.({ where: { id: 2 }, data: { email: { set: 'rob@example.com' } } })
    await customer['upsert']?.({
      where: { id: 4 },
      create: { id: 4, email: 'new@example.com' },
      update: { email: 'old@example.com' },
    })
    const emails = (await customer['findMany']?.({ orderBy: { id: 'asc' } })) as { email: unknown }[]
    assert.deepEqual(
      emails.map(({ email }) => email),
      [SECRET, 'rob@example.com', null, 'new@example.com'],
    )
    const { term } = await vault.equals('customers', 'email', SECRET)
    const found = (await customer['findFirst']?.({ where: { term } })) as { id: number; email: string }
    assert.deepEqual([found.id, found.email], [1, SECRET])

    const { rows } = await database.query('SELECT * FROM customers')
    assert.ok(rows.every(({ email }) => email === null || (email as Buffer)[0] === 0xb7))
    assert.ok(!JSON.stringify(rows.map(row => String(row.email))).includes('example.com'))
    const nested = { data: { id: 1, customer: { create: { id: 9, email: Buffer.from(SECRET) } } } }
    await assert.rejects(async () => order['create']?.(nested), { code: 'POSTERN_CONFIG' })
    await assert.rejects(async () => customer['findMany']?.({ where: { email: Buffer.from(SECRET) } }), {
      code: 'POSTERN_CONFIG',
    })
    // A value pasted into another row does not open.
    await database.query(
      'UPDATE customers SET email = (SELECT email FROM customers WHERE id = 1) WHERE id = 3',
    )
    await assert.rejects(async () => customer['findUnique']?.({ where: { id: 3 } }), {
      code: 'POSTERN_INTEGRITY',
    })
    await prisma.$disconnect()
    await database.end()
  })
})
