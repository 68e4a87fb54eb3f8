import assert from 'node:assert/strict'
import { test } from 'node:test'
import { budgetStatus, installBudgets, rows } from '@postern/access'
import type pg from 'pg'
import { CLAIM_KEY, count, type Guarded, guarded } from './support/guarded.ts'

/** A table that comes under a small budget by a statement of its owner, and how many rows it has then. */
interface Move {
  readonly name: string
  readonly make: string
  readonly move: string
  /** What the table is called then. */
  readonly table: string
}

const FILLED = 'AS SELECT g AS id FROM generate_series(1, 50) AS g'

const MOVES: readonly Move[] = [
  {
    name: 'a table that takes the name of another',
    make: `CREATE TABLE orders (id int); CREATE TABLE orders_new ${FILLED}`,
    move: 'ALTER TABLE orders RENAME TO orders_old; ALTER TABLE orders_new RENAME TO orders',
    table: 'orders',
  },
  {
    name: 'a table that takes the name of another, renamed as an index may be',
    make: `CREATE TABLE orders (id int); CREATE TABLE orders_new ${FILLED}`,
    move: 'ALTER INDEX orders RENAME TO orders_old; ALTER INDEX orders_new RENAME TO orders',
    table: 'orders',
  },
  {
    name: 'a table that is attached as a partition',
    make: `CREATE TABLE orders (id int) PARTITION BY RANGE (id); CREATE TABLE loose ${FILLED}`,
    move: 'ALTER TABLE orders ATTACH PARTITION loose FOR VALUES FROM (0) TO (1000)',
    table: 'loose',
  },
  {
    name: 'a partitioned table whose partitions stay as they are when it is renamed',
    make: `CREATE TABLE later (id int) PARTITION BY RANGE (id);
           CREATE TABLE part PARTITION OF later FOR VALUES FROM (0) TO (1000); INSERT INTO later SELECT generate_series(1, 50)`,
    move: 'ALTER TABLE later RENAME TO orders',
    table: 'part',
  },
  {
    name: 'a table that moves into the schema',
    make: `CREATE SCHEMA staging; CREATE TABLE staging.orders ${FILLED}`,
    move: 'ALTER TABLE staging.orders SET SCHEMA public',
    table: 'orders',
  },
  {
    name: 'a table made with its schema',
    make: '',
    move: 'CREATE SCHEMA shop CREATE TABLE orders (id int); INSERT INTO shop.orders SELECT generate_series(1, 50)',
    table: 'shop.orders',
  },
  {
    name: 'a table whose schema takes the name',
    make: `CREATE SCHEMA staging; CREATE TABLE staging.orders ${FILLED}`,
    move: 'ALTER SCHEMA staging RENAME TO shop',
    table: 'shop.orders',
  },
]

const BUDGETS = { '*.delete': rows(1_000, '1h', { undo: false }), 'orders.delete': rows(5, '1h') }

for (const { name, make, move, table } of MOVES) {
  test(`the budget of its new place holds for ${name}`, async t => {
    const place = await guarded(t, make, BUDGETS, { schemas: ['public', 'shop'] })
    const client = await place.owner.connect()
    try {
      await client.query(`SET session_replication_role = replica; ${move}; RESET session_replication_role`)
    } finally {
      client.release()
    }
    await place.owner.query(
      `GRANT USAGE ON SCHEMA ${table.includes('.') ? 'shop' : 'public'} TO ${place.role}; GRANT ALL ON ${table} TO ${place.role}`,
    )
    await assert.rejects(change(place, `DELETE FROM ${table} WHERE id <= 40`), { code: 'PB001' })
    await assert.rejects(change(place, `TRUNCATE ${table}`), { code: 'PB001' })
    assert.equal(await count(place.owner, table), 50)
    assert.deepEqual(
      (await budgetStatus(place.database)).tables.filter(({ unguarded }) => unguarded.length > 0),
      [],
    )
  })
}

test('a table that was renamed where nothing follows is shown as unguarded', async t => {
  const place = await guarded(t, `CREATE TABLE orders_new ${FILLED}`, BUDGETS)
  await place.owner.query(
    'DROP EVENT TRIGGER postern_budgets_follow; ALTER TABLE orders_new RENAME TO orders',
  )
  assert.deepEqual((await budgetStatus(place.database)).tables, [
    { table: 'orders', guarded: [], unguarded: ['delete', 'truncate'] },
  ])
})

test('a trigger that the owner disabled stays disabled when another table is made', async t => {
  const place = await guarded(t, 'CREATE TABLE orders (id int)', BUDGETS)
  await place.owner.query(
    'ALTER TABLE orders DISABLE TRIGGER postern_budget_delete; CREATE TABLE next (id int)',
  )
  const status = await budgetStatus(place.database)
  assert.deepEqual(status.tables.find(entry => entry.table === 'orders')?.unguarded, ['delete'])
})

test('a smaller budget also holds for who was changing rows while it was installed', async t => {
  const place = await guarded(t, `CREATE TABLE orders ${FILLED}; GRANT ALL ON orders TO APP`, {
    'orders.delete': rows(100, '1h'),
  })
  const early = await place.connect()
  await begin(place, early)
  await early.query('DELETE FROM orders WHERE id = 1')
  const installed = installBudgets(place.database, {
    budgets: { 'orders.delete': rows(5, '1h') },
    claimKeys: [CLAIM_KEY],
  })
  while (
    (await count(
      place.owner,
      'pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())',
    )) === 0
  );
  await early.query('COMMIT')
  await installed
  await assert.rejects(change(place, 'DELETE FROM orders WHERE id <= 40'), { code: 'PB001' })
  await change(place, 'DELETE FROM orders WHERE id <= 5')
  await assert.rejects(change(place, 'DELETE FROM orders WHERE id = 6'), { code: 'PB001' })
})

async function begin(place: Guarded, client: pg.Client): Promise<void> {
  await client.query('BEGIN')
  await client.query("SELECT set_config('postern.claim', $1, true)", [place.claim()])
}

/** One statement of the application in a transaction of its own. */
async function change(place: Guarded, statement: string): Promise<void> {
  const client = await place.connect()
  try {
    await begin(place, client)
    await client.query(statement)
    await client.query('COMMIT')
  } finally {
    await client.end()
  }
}
