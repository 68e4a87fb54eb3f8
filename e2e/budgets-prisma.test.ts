// Row budgets and budgets on reads under Prisma 7 with the `pg` driver adapter on a guarded pool.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  actingAs,
  budgetError,
  claimSigner,
  guardPool,
  guardPrisma,
  installBudgets,
  ReadBudgetExceeded,
  ReadBudgets,
  RowBudgetExceeded,
  rows,
} from '@postern/access'
import { connectPostgres } from '@postern/store'
import pg from 'pg'
import { freshDatabase } from '../test/fresh.ts'
import { generatePrisma } from './prisma-client.ts'

const MODELS = `
model Order {
  id   Int     @id
  note String?
  @@map("orders")
}
`

/** As much of the generated client as is used here. */
interface Client {
  readonly order: Record<
    'delete' | 'deleteMany' | 'updateMany' | 'findMany' | 'findUnique',
    (args?: object) => Promise<unknown>
  >
  $transaction(work: ((client: Client) => Promise<void>) | readonly Promise<unknown>[]): Promise<void>
  $disconnect(): Promise<void>
}

test('Prisma on a guarded pool: changes and reads are counted for who acts', {
  timeout: 180_000,
}, async t => {
  const url = await freshDatabase(t)
  const owner = connectPostgres({ url })
  const key = { id: 1, secret: new Uint8Array(32).fill(1) }
  await owner.query(
    'CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT generate_series(1, 100)',
  )
  await installBudgets(owner, {
    budgets: { 'orders.delete': rows(10, '1h'), 'orders.update': rows(10, '1h') },
    claimKeys: [key],
  })
  const { PrismaClient, PrismaPg } = await generatePrisma<Client>(t, MODELS)
  const pool = guardPool(new pg.Pool({ connectionString: url }), {
    claim: claimSigner({ key }),
    reads: new ReadBudgets({ budgets: { '*.select': rows(150, '1h') } }),
  })
  const prisma = guardPrisma(new PrismaClient({ adapter: new PrismaPg(pool) }))
  try {
    await actingAs({ actor: 'user:alice' }, async () => {
      await prisma.order.delete({ where: { id: 1 } })
      await prisma.$transaction(async inner => {
        await inner.order.deleteMany({ where: { id: { in: [2, 3, 4] } } })
      })
      for (const tooMuch of [
        () => prisma.order.deleteMany(),
        () => prisma.order.updateMany({ data: { note: 'x' } }),
      ])
        await assert.rejects(tooMuch(), (error: unknown) => {
          assert.ok(budgetError(error) instanceof RowBudgetExceeded, String(error))
          return true
        })
      assert.equal(((await prisma.order.findMany()) as unknown[]).length, 96)
      await assert.rejects(prisma.order.findMany(), (error: unknown) => {
        assert.ok(budgetError(error) instanceof ReadBudgetExceeded, String(error))
        return true
      })
    })
    const { rows: counted } = await owner.query('SELECT key, used::int AS n FROM postern_budgets.usage()')
    assert.deepEqual(counted, [{ key: 'user:alice', n: 4 }])
    // In one tick, and each after somebody else: Prisma would have them sent for who came first.
    const seen = await Promise.all([
      actingAs({ actor: 'user:honest' }, () => prisma.order.findUnique({ where: { id: 99 } }).then(() => 0)),
      actingAs({ actor: 'user:changer' }, () =>
        prisma.$transaction([5, 6].map(id => prisma.order.delete({ where: { id } }))).then(() => 0),
      ),
      actingAs({ actor: 'user:reader' }, async () => {
        const ids = Array.from({ length: 89 }, (_, i) => i + 10)
        const all = async (): Promise<number> =>
          (await Promise.all(ids.map(id => prisma.order.findUnique({ where: { id } })))).length
        return (await all()) + (await all().catch(() => 0))
      }),
    ])
    assert.deepEqual(seen, [0, 0, 89])
    const { rows: paid } = await owner.query(
      'SELECT key, used::int AS n FROM postern_budgets.usage() ORDER BY key',
    )
    assert.deepEqual(paid, [
      { key: 'user:alice', n: 4 },
      { key: 'user:changer', n: 2 },
    ])
  } finally {
    await prisma.$disconnect()
    await pool.end().catch(() => {})
    await owner.close()
  }
})
