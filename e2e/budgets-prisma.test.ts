// Row budgets and budgets on reads under Prisma 7 with the `pg` driver adapter on a guarded pool. `prisma
// generate` would download its schema engine, which it does not use here; the variable below names another
// program in its place.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
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
import { freshDatabase, type Scope } from '../test/fresh.ts'

const require = createRequire(import.meta.url)
const SCHEMA = `
generator client {
  provider            = "prisma-client"
  output              = "./generated"
  moduleFormat        = "esm"
  importFileExtension = "ts"
}
datasource db {
  provider = "postgresql"
}
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

async function generate(scope: Scope): Promise<new (options: object) => Client> {
  const folder = mkdtempSync(join(tmpdir(), 'budgets-prisma-'))
  scope.after(async () => rmSync(folder, { recursive: true }))
  symlinkSync(new URL('node_modules', import.meta.url), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'schema.prisma'), SCHEMA)
  writeFileSync(join(folder, 'prisma.config.ts'), "export default { schema: 'schema.prisma' }")
  execFileSync(process.execPath, [require.resolve('prisma/build/index.js'), 'generate'], {
    cwd: folder,
    stdio: 'pipe',
    timeout: 120_000,
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
  })
  const generated = (await import(pathToFileURL(join(folder, 'generated/client.ts')).href)) as {
    PrismaClient: new (options: object) => Client
  }
  return generated.PrismaClient
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
  const PrismaClient = await generate(t)
  const { PrismaPg } = (await import('@prisma/adapter-pg')) as { PrismaPg: new (pool: object) => object }
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
