import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, beforeEach, test } from 'node:test'
import {
  actingAs,
  budgetError,
  claimSigner,
  guardDriver,
  guardKnexPool,
  guardPool,
  guardPostgresJs,
  installBudgets,
  ReadBudgetExceeded,
  ReadBudgets,
  RowBudgetExceeded,
  rows,
} from '@postern/access'
import { sql as drizzleSql, eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js'
import knexModule from 'knex'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import postgres from 'postgres'
import { DataSource, EntitySchema } from 'typeorm'
import { CLAIM_KEY, count, guarded } from './support/guarded.ts'

const place = await guarded(
  { after },
  'CREATE TABLE orders (id int PRIMARY KEY, note text); GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO APP',
  { 'orders.delete': rows(10, '1h', { over: 'stepUp' }), 'orders.update': rows(10, '1h') },
)
const MIGRATING = { budgets: { '*.update': rows(50, '1h') }, claimKeys: [CLAIM_KEY] }
const migrating = await guarded(
  { after },
  `CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT generate_series(1, 100);
   ALTER TABLE orders OWNER TO APP; GRANT CREATE ON SCHEMA public TO APP`,
  MIGRATING.budgets,
)
const options = {
  claim: claimSigner({ key: CLAIM_KEY }),
  reads: new ReadBudgets({ budgets: { '*.select': rows(150, '1h') } }),
}

beforeEach(async () => {
  await place.owner.query(`SET session_replication_role = replica; DELETE FROM orders; INSERT INTO orders SELECT generate_series(1, 100);
    DELETE FROM postern_budgets.counters; RESET session_replication_role`)
})

/**
 * What an application does with each of them: within its budget one by one and in a
 * transaction, then too much.
 */
interface Application {
  remove(id: number): Promise<unknown>
  removeInTransaction(ids: readonly number[]): Promise<unknown>
  editAll(): Promise<unknown>
  wipe(): Promise<unknown>
  readAll(): Promise<unknown>
}

async function behaves(application: Application): Promise<void> {
  await actingAs({ actor: 'user:alice' }, async () => {
    await application.remove(1)
    await application.removeInTransaction([2, 3, 4])
    assert.equal(await count(place.owner, 'orders'), 96)
    for (const tooMuch of [() => application.wipe(), () => application.editAll()]) {
      await assert.rejects(tooMuch(), (error: unknown) => {
        assert.ok(budgetError(error) instanceof RowBudgetExceeded, String(error))
        return true
      })
    }
    await application.remove(5)
  })
  const { rows: counted } = await place.owner.query('SELECT key, used::int AS n FROM postern_budgets.usage()')
  assert.deepEqual(counted, [{ key: 'user:alice', n: 5 }])
  // A hundred rows, twice: the second time they are more than are left. Each library has a reader of its own.
  await actingAs({ actor: `user:${randomUUID()}` }, async () => {
    await application.readAll()
    await assert.rejects(application.readAll(), (error: unknown) => {
      assert.ok(budgetError(error) instanceof ReadBudgetExceeded, String(error))
      return true
    })
  })
  assert.equal(await count(place.owner, 'orders'), 95)
}

test('Kysely on a guarded pool', async () => {
  const db = new Kysely<{ orders: { id: number; note: string | null } }>({
    dialect: new PostgresDialect({ pool: guardPool(new pg.Pool({ connectionString: place.url }), options) }),
  })
  try {
    await behaves({
      remove: id => db.deleteFrom('orders').where('id', '=', id).execute(),
      removeInTransaction: ids =>
        db.transaction().execute(async t => {
          for (const id of ids) await t.deleteFrom('orders').where('id', '=', id).execute()
        }),
      editAll: () => db.updateTable('orders').set({ note: '' }).execute(),
      wipe: () => db.deleteFrom('orders').execute(),
      readAll: () => db.selectFrom('orders').selectAll().execute(),
    })
  } finally {
    await db.destroy()
  }
})

test('Drizzle on a guarded pool', async () => {
  const pool = guardPool(new pg.Pool({ connectionString: place.url }), options)
  const orders = pgTable('orders', { id: integer().primaryKey(), note: text() })
  const db = drizzle({ client: pool })
  try {
    await behaves({
      remove: id => db.delete(orders).where(eq(orders.id, id)),
      removeInTransaction: ids =>
        db.transaction(async t => {
          for (const id of ids) await t.delete(orders).where(eq(orders.id, id))
        }),
      editAll: () => db.update(orders).set({ note: '' }),
      wipe: () => db.execute(drizzleSql`DELETE FROM orders`),
      readAll: () => db.select().from(orders),
    })
  } finally {
    await pool.end()
  }
})

test('Knex with guarded connections', async () => {
  const db = knexModule({
    client: 'pg',
    connection: place.url,
    pool: guardKnexPool({ min: 0, max: 4 }, options),
  })
  try {
    await behaves({
      remove: id => db('orders').where({ id }).delete(),
      removeInTransaction: ids =>
        db.transaction(async t => {
          for (const id of ids) await t('orders').where({ id }).delete()
        }),
      editAll: () => db('orders').update({ note: '' }),
      wipe: () => db('orders').delete(),
      readAll: () => db('orders').select(),
    })
  } finally {
    await db.destroy()
  }
})

test('Knex: nobody is in a transaction that another has left open', async () => {
  const seen: unknown[] = []
  const validate = (connection: unknown): boolean => seen.push(connection) > 0
  const pool = guardKnexPool({ min: 0, max: 1, validate }, options)
  const db = knexModule({ client: 'pg', connection: place.url, pool })
  // Queries of Knex are sent when they are awaited.
  const as = (name: string, work: () => PromiseLike<unknown>): Promise<unknown> =>
    actingAs({ actor: `user:${name}` }, async () => await work())
  try {
    for (const [id, texts] of [
      [1, ['BEGIN']],
      [2, ['BEGIN; SELECT 1 / 0']],
      [3, ['BEGIN', 'COMMIT AND CHAIN']],
    ] as const) {
      for (const text of texts) await as('thief', () => db.raw(text)).catch(() => {})
      assert.equal(await as('ann', () => db('orders').where({ id }).delete()), 1)
      await as('thief', () => db.raw('ROLLBACK'))
      assert.equal(await count(place.owner, `orders WHERE id = ${id}`), 0)
    }
    assert.ok(seen.length > 0)
  } finally {
    await db.destroy()
  }
})

test('TypeORM with a guarded driver', async () => {
  const Orders = new EntitySchema<{ id: number; note: string | null }>({
    name: 'orders',
    columns: { id: { type: 'int', primary: true }, note: { type: 'text', nullable: true } },
  })
  const source = new DataSource({
    type: 'postgres',
    url: place.url,
    driver: guardDriver(pg, options),
    entities: [Orders],
  })
  await source.initialize()
  try {
    const orders = source.getRepository(Orders)
    await behaves({
      remove: id => orders.delete({ id }),
      removeInTransaction: ids =>
        source.transaction(async t => {
          for (const id of ids) await t.delete(Orders, { id })
        }),
      editAll: () => orders.createQueryBuilder().update().set({ note: '' }).execute(),
      wipe: () => orders.createQueryBuilder().delete().execute(),
      readAll: () => orders.find(),
    })
  } finally {
    await source.destroy()
  }
})

test('postgres.js in guarded transactions, one of a single statement in one round trip', async () => {
  const sql = postgres(place.url, { max: 4, onnotice: () => {} })
  const db = guardPostgresJs(sql, options)
  try {
    await behaves({
      remove: id => db.run(t => t`DELETE FROM orders WHERE id = ${id}`),
      removeInTransaction: ids =>
        db.begin(async t => {
          for (const id of ids) await t`DELETE FROM orders WHERE id = ${id}`
        }),
      editAll: () => db.begin(t => t`UPDATE orders SET note = ''`),
      wipe: () => db.run(t => t`DELETE FROM orders`),
      readAll: () => db.run(t => t`SELECT * FROM orders`),
    })
    const [row] = await db.run(t => t`SELECT 7 AS n`)
    assert.equal(row?.['n'], 7)
    for (const [name, read] of Object.entries<
      (t: postgres.TransactionSql, seen: (rows: number) => void) => Promise<unknown>
    >({
      forEach: (t, seen) =>
        t`SELECT * FROM orders`.forEach(() => {
          seen(1)
        }),
      'cursor(fn)': (t, seen) => t`SELECT * FROM orders`.cursor(10, some => seen(some.length)),
      cursor: async (t, seen) => {
        for await (const some of t`SELECT * FROM orders`.cursor(10)) seen(some.length)
      },
      expressions: async (t, seen) => seen((await t`SELECT note || 'x' FROM orders`).length),
      error: t => t`SELECT (SELECT string_agg(repeat('note', 100), ',') FROM orders)::int`,
      unsafe: async (t, seen) => seen((await t.unsafe('SELECT * FROM orders; SELECT * FROM orders')).length),
      savepoint: (t, seen) =>
        'savepoint' in t && typeof t.savepoint === 'function'
          ? t.savepoint(async (inner: postgres.TransactionSql) =>
              seen((await inner`SELECT * FROM orders`).length),
            )
          : Promise.reject(new Error('no savepoint')),
    })) {
      await actingAs({ actor: `user:${name}` }, async () => {
        let seen = 0
        const twice = async (): Promise<void> => {
          for (let i = 0; i < 2; i++)
            await db.begin(t =>
              read(t, rows => {
                seen += rows
              }),
            )
        }
        await assert.rejects(twice(), ReadBudgetExceeded, name)
        assert.ok(seen <= 150, `${name}: ${seen} rows were seen`)
      })
    }
  } finally {
    await sql.end()
  }
})

test('Drizzle on postgres.js inside guarded transactions', async () => {
  const sql = postgres(place.url, { max: 4, onnotice: () => {} })
  const guard = guardPostgresJs(sql, options)
  const orders = pgTable('orders', { id: integer().primaryKey(), note: text() })
  const run = <T>(work: (db: ReturnType<typeof drizzlePostgresJs>) => PromiseLike<T>): Promise<T> =>
    guard.begin(t =>
      work(
        drizzlePostgresJs({
          client: Object.assign(t as unknown as typeof sql, { options: sql.options }),
        }),
      ),
    )
  try {
    await behaves({
      remove: id => run(db => db.delete(orders).where(eq(orders.id, id))),
      removeInTransaction: ids =>
        run(async db => {
          for (const id of ids) await db.delete(orders).where(eq(orders.id, id))
        }),
      editAll: () => run(db => db.update(orders).set({ note: '' })),
      wipe: () => run(db => db.delete(orders)),
      readAll: () => run(db => db.select().from(orders)),
    })
  } finally {
    await sql.end()
  }
})

test('migrations of Knex pass as an exempt role, and on a guarded pool as somebody; otherwise the error says why', async () => {
  const migrationSource = {
    getMigrations: async () => ['001'],
    getMigrationName: (name: string) => name,
    getMigration: async () => ({
      up: (db: knexModule.Knex) => db.raw("UPDATE orders SET note = 'migrated' WHERE id > 40"),
      down: async () => {},
    }),
  }
  const migrate = async (pool: object, name: string): Promise<void> => {
    const db = knexModule({ client: 'pg', connection: migrating.url, pool })
    try {
      await db.migrate.latest({ migrationSource, tableName: `${name}_migrations` })
    } finally {
      await db.destroy()
    }
  }
  await assert.rejects(migrate({}, 'nobody'), /a change to a guarded table needs a claim of who acts/)
  await assert.rejects(
    actingAs({ actor: 'service:migrations' }, () => migrate(guardKnexPool({}, options), 'somebody')),
    (error: unknown) => budgetError(error) instanceof RowBudgetExceeded,
  )
  await installBudgets(migrating.database, { ...MIGRATING, exempt: [migrating.role] })
  await migrate({}, 'exempt')
  assert.equal(await count(migrating.owner, "orders WHERE note = 'migrated'"), 60)
})
