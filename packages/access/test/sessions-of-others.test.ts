import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { actingAs, claimSigner, type GuardOptions, guardPool, rows } from '@postern/access'
import pg from 'pg'
import { CLAIM_KEY, type Guarded, guarded } from './support/guarded.ts'

const place: Guarded = await guarded(
  { after },
  'CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT g FROM generate_series(1, 1000) g; GRANT ALL ON orders TO APP',
  { 'orders.delete': rows(60, '1h'), 'orders.update': rows(1_000, '1h') },
)
const thief = { actor: 'user:thief' }
const alice = { actor: 'user:alice' }
const bob = { actor: 'user:bob' }

/** One connection that all actors share, one after the other. */
function shared(t: TestContext, options: Partial<GuardOptions> = {}, config: pg.PoolConfig = {}): pg.Pool {
  const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 1, ...config }), {
    claim: claimSigner({ key: CLAIM_KEY }),
    ...options,
  })
  pool.on('error', () => {})
  // After all hooks: it waits for clients.
  t.after(() => setImmediate(() => void pool.end()))
  return pool
}

/** Puts a statement that keeps what it is given in place of all that take a claim, and of some that could. */
const KEEP_CLAIMS = `DO $$
DECLARE s record;
BEGIN
  FOR s IN SELECT name FROM pg_prepared_statements WHERE statement LIKE '%postern.claim%'
    UNION SELECT 'postern_claim' UNION SELECT 'postern_claim_' || g FROM generate_series(1, 9) AS g
  LOOP
    IF EXISTS (SELECT FROM pg_prepared_statements AS p WHERE p.name = s.name) THEN EXECUTE 'DEALL' || 'OCATE ' || quote_ident(s.name); END IF;
    EXECUTE format('PREPARE %I (text) AS SELECT set_config(''loot.claims'', current_setting(''loot.claims'', true) || $1, false)', s.name);
  END LOOP;
  PERFORM set_config('loot.claims', 'none', false);
END $$`

for (const transactions of [1, 2, 3, 5]) {
  test(`what somebody prepared in a session gets no claim of the next actors, after ${transactions} transactions`, async t => {
    const pool = shared(t)
    const work = async (): Promise<void> => {
      for (let i = 0; i < transactions; i++)
        await pool.query('UPDATE orders SET note = $1 WHERE id = 1', ['x'])
    }
    for (const actor of [alice, thief]) await actingAs(actor, work)
    await actingAs(thief, () => pool.query(KEEP_CLAIMS))
    for (const actor of [alice, bob]) await actingAs(actor, work)
    await pool.query("SELECT 'outside of any actor'")
    await actingAs(bob, work)
    const { rows: found } = await pool.query<{ claims: string }>(
      "SELECT current_setting('loot.claims', true) AS claims",
    )
    assert.equal(found[0]?.claims, 'none')
  })
}

/** What somebody can leave in a session, and what the next actor would see of it. */
const LEFT: readonly (readonly [what: string, leave: string, look: string, seen: string])[] = [
  [
    'a temporary view',
    'CREATE TEMP VIEW orders AS SELECT 0 AS id',
    'SELECT count(*) AS n FROM orders',
    '1000',
  ],
  [
    'a setting',
    "SELECT set_config('loot.claims', 'kept', false)",
    "SELECT coalesce(nullif(current_setting('loot.claims', true), ''), 'none') AS n",
    'none',
  ],
  [
    'a search path',
    "SELECT set_config('search_path', 'pg_temp', false)",
    'SELECT count(*) AS n FROM orders',
    '1000',
  ],
  [
    'a prepared statement',
    'PREPARE mine AS SELECT 1',
    'SELECT count(*) AS n FROM pg_prepared_statements WHERE from_sql',
    '0',
  ],
  [
    'a lock that outlasts its transaction',
    'SELECT pg_advisory_lock(7)',
    "SELECT count(*) AS n FROM pg_locks WHERE locktype = 'advisory' AND objid = 7",
    '0',
  ],
]

for (const [what, leave, look, seen] of LEFT) {
  test(`with discardBetweenActors, ${what} does not reach the next actor`, async t => {
    const pool = shared(t, { discardBetweenActors: true })
    const read = async (): Promise<string> => {
      const { rows: found } = await pool.query<{ n: unknown }>(look)
      return String(found[0]?.n)
    }
    await actingAs(thief, () => pool.query(leave))
    assert.equal(await actingAs(alice, read), seen)
    await actingAs(thief, () => pool.query(leave))
    assert.equal(await read(), seen, 'a statement on behalf of nobody')
  })
}

test('with discardBetweenActors, one actor keeps its session, and named statements work for all', async t => {
  const pool = shared(t, { discardBetweenActors: true })
  const named = {
    name: 'one',
    text: 'UPDATE orders SET note = $1 WHERE id = 2 RETURNING note',
    values: ['y'],
  }
  await actingAs(alice, async () => {
    await pool.query('CREATE TEMP TABLE mine AS SELECT 7 AS n')
    await pool.query(named)
    assert.deepEqual((await pool.query('SELECT n FROM mine')).rows, [{ n: 7 }])
    assert.deepEqual((await pool.query(named)).rows, [{ note: 'y' }])
  })
  for (const actor of [bob, alice, bob])
    assert.deepEqual((await actingAs(actor, () => pool.query(named))).rows, [{ note: 'y' }])
})

test('with discardBetweenActors, a transaction of one actor is not disturbed by a statement of another in it', async t => {
  const pool = shared(t, { discardBetweenActors: true })
  const client = await pool.connect()
  // Before the end of the pool, which waits for it.
  t.after(() => client.release(true))
  await actingAs(alice, () => client.query('BEGIN'))
  await actingAs(alice, () => client.query('CREATE TEMP TABLE mine AS SELECT 7 AS n'))
  await actingAs(bob, () => client.query('SELECT 1'))
  await client.query('SELECT 2')
  assert.equal((await actingAs(alice, () => client.query('SELECT n FROM mine'))).rowCount, 1)
  await actingAs(alice, () => client.query('COMMIT'))
  await assert.rejects(
    actingAs(alice, () => client.query('SELECT n FROM mine')),
    { code: '42P01' },
  )
  assert.equal(
    (await actingAs(bob, () => client.query('UPDATE orders SET note = NULL WHERE id = 3'))).rowCount,
    1,
  )
})

test('with discardBetweenActors, statements of a pipeline are each claimed for who sent them', async t => {
  const pool = shared(t, { discardBetweenActors: true }, { pipeline: true } as pg.PoolConfig)
  const client = await pool.connect()
  // Before the end of the pool, which waits for it.
  t.after(() => client.release(true))
  const send = (actor: { readonly actor: string }, text: string) => actingAs(actor, () => client.query(text))
  for (let turn = 0; turn < 2; turn++) {
    const answers = await Promise.all([
      send(alice, 'UPDATE orders SET note = NULL WHERE id = 4 RETURNING id'),
      send(bob, 'UPDATE orders SET note = NULL WHERE id = 5 RETURNING id'),
      client.query('SELECT 6 AS id'),
      send(alice, 'SELECT 7 AS id; SELECT 8 AS id').then(both => (both as unknown as pg.QueryResult[])[1]),
    ])
    assert.deepEqual(
      answers.map(answer => answer?.rows[0]?.id),
      [4, 5, 6, 8],
    )
  }
})

test('statements of these names that somebody prepared are not in the way of anybody', async t => {
  const pool = shared(t)
  await actingAs(thief, () => pool.query('PREPARE postern_claim (text) AS SELECT $1'))
  for (const actor of [alice, alice, alice, bob, bob, thief, thief]) {
    const changed = await actingAs(actor, () => pool.query("UPDATE orders SET note = 'z' WHERE id = 6"))
    assert.equal(changed.rowCount, 1)
  }
  const { rows: usage } = await place.owner.query<{ key: string }>('SELECT key FROM postern_budgets.usage()')
  for (const { actor } of [alice, bob, thief]) assert.ok(usage.some(({ key }) => key === actor))
})

for (const [how, leave] of [
  ['open', ['BEGIN']],
  ['open and without a claim', ['BEGIN', 'COMMIT AND CHAIN']],
  ['failed', ['BEGIN', 'SELECT 1 / 0']],
  ['open, and a change in it', ['BEGIN', 'UPDATE orders SET note = NULL WHERE id = 20']],
] as const)
  test(`nobody is in a transaction that another has left ${how}`, async t => {
    const pool = shared(t)
    for (const id of [10, 11, 12]) {
      await actingAs(thief, async () => {
        const client = await pool.connect()
        for (const text of leave) await client.query(text).catch(() => {})
        client.release()
      })
      const text = 'UPDATE orders SET note = $1 WHERE id = $2'
      assert.equal((await actingAs(alice, () => pool.query(text, [how, id]))).rowCount, 1)
      await actingAs(thief, () => pool.query('ROLLBACK'))
      const { rows: found } = await place.owner.query('SELECT note FROM orders WHERE id = $1', [id])
      assert.deepEqual(found, [{ note: how }])
    }
    const { rows: journal } = await place.owner.query<{ note: string | null }>(
      'SELECT note FROM orders WHERE id = 20',
    )
    assert.deepEqual(journal, [{ note: null }])
  })

test('several statements in one text leave no transaction open', async t => {
  const pool = shared(t)
  await actingAs(thief, () => pool.query('SELECT 1; BEGIN; DELETE FROM orders WHERE id = 30'))
  await actingAs(alice, () => pool.query('UPDATE orders SET note = $1 WHERE id = 31', ['kept']))
  await actingAs(thief, () => pool.query('ROLLBACK'))
  const { rows: found } = await place.owner.query('SELECT note FROM orders WHERE id IN (30, 31) ORDER BY id')
  assert.deepEqual(found, [{ note: null }, { note: 'kept' }])
})

test('a statement of the pool begins no transaction, for the next may go over another connection', async t => {
  const pool = shared(t)
  for (const begin of [
    'BEGIN',
    ' /* x */ start transaction read write;',
    { text: 'BEGIN ISOLATION LEVEL SERIALIZABLE' },
  ])
    await assert.rejects(
      actingAs(alice, () => pool.query(begin as string)),
      /begins a transaction/,
    )
  const called = await new Promise(resolve => pool.query('BEGIN', resolve))
  assert.match(String(called), /begins a transaction/)
  assert.equal((await actingAs(alice, () => pool.query('BEGIN; SELECT 1; COMMIT'))) !== undefined, true)
})

test('a transaction that is ended without waiting for it, as the connection is given back, is committed', async t => {
  const pool = shared(t)
  const client = await pool.connect()
  const ended = actingAs(alice, () => {
    const all = ['BEGIN', "UPDATE orders SET note = 'ended' WHERE id = 40", 'COMMIT'].map(text =>
      client.query(text),
    )
    client.release()
    return Promise.all(all)
  })
  await ended
  const { rows: found } = await place.owner.query('SELECT note FROM orders WHERE id = 40')
  assert.deepEqual(found, [{ note: 'ended' }])
})
