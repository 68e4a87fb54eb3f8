import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import {
  actingAs,
  budgetAnswer,
  ReadBudgetExceeded,
  ReadBudgets,
  type Refused,
  RowBudgetExceeded,
  rows,
} from '@postern/access'
import { guardMysql } from '@postern/access/mysql'
import { ConfigError, VirtualClock } from '@postern/core'
import { drizzle } from 'drizzle-orm/mysql2'
import { Kysely, MysqlDialect } from 'kysely'
import core from 'mysql2'
import mysql from 'mysql2/promise'
import { DataSource, EntitySchema } from 'typeorm'
import { startMariadb } from '../../../test/mariadb-server.ts'

const server = await startMariadb()
const owner = mysql.createPool({ uri: server.url, connectionLimit: 2, multipleStatements: true })
after(async () => {
  await owner.end()
  await server.stop()
})
await owner.query(`
  CREATE TABLE customers (id int PRIMARY KEY, name text); INSERT INTO customers VALUES (1, 'Ann');
  CREATE TABLE orders (id int PRIMARY KEY, customer int, note varchar(100) NOT NULL, number int UNIQUE);
  CREATE TABLE parents (id int PRIMARY KEY);
  CREATE TABLE children (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE);
  CREATE TABLE lever (id int PRIMARY KEY);
  CREATE TRIGGER pull AFTER INSERT ON lever FOR EACH ROW DELETE FROM orders;
  CREATE VIEW all_orders AS SELECT * FROM orders;
  CREATE PROCEDURE wipe() DELETE FROM orders;
  CREATE FUNCTION erase() RETURNS int BEGIN DELETE FROM orders; RETURN 1; END;
  CREATE USER app@'127.0.0.1' IDENTIFIED BY 'app';
  GRANT SELECT, INSERT, UPDATE, DELETE, DROP, EXECUTE, CREATE TEMPORARY TABLES ON shop.* TO app@'127.0.0.1'`)

const clock = new VirtualClock()
const refusals: Refused[] = []
const BUDGETS = { '*.delete': rows(20, '1h'), '*.update': rows(20, '1h') }
const address = (): string => server.url.replace(/owner:[^@]+@/, 'app:app@')
const pools: mysql.Pool[] = []
after(() => Promise.all(pools.map(pool => pool.end())))

function guardedPool(
  options: Partial<Parameters<typeof guardMysql>[1]> = {},
  connectionLimit = 2,
): mysql.Pool {
  const pool = guardMysql(mysql.createPool({ uri: address(), connectionLimit }), {
    budgets: BUDGETS,
    clock,
    onRefusal: refusal => refusals.push(refusal),
    ...options,
  })
  pools.push(pool)
  return pool
}

beforeEach(async () => {
  refusals.splice(0)
  await owner.query(`
    DELETE FROM orders; INSERT INTO orders SELECT seq, 1, 'note', seq FROM seq_1_to_200;
    DELETE FROM lever; DELETE FROM parents; INSERT INTO parents SELECT seq FROM seq_1_to_3; INSERT INTO children SELECT seq, 1 + seq % 3 FROM seq_1_to_90`)
})

async function damage(): Promise<number> {
  const [found] = await owner.query<mysql.RowDataPacket[]>(
    "SELECT 200 - count(*) AS n FROM orders WHERE note = 'note' AND number = id UNION ALL SELECT 90 - count(*) FROM children",
  )
  return found.reduce((sum, row) => sum + Number(row['n']), 0)
}

const alice = { actor: 'user:alice' }

/** What attacks ran into, that they go on after. */
let stopped = 0
const goesOn = (): void => {
  stopped++
}
const each = async (pool: mysql.Pool, statements: readonly string[]): Promise<void> => {
  for (const text of statements) await pool.query(text).catch(goesOn)
}

type Attack = (pool: mysql.Pool) => Promise<unknown>
const WAYS: readonly (readonly [name: string, attack: Attack])[] = [
  ...[
    'DELETE FROM orders',
    'DELETE FROM orders WHERE id <= 21',
    'delete/**/from orders',
    '/* c */ # d\n /**/ DELETE FROM orders',
    '-- a comment\nDELETE FROM orders',
    'DELETE o FROM orders AS o JOIN customers AS c',
    'DELETE o FROM orders AS o WHERE o.id > 0',
    'DELETE FROM all_orders',
    "UPDATE orders SET note = ''",
    "UPDATE orders, (SELECT 1) AS one SET orders.note = ''",
    'REPLACE INTO orders SELECT id, customer, note, -id FROM orders',
    'INSERT INTO orders SELECT id, customer, note, -id FROM orders AS o ON DUPLICATE KEY UPDATE number = -o.id',
    'INSERT INTO lever VALUES (1)',
    'TRUNCATE orders',
    'DROP TABLE orders',
    'CALL wipe()',
    'SELECT erase()',
    'DO erase()',
    'SET @a = erase()',
    "EXECUTE IMMEDIATE 'DELETE FROM orders'",
    "PREPARE p FROM 'DELETE FROM orders'",
    '/*! DELETE FROM orders */',
    '/*M! TRUNCATE orders */',
    'ANALYZE DELETE FROM orders',
    'SET STATEMENT max_statement_time = 10 FOR DELETE FROM orders',
    'BEGIN NOT ATOMIC DELETE FROM orders; COMMIT; END',
    "XA START 'a'",
    'LOCK TABLES orders WRITE',
    'DELETE FROM parents',
    'DELETE FROM orders RETURNING *',
    'SELECT 1; DELETE FROM orders',
  ].map((text): readonly [string, Attack] => [text, pool => pool.query(text)]),
  ['a prepared statement', pool => pool.execute('DELETE FROM orders WHERE id > ?', [0])],
  [
    'one after the other',
    pool =>
      each(
        pool,
        Array.from({ length: 40 }, (_, i) => `DELETE FROM orders WHERE id = ${i + 1}`),
      ),
  ],
  ...[
    ['SET autocommit = 1', 'DELETE FROM orders'],
    ['SET SESSION TRANSACTION READ WRITE', 'SELECT erase()'],
    ['SET @@session.tx_read_only = 0', 'SELECT erase()'],
    ['START TRANSACTION', 'DELETE FROM orders WHERE id <= 15', 'DELETE FROM orders WHERE id > 180', 'COMMIT'],
    ['START TRANSACTION', 'SELECT erase()', 'COMMIT'],
    ['START TRANSACTION', 'SET @a = erase()', 'BEGIN', 'COMMIT'],
    [
      'START TRANSACTION',
      'SAVEPOINT s',
      'DELETE FROM orders',
      'ROLLBACK TO s',
      'DELETE FROM orders',
      'COMMIT',
    ],
    ['START TRANSACTION', 'DELETE FROM orders', 'CREATE TABLE x (id int)', 'COMMIT AND CHAIN'],
    ['START TRANSACTION', 'SET SESSION TRANSACTION READ WRITE', 'COMMIT', 'SELECT erase()'],
  ].map((texts): readonly [string, Attack] => [
    texts.join('; '),
    async pool => {
      const connection = await pool.getConnection()
      for (const text of texts) await connection.query(text).catch(goesOn)
      await connection.query('ROLLBACK').catch(() => {})
      connection.release()
    },
  ]),
  [
    'connections at once',
    pool =>
      Promise.allSettled(
        Array.from({ length: 6 }, (_, i) => pool.query(`DELETE FROM orders WHERE id % 6 = ${i}`)),
      ),
  ],
  [
    'prepare() of a connection',
    async pool => {
      const connection = await pool.getConnection()
      try {
        const statement = await connection.prepare('DELETE FROM orders')
        await statement.execute([])
      } finally {
        connection.release()
      }
    },
  ],
]

for (const [name, attack] of WAYS) {
  test(`MySQL: does not bypass a budget: ${name}`, { timeout: 30_000 }, async () => {
    const pool = guardedPool()
    stopped = 0
    await actingAs(alice, () => attack(pool)).catch(goesOn)
    assert.ok(stopped + refusals.length > 0, 'nothing stopped it')
    const lost = await damage()
    assert.ok(lost <= 20, `${lost} rows were lost`)
    const [found] = await actingAs({ actor: 'user:bob' }, () =>
      pool.query<mysql.RowDataPacket[]>('SELECT 7 AS n'),
    )
    assert.equal(found[0]?.['n'], 7)
  })
}

test('MySQL: ordinary work goes through, and a refusal says what is left', async () => {
  const pool = guardedPool()
  await actingAs(alice, async () => {
    const [done] = await pool.execute<mysql.ResultSetHeader>('DELETE FROM orders WHERE id <= ?', [15])
    assert.equal(done.affectedRows, 15)
    await assert.rejects(pool.query('DELETE FROM orders WHERE id <= 25'), (error: unknown) => {
      assert.ok(error instanceof RowBudgetExceeded)
      assert.deepEqual([error.budget, error.scope, error.allowed, error.asked], ['*.delete', 'actor', 5, 10])
      return true
    })
    const connection = await pool.getConnection()
    await connection.beginTransaction()
    await connection.query("UPDATE orders SET note = 'x' WHERE id = 100")
    await connection.rollback()
    connection.release()
    await pool.query("INSERT INTO orders VALUES (1000, 1, 'new', 1000)")
  })
  assert.equal(refusals[0]?.acting?.actor, 'user:alice')
  await assert.rejects(pool.query('DELETE FROM orders WHERE id = 30'), /inside actingAs/)
  clock.advance(4_051_000)
  await actingAs(alice, () => pool.query('DELETE FROM orders WHERE id BETWEEN 30 AND 49'))
})

test('MySQL: what is rolled back is not counted, and a table has its own budget', async () => {
  const pool = guardedPool({ budgets: { 'orders.delete': rows(20, '1h'), 'lever.delete': rows(1, '1h') } })
  await actingAs(alice, async () => {
    for (let i = 0; i < 3; i++) {
      const connection = await pool.getConnection()
      await connection.beginTransaction()
      await connection.query('DELETE FROM orders WHERE id <= 20')
      await connection.rollback()
      connection.release()
    }
    await pool.query('DELETE FROM orders WHERE id <= 20')
    await assert.rejects(pool.query('DELETE FROM orders WHERE id = 21'), RowBudgetExceeded)
  })
})

test('MySQL: a table has its budget under every name, and functions that were rolled back count for nothing', async () => {
  const pool = guardedPool({ budgets: { 'orders.delete': rows(20, '1h') } })
  await actingAs(alice, async () => {
    for (const text of [
      'DELETE FROM all_orders',
      'DELETE FROM `orders`',
      'DELETE FROM shop.orders',
      'DELETE o FROM orders AS o',
      'INSERT INTO lever VALUES (1)',
    ])
      await assert.rejects(pool.query(text), RowBudgetExceeded, text)
    const connection = await pool.getConnection()
    await connection.beginTransaction()
    await connection.query('SELECT erase()')
    await connection.rollback()
    await connection.query('DELETE FROM orders WHERE id <= 20')
    connection.release()
  })
  assert.equal(await damage(), 20)
})

test('MySQL: who waits for a connection acts for itself', async () => {
  const pool = guardedPool({ budgets: { '*.delete': rows(1, '1h') } }, 1)
  const deletes = (name: string, id: number): Promise<unknown> =>
    actingAs({ actor: `user:${name}` }, () => pool.query(`DELETE FROM orders WHERE id = ${id}`))
  const names = ['a', 'b', 'c']
  await Promise.all(names.map((name, i) => deletes(name, i + 1)))
  const [left] = await owner.query<mysql.RowDataPacket[]>('SELECT id FROM orders WHERE id <= 3')
  assert.deepEqual(left, [])
  for (const name of names) await assert.rejects(deletes(name, 10), RowBudgetExceeded, name)
})

test('MySQL: reads are counted, and cascades are told apart from what a statement names', async () => {
  const reads = new ReadBudgets({ budgets: { '*.select': rows(100, '1h') }, clock })
  const pool = guardedPool({ reads, cascades: 'uncounted' })
  await actingAs(alice, async () => {
    await assert.rejects(pool.query('SELECT * FROM orders'), ReadBudgetExceeded)
    await assert.rejects(
      pool.execute(
        "SELECT group_concat(note SEPARATOR '-----------------------------------------') FROM orders",
      ),
      ReadBudgetExceeded,
    )
    const [found] = await pool.query<mysql.RowDataPacket[]>('SELECT * FROM orders WHERE id <= 100')
    assert.equal(found.length, 100)
    await assert.rejects(pool.query('SELECT * FROM orders WHERE id = 1'), ReadBudgetExceeded)
    await pool.query('DELETE FROM parents WHERE id = 1')
  })
})

test('MySQL: Kysely and Drizzle on a guarded pool', async () => {
  const db = new Kysely<{ orders: { id: number } }>({
    dialect: new MysqlDialect({
      pool: guardMysql(core.createPool({ uri: address() }), { budgets: BUDGETS, clock }),
    }),
  })
  const pool = guardedPool()
  const drizzled = drizzle({ client: pool })
  await actingAs({ actor: 'user:kim' }, async () => {
    await db.transaction().execute(async t => {
      await t.deleteFrom('orders').where('id', '=', 1).execute()
    })
    await assert.rejects(db.deleteFrom('orders').execute(), RowBudgetExceeded)
    await drizzled.execute('DELETE FROM orders WHERE id = 2')
    await assert.rejects(drizzled.transaction(async t => t.execute('DELETE FROM orders')))
  })
  assert.ok((await damage()) === 2)
  await db.destroy()
})

test('MySQL: TypeORM with a driver whose pools are guarded', async () => {
  const Orders = new EntitySchema<{ id: number; note: string }>({
    name: 'orders',
    columns: { id: { type: 'int', primary: true }, note: { type: 'varchar' } },
  })
  const guard = { budgets: BUDGETS, clock }
  const driver = {
    createPool: (options: core.PoolOptions) => guardMysql(core.createPool(options), guard),
  }
  // With replication TypeORM makes a cluster of pools, which would not be counted.
  const replicated = new DataSource({
    type: 'mysql',
    replication: { master: { url: address() }, slaves: [{ url: address() }] },
    driver,
  })
  await assert.rejects(replicated.initialize(), /createPoolCluster/)
  const source = new DataSource({ type: 'mysql', url: address(), driver, entities: [Orders] })
  await source.initialize()
  try {
    const orders = source.getRepository(Orders)
    await actingAs({ actor: 'user:lee' }, async () => {
      await orders.delete({ id: 1 })
      await source.transaction(async t => t.delete(Orders, { id: 2 }))
      for (const tooMuch of [
        () => orders.createQueryBuilder().delete().execute(),
        () => orders.createQueryBuilder().update().set({ note: 'x' }).execute(),
        () => source.transaction(async t => t.createQueryBuilder().delete().from(Orders).execute()),
      ])
        await assert.rejects(tooMuch(), (error: unknown) => budgetAnswer(error)?.status === 429)
      await assert.rejects(orders.clear(), /TRUNCATE cannot be counted/)
    })
    assert.ok((await damage()) === 2)
  } finally {
    await source.destroy()
  }
})

test('MySQL: a pool that allows several statements in one text is not guarded', async () => {
  const pool = mysql.createPool({ uri: address(), multipleStatements: true })
  assert.throws(() => guardMysql(pool, { budgets: BUDGETS }), ConfigError)
  await pool.end()
})
