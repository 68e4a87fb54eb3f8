import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import {
  actingAs,
  type Budgets,
  claimSigner,
  guardPool,
  guardPostgresJs,
  ReadBudgetExceeded,
  ReadBudgets,
  RowBudgetExceeded,
  rows,
} from '@postern/access'
import { VirtualClock } from '@postern/core'
import pg from 'pg'
import postgres from 'postgres'
import { until } from '../../../test/until.ts'
import { TABLE_NAMES } from '../src/read/table-names.ts'
import { sizeOfValue } from '../src/read/value-size.ts'
import { CLAIM_KEY, count, guarded } from './support/guarded.ts'

const place = await guarded(
  { after },
  `CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, note text);
   INSERT INTO customers SELECT g, 'customer ' || g, '' FROM generate_series(1, 400) g;
   CREATE SCHEMA own; GRANT ALL ON SCHEMA own TO APP;
   GRANT ALL ON ALL TABLES IN SCHEMA public TO APP`,
  { '*.delete': rows(50, '1h'), '*.update': rows(50, '1h') },
)
const own = { claim: claimSigner({ key: CLAIM_KEY }) }
const alice = { actor: 'user:alice' }
const bob = { actor: 'user:bob' }
const pools: pg.Pool[] = []
after(() => Promise.all(pools.map(pool => pool.end())))

function poolWith(budgets: Budgets, options: pg.PoolConfig = {}): pg.Pool {
  const reads = new ReadBudgets({ budgets, clock: new VirtualClock() })
  const config = { connectionString: place.url, max: 1, idleTimeoutMillis: 0, ...options }
  const pool = guardPool(new pg.Pool(config), { ...own, reads })
  pool.on('error', () => {})
  pools.push(pool)
  return pool
}

const TWENTY: Budgets = { '*.select': rows(20, '1h') }
const EACH = 'FOR r IN SELECT id, name, upper(substr(md5(name), 1, 5)) AS code FROM customers LOOP'

/** What the application receives on a connection: rows, notices, notifications, errors. */
class Heard {
  readonly client: pg.PoolClient
  text = ''
  rows = 0

  constructor(client: pg.PoolClient) {
    this.client = client
    client.on('notice', ({ message, code }) => {
      this.text += `${message}${code}`
    })
    client.on('notification', ({ payload }) => {
      this.text += payload
    })
  }

  async run(...statements: readonly string[]): Promise<void> {
    for (const text of statements)
      try {
        const found = await this.client.query<Record<string, unknown>>(text)
        for (const row of found.rows ?? []) this.text += Object.values(row).join('')
        this.rows += found.fields?.length === 0 ? found.rows.length : 0
      } catch (error) {
        if (!(error instanceof ReadBudgetExceeded) && error instanceof Error) this.text += error.message
      }
  }
}

/** Each tries to learn more than 20 rows are good for, in pieces outside of rows, or in one row. */
const WAYS: readonly (readonly [name: string, way: (heard: Heard) => Promise<void>])[] = [
  [
    'a short notice for each row',
    heard => heard.run(`DO $$ DECLARE r record; BEGIN ${EACH} RAISE NOTICE '%', r.name; END LOOP; END $$`),
  ],
  [
    'notices of statements that are refused in the end',
    async heard => {
      for (let from = 0; from < 400; from += 50)
        await heard.run(`DO $$ DECLARE r record; BEGIN ${EACH} IF r.id > ${from} THEN RAISE NOTICE '%', r.name; END IF;
          END LOOP; END $$`)
    },
  ],
  [
    'the code of a notice',
    heard =>
      heard.run(
        `DO $$ DECLARE r record; BEGIN ${EACH} RAISE NOTICE '' USING ERRCODE = r.code; END LOOP; END $$`,
      ),
  ],
  [
    'a notification for each row',
    heard => heard.run('LISTEN c', "SELECT count(pg_notify('c', name)) FROM customers"),
  ],
  [
    'notifications that come when nobody reads',
    async heard => {
      await heard.run('LISTEN c')
      await place.owner.query("SELECT pg_notify('c', name) FROM customers; NOTIFY c, 'last'")
      await heard.run('SELECT 1')
    },
  ],
  [
    'the short text of an error, row by row',
    async heard => {
      for (let id = 1; id <= 400; id++)
        await heard.run(`SELECT (SELECT name FROM customers WHERE id = ${id})::int`)
    },
  ],
  [
    'names of columns in the catalog',
    heard =>
      heard.run(
        `DO $$ DECLARE r record; BEGIN CREATE TEMP TABLE wide (a int); ${EACH} EXECUTE format('ALTER TABLE wide ADD COLUMN %I int', r.name);
           END LOOP; END $$`,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'wide'::regclass",
      ),
  ],
  [
    'a temporary table that holds all in one row',
    heard =>
      heard.run("CREATE TEMP TABLE t AS SELECT string_agg(name, ',') AS x FROM customers", 'SELECT x FROM t'),
  ],
  [
    'a temporary view that is one row',
    heard =>
      heard.run("CREATE TEMP VIEW v AS SELECT string_agg(name, ',') AS x FROM customers", 'SELECT x FROM v'),
  ],
  [
    'a whole table in one row of another',
    heard =>
      heard.run(
        "UPDATE customers SET note = (SELECT string_agg(repeat(name, 50), ',') FROM customers) WHERE id = 1",
        'SELECT note FROM customers WHERE id = 1',
      ),
  ],
]

for (const [name, way] of WAYS)
  test(`does not bypass a budget of reads: ${name}`, { timeout: 60_000 }, async () => {
    const client = await poolWith(TWENTY).connect()
    const heard = new Heard(client)
    await actingAs(alice, () => way(heard))
    // What is sent beside the names, such as "invalid input syntax", is counted too.
    assert.ok(heard.text.length <= 21 * 64, `${heard.text.length} characters were seen`)
    client.release(true)
  })

test('does not bypass a budget of reads: the number of rows without columns', async () => {
  const client = await poolWith(TWENTY).connect()
  const heard = new Heard(client)
  await actingAs(alice, () =>
    heard.run('SELECT FROM generate_series(1, (SELECT ascii(name) FROM customers WHERE id = 1))'),
  )
  assert.ok(heard.rows <= 20, `${heard.rows} rows were counted`)
  client.release(true)
})

test('a temporary view of a table counts against the budgets of every table', async () => {
  const pool = poolWith({ 'customers.select': rows(20, '1h') })
  await actingAs(alice, async () => {
    await pool.query('CREATE TEMP VIEW mine AS SELECT * FROM customers')
    await assert.rejects(pool.query('SELECT id FROM mine'), ReadBudgetExceeded)
    assert.equal((await pool.query('SELECT id FROM customers LIMIT 20')).rows.length, 20)
  })
})

test('with postgres.js, short errors and temporary tables count as well', async () => {
  const reads = new ReadBudgets({ budgets: TWENTY, clock: new VirtualClock() })
  const sql = postgres(place.url, { max: 1, onnotice: () => {} })
  const shop = guardPostgresJs(sql, { ...own, reads })
  await actingAs(alice, async () => {
    await shop.run(session => session`SELECT id FROM customers LIMIT 1`)
    await shop.run(
      session => session`CREATE TEMP TABLE t AS SELECT string_agg(name, ',') AS x FROM customers`,
    )
    await assert.rejects(
      shop.run(session => session`SELECT x FROM t`),
      ReadBudgetExceeded,
    )
    let seen = 0
    for (let id = 1; id <= 100; id++)
      await shop
        .run(session => session.unsafe(`SELECT (SELECT name FROM customers WHERE id = ${id})::int`))
        .catch((error: unknown) => {
          seen += Number(!(error instanceof ReadBudgetExceeded))
        })
    assert.ok(seen < 30, `${seen} names were seen`)
  })
  await sql.end()
})

const SHAPES: readonly (readonly [name: string, options: object])[] = [
  ['rows in an object', { transform: { row: { from: (row: object) => ({ data: Object.values(row) }) } } }],
  ['rows as maps', { transform: { row: { from: (row: object) => new Map(Object.entries(row)) } } }],
  ['rows as texts', { transform: { row: { from: (row: object) => Object.values(row).join() } } }],
  ['values as maps', { transform: { value: { from: (value: unknown) => new Map([['value', value]]) } } }],
  ['other names', { transform: postgres.camel }],
  ['bigint', { types: { bigint: postgres.BigInt } }],
]

test('a value that holds itself, or says nothing of itself, counts as a page', () => {
  const made: { self?: object } = {}
  made.self = made
  assert.equal(sizeOfValue(made), 8192)
  assert.equal(sizeOfValue({ toJSON: () => undefined }), 8192)
  assert.deepEqual([null, 'four', 1n, { a: [1n] }].map(sizeOfValue), [0, 4, 8, 11])
})

for (const [name, options] of SHAPES)
  test(`with postgres.js, reads are counted whatever the application makes of them: ${name}`, async () => {
    const reads = new ReadBudgets({ budgets: TWENTY, clock: new VirtualClock() })
    const sql = postgres(place.url, { max: 1, onnotice: () => {}, ...options })
    const shop = guardPostgresJs(sql, { ...own, reads })
    await actingAs(alice, async () => {
      const few = await shop.run(
        session => session`SELECT array_agg(id::int8) AS some_ids FROM customers WHERE id < 3`,
      )
      assert.equal(few.length, 1)
      for (let i = 0; i < 3; i++)
        await shop
          .run(
            session =>
              session`SELECT array_agg(name) AS all_names, array_agg(id::int8) AS ids FROM customers`,
          )
          .then(
            () => assert.fail('was not counted'),
            (error: unknown) => assert.ok(error instanceof ReadBudgetExceeded, String(error)),
          )
    })
    await sql.end()
  })

test('notifications reach who listens on nobody’s behalf, uncounted', async () => {
  const pool = poolWith({ '*.select': rows(1, '1h') })
  const client = await pool.connect()
  const heard = new Heard(client)
  await client.query('LISTEN c')
  await place.owner.query("SELECT pg_notify('c', name) FROM (SELECT name FROM customers ORDER BY id) AS c")
  await until(() => heard.text.endsWith('customer 400'))
  assert.ok(heard.text.startsWith('customer 1customer 2'))
  client.release(true)
})

test('a function of the caller named as ours does not see the claims of others', async () => {
  const pool = poolWith(TWENTY)
  await actingAs(alice, () =>
    pool.query(`CREATE FUNCTION own.set_config(text, text, bool) RETURNS text LANGUAGE plpgsql AS $f$
      BEGIN PERFORM pg_catalog.set_config('own.kept', $2, false); RETURN pg_catalog.set_config($1, $2, $3); END $f$;
      CREATE FUNCTION own.pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 1';
      SET search_path = own, pg_catalog, public`),
  )
  await actingAs(bob, () => pool.query('UPDATE public.customers SET note = $1 WHERE id = 7', ['of bob']))
  const { rows: kept } = await pool.query<{ x: string | null }>(
    "SELECT current_setting('own.kept', true) AS x",
  )
  assert.deepEqual(kept, [{ x: null }])
})

test('a temporary view named as the catalog does not give a table another name', {
  timeout: 60_000,
}, async () => {
  const pool = poolWith({ 'customers.select': rows(20, '1h'), '*.select': rows(1_000, '1h') })
  await actingAs(alice, () =>
    pool.query(`CREATE TEMP VIEW pg_class AS SELECT oid, relnamespace, relkind, relpersistence,
      CASE WHEN relname = 'customers' THEN 'other' ELSE relname::text END AS relname FROM pg_catalog.pg_class`),
  )
  // What asks for names again, once tables come up that were made since.
  const { rows: found } = await pool.query<{ relname: string }>(TABLE_NAMES)
  const learned = found.map(({ relname }) => relname)
  assert.ok(learned.includes('customers') && !learned.includes('other'), learned.join())
})

test('a pipeline of statements is counted, each for its own actor, and a failed transaction ends in it', async () => {
  const pool = poolWith({ '*.select': rows(100, '1h') }, { pipeline: true } as pg.PoolConfig)
  const client = await pool.connect()
  const send = (actor: { readonly actor: string }, ...texts: readonly string[]): Promise<unknown>[] =>
    texts.map(text => actingAs(actor, () => client.query(text)))
  const outcomes = (all: PromiseSettledResult<unknown>[]): string[] =>
    all.map(one => (one.status === 'fulfilled' ? 'done' : String(one.reason.code ?? one.reason)))
  const failed = await Promise.allSettled(
    send(alice, 'BEGIN', 'SELECT 1 / 0', 'ROLLBACK', 'DELETE FROM customers WHERE id = 400'),
  )
  assert.deepEqual(outcomes(failed), ['done', '22012', 'done', 'done'])
  const mixed = await Promise.allSettled([
    ...send(alice, 'DELETE FROM customers WHERE id > 350', 'SELECT id FROM customers LIMIT 60'),
    ...send(bob, 'DELETE FROM customers WHERE id > 300', 'SELECT id FROM customers LIMIT 60'),
    ...send(alice, 'DEALLOCATE ALL', 'SELECT id FROM customers LIMIT 60', 'SELECT 1'),
    ...send(bob, 'SELECT id FROM customers LIMIT 40', 'DELETE FROM customers WHERE id = 1'),
  ])
  const refused = mixed.flatMap((one, place) =>
    one.status === 'rejected' && one.reason instanceof RowBudgetExceeded ? [place] : [],
  )
  assert.deepEqual(refused, [5, 8])
  assert.equal(await count(place.owner, 'customers'), 300)
  const next = await Promise.all(send(alice, 'SELECT 2', 'SELECT 3'))
  assert.equal(next.length, 2)
  client.release()
})
