import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import {
  actingAs,
  budgetAnswer,
  claimSigner,
  guardPool,
  ReadBudgetExceeded,
  ReadBudgets,
  type Refused,
  RowBudgetExceeded,
  rows,
} from '@postern/access'
import { ConfigError, VirtualClock } from '@postern/core'
import pg from 'pg'
import { until } from '../../../test/until.ts'
import { CLAIM_KEY, count, guarded } from './support/guarded.ts'

const place = await guarded(
  { after },
  `CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, note text);
   CREATE TABLE products (id int PRIMARY KEY, name text NOT NULL);
   CREATE VIEW people AS SELECT id, name FROM customers;
   INSERT INTO customers SELECT g, 'customer ' || g, 'note' FROM generate_series(1, 400) g;
   INSERT INTO products SELECT g, 'product ' || g FROM generate_series(1, 400) g;
   CREATE FUNCTION leak() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS 'SELECT name FROM public.customers';
   GRANT ALL ON ALL TABLES IN SCHEMA public TO APP`,
  { '*.delete': rows(500, '1h'), '*.update': rows(500, '1h') },
)
const clock = new VirtualClock()
const refusals: Refused[] = []
const own = {
  claim: claimSigner({ key: CLAIM_KEY }),
  onRefusal: (refusal: Refused) => refusals.push(refusal),
}
const pools: pg.Pool[] = []
after(() => Promise.all(pools.map(pool => pool.end())))
beforeEach(() => refusals.splice(0))

function poolWith(reads: ReadBudgets): pg.Pool {
  const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 2 }), { ...own, reads })
  pool.on('error', () => {})
  pools.push(pool)
  return pool
}

const hundred = (): ReadBudgets => new ReadBudgets({ budgets: { '*.select': rows(100, '1h') }, clock })
const alice = { actor: 'user:alice' }

/** Each tries to see more than 100 customers in one hour; says how many it saw. */
const WAYS: readonly (readonly [name: string, (pool: pg.Pool) => Promise<number>])[] = [
  ['SELECT of every row', async pool => (await pool.query('SELECT * FROM customers')).rows.length],
  ['TABLE', async pool => (await pool.query('TABLE customers')).rows.length],
  ['a view', async pool => (await pool.query('SELECT * FROM people')).rows.length],
  ['a function that returns rows', async pool => (await pool.query('SELECT * FROM leak()')).rows.length],
  [
    'expressions in place of columns',
    async pool => (await pool.query("SELECT name || '' FROM customers")).rows.length,
  ],
  [
    'a named prepared statement',
    async pool =>
      (await pool.query({ name: 'all', text: 'SELECT * FROM customers', values: [] })).rows.length,
  ],
  [
    'arrays in place of objects',
    async pool => (await pool.query({ text: 'SELECT * FROM customers', rowMode: 'array' })).rows.length,
  ],
  [
    'several statements in one text',
    async pool => {
      const results: unknown = await pool.query(
        'SELECT * FROM customers WHERE id <= 60; SELECT * FROM customers WHERE id > 60',
      )
      return Array.isArray(results) ? results.reduce((sum, { rows: seen }) => sum + seen.length, 0) : 0
    },
  ],
  [
    'a data-modifying statement that returns rows',
    async pool => (await pool.query('UPDATE customers SET note = note RETURNING *')).rows.length,
  ],
  [
    'EXECUTE of a prepared statement',
    async pool => {
      const client = await pool.connect()
      try {
        await client.query('PREPARE p AS SELECT * FROM customers')
        return (await client.query('EXECUTE p')).rows.length
      } finally {
        client.release()
      }
    },
  ],
  [
    'a cursor, ten by ten',
    async pool => {
      const client = await pool.connect()
      let seen = 0
      try {
        await client.query('BEGIN')
        await client.query('DECLARE c CURSOR FOR SELECT * FROM customers')
        for (let i = 0; i < 40; i++) seen += (await client.query('FETCH 10 FROM c')).rows.length
      } catch {
        // What it saw before counts.
      } finally {
        await client.query('ROLLBACK')
        client.release()
      }
      return seen
    },
  ],
  [
    'page by page',
    async pool => {
      let seen = 0
      for (let page = 0; page < 40; page++)
        seen += (
          await pool
            .query('SELECT * FROM customers ORDER BY id LIMIT 10 OFFSET $1', [page * 10])
            .catch(() => ({ rows: [] }))
        ).rows.length
      return seen
    },
  ],
  [
    'row events of a query',
    async pool => {
      const client = await pool.connect()
      let seen = 0
      try {
        const query = client.query(new pg.Query('SELECT * FROM customers'))
        query.on('row', () => seen++)
        await new Promise<void>(resolve => {
          query.on('error', () => resolve())
          query.on('end', () => resolve())
        })
      } finally {
        client.release()
      }
      return seen
    },
  ],
  [
    'two connections at once',
    async pool => {
      const all = await Promise.allSettled(
        [0, 1].map(half => pool.query('SELECT * FROM customers WHERE id % 5 = $1', [half])),
      )
      return all.reduce(
        (sum, result) => sum + (result.status === 'fulfilled' ? result.value.rows.length : 0),
        0,
      )
    },
  ],
]

for (const [name, way] of WAYS) {
  test(`does not bypass a budget of reads: ${name}`, { timeout: 30_000 }, async () => {
    const pool = poolWith(hundred())
    const seen = await actingAs(alice, () => way(pool)).catch((error: unknown) => {
      assert.ok(error instanceof ReadBudgetExceeded, String(error))
      return 0
    })
    assert.ok(seen <= 100, `${seen} rows were seen`)
    assert.notEqual(refusals.length + Number(name === 'two connections at once'), 0)
    // The connections are whole: what comes next gets its own answer.
    const next = await actingAs({ actor: 'user:bob' }, () =>
      pool.query('SELECT count(*)::int AS n FROM products'),
    )
    assert.deepEqual(next.rows, [{ n: 400 }])
  })
}

/** Ways for a whole table to come back as something other than its rows. */
const DUMP = "(SELECT string_agg(name || note, ',') FROM customers)"
const OTHER_WAYS: readonly (readonly [name: string, statements: readonly string[]])[] = [
  ['the text of an error', [`SELECT ${DUMP}::int`]],
  ['the detail of an error', [`DO $$ BEGIN RAISE EXCEPTION 'no' USING DETAIL = ${DUMP}; END $$`]],
  ['the name that an error gives', [`DO $$ BEGIN RAISE EXCEPTION 'no' USING TABLE = ${DUMP}; END $$`]],
  ['a notice', [`DO $$ BEGIN RAISE NOTICE '%', ${DUMP}; END $$`]],
  ['statistics', ["SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE tablename = 'customers'"]],
  [
    'a prepared statement',
    [
      `DO $$ BEGIN EXECUTE format('PREPARE dump AS SELECT %L', ${DUMP}); END $$`,
      'SELECT statement FROM pg_prepared_statements',
    ],
  ],
  [
    'a setting',
    [
      `SELECT count(set_config('search_path', quote_ident(${DUMP}), false))`,
      "SELECT setting FROM pg_settings WHERE name = 'search_path'",
    ],
  ],
  [
    'a comment',
    [
      `DO $$ BEGIN CREATE TEMP TABLE t (a int); EXECUTE format('COMMENT ON TABLE t IS %L', ${DUMP}); END $$`,
      'SELECT description FROM pg_description ORDER BY length(description) DESC LIMIT 1',
    ],
  ],
]
for (const [name, statements] of OTHER_WAYS)
  test(`does not bypass a budget of reads: ${name}`, { timeout: 30_000 }, async () => {
    await place.owner.query('ANALYZE customers')
    const pool = poolWith(new ReadBudgets({ budgets: { '*.select': rows(20, '1h') }, clock }))
    const client = await pool.connect()
    const notices: unknown[] = []
    client.on('notice', notice => notices.push(notice))
    await actingAs(alice, async () => {
      const last = statements.at(-1) ?? ''
      for (const text of statements.slice(0, -1)) await client.query(text)
      await assert.rejects(client.query(last), ReadBudgetExceeded)
      // The connection goes on, and what is short is free.
      await assert.rejects(client.query('SELECT 1 / 0'), /division by zero/)
      assert.equal((await client.query('SELECT id FROM public.customers LIMIT 5')).rows.length, 5)
    })
    assert.deepEqual(notices, [])
    await client.query('RESET search_path')
    client.release(true)
  })

test('budgets on changes are heard when the one on reads is spent', async () => {
  const pool = poolWith(new ReadBudgets({ budgets: { '*.select': rows(1, '1h') }, clock }))
  await actingAs({ actor: 'user:carol' }, async () => {
    await pool.query('SELECT id FROM customers LIMIT 1')
    await place.owner.query('INSERT INTO customers SELECT g, $1 FROM generate_series(1001, 1600) g', ['x'])
    await assert.rejects(pool.query('DELETE FROM customers WHERE id > 1000'), (error: unknown) => {
      assert.ok(error instanceof RowBudgetExceeded && !(error instanceof ReadBudgetExceeded))
      return true
    })
  })
  await place.owner.query(
    'SET session_replication_role = replica; DELETE FROM customers WHERE id > 1000; RESET session_replication_role',
  )
})

test('a pool that has connections already is not guarded', async () => {
  const pool = new pg.Pool({ connectionString: place.url })
  await pool.query('SELECT 1')
  assert.throws(() => guardPool(pool, own), /before its first use/)
  await pool.end()
})

test('a table in one value counts by its size', async () => {
  const pool = poolWith(new ReadBudgets({ budgets: { '*.select': rows(20, '1h') }, clock }))
  await actingAs(alice, async () => {
    await assert.rejects(
      pool.query("SELECT string_agg(name || note, ',') FROM customers"),
      ReadBudgetExceeded,
    )
    await assert.rejects(
      pool.query("SELECT query_to_xml('SELECT * FROM customers', true, false, '')"),
      ReadBudgetExceeded,
    )
  })
})

test('a result that was refused whole costs nothing, and the budget opens again as its window passes', async () => {
  const pool = poolWith(hundred())
  await actingAs(alice, async () => {
    await assert.rejects(pool.query('SELECT * FROM customers'), (error: unknown) => {
      assert.ok(error instanceof ReadBudgetExceeded)
      assert.deepEqual([error.budget, error.scope, error.allowed], ['*.select', 'actor', 100])
      const answer = budgetAnswer(error)
      assert.equal(answer?.status, 429)
      assert.match(String(answer?.body), /100 rows are left to be read/)
      return true
    })
    assert.equal((await pool.query('SELECT * FROM customers WHERE id <= 100')).rows.length, 100)
    await assert.rejects(pool.query('SELECT * FROM customers WHERE id = 1'), ReadBudgetExceeded)
    clock.advance(4_051_000)
    assert.equal((await pool.query('SELECT * FROM customers WHERE id = 1')).rows.length, 1)
  })
  await until(
    async () => (await count(place.owner, "postern_budgets.attempts WHERE budget = '*.select'")) > 0,
  )
})

test('tables have budgets of their own, joined rows count for each table, and tenants share theirs', async () => {
  const reads = new ReadBudgets({
    budgets: {
      'customers.select': rows(50, '1h', { tenant: 60 }),
      'products.select': rows(1_000, '1h', { table: 400 }),
    },
    clock,
  })
  const pool = poolWith(reads)
  const inAcme = (actor: string) => ({ actor, tenant: 'acme' })
  // The first statement of a process counts too: the names of tables are known before it is sent.
  await assert.rejects(
    actingAs({ actor: 'service:start' }, () => pool.query('SELECT * FROM customers LIMIT 51')),
    ReadBudgetExceeded,
  )
  await actingAs(inAcme('user:a'), async () => {
    await assert.rejects(
      pool.query('SELECT p.*, c.name FROM products AS p JOIN customers AS c USING (id)'),
      ReadBudgetExceeded,
    )
    assert.equal((await pool.query('SELECT * FROM products WHERE id <= 300')).rows.length, 300)
    assert.equal((await pool.query('SELECT * FROM customers WHERE id <= 50')).rows.length, 50)
  })
  await actingAs(inAcme('user:b'), async () => {
    await assert.rejects(pool.query('SELECT * FROM customers WHERE id <= 11'), (error: unknown) => {
      assert.ok(error instanceof ReadBudgetExceeded)
      assert.equal(error.scope, 'tenant')
      return true
    })
    await assert.rejects(pool.query('SELECT * FROM products'), ReadBudgetExceeded)
  })
})

test('rows of the catalog count by their size, and what nobody in particular reads does not', async () => {
  const pool = poolWith(new ReadBudgets({ budgets: { '*.select': rows(10, '1h') }, clock }))
  assert.equal((await pool.query('SELECT * FROM customers')).rows.length, 400)
  assert.ok((await pool.query('SELECT oid, relname FROM pg_class')).rows.length > 300)
  await actingAs(alice, async () => {
    for (let i = 0; i < 50; i++)
      await pool.query("SELECT relkind, reltuples FROM pg_class WHERE relname = 'customers'")
    await assert.rejects(pool.query('SELECT oid, relname FROM pg_class'), ReadBudgetExceeded)
  })
})

test('a stream of COPY is refused, for nobody could count it', async () => {
  const pool = poolWith(hundred())
  const client = await pool.connect()
  class CopyOut {
    readonly text = "COPY (SELECT name || ';' FROM customers) TO STDOUT"
    readonly failed: Promise<Error>
    handleError!: (error: Error) => void
    constructor() {
      this.failed = new Promise(resolve => {
        this.handleError = resolve
      })
    }
    submit(): void {
      assert.fail('it was sent')
    }
    handleReadyForQuery(): void {}
  }
  const copy = new CopyOut()
  actingAs(alice, () => client.query(copy))
  assert.match((await copy.failed).message, /COPY cannot be counted/)
  client.release()
})

test('budgets that say nothing about reads are a mistake', () => {
  assert.throws(() => new ReadBudgets({ budgets: { '*.delete': rows(1, '1h') } }), ConfigError)
})
