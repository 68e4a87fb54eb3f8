import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  actingAs,
  budgetStatus,
  claimSigner,
  guardPool,
  installBudgets,
  planBudgets,
  RowBudgetExceeded,
  removeBudgets,
  rows,
  signBudgetGrant,
} from '@postern/access'
import { ConfigError } from '@postern/core'
import { connectPostgres } from '@postern/store'
import pg from 'pg'
import { freshDatabase } from '../../../test/fresh.ts'
import { findBinary } from '../../../test/local-server.ts'
import { CLAIM_KEY, count, GRANT_KEY, guarded } from './support/guarded.ts'

const ORDERS = `
CREATE TABLE orders (id int PRIMARY KEY, note text);
INSERT INTO orders SELECT g FROM generate_series(1, 1000) g;
CREATE TABLE items (id int PRIMARY KEY, note text);
INSERT INTO items SELECT g FROM generate_series(1, 1000) g;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, items TO APP;`

/** A guarded pool of the application's role. */
function poolOf(url: string, t: { after(work: () => Promise<void>): void }): pg.Pool {
  const pool = guardPool(new pg.Pool({ connectionString: url, max: 4 }), {
    claim: claimSigner({ key: CLAIM_KEY }),
  })
  pool.on('error', () => {})
  t.after(() => pool.end())
  return pool
}

const refusedBy = (scope: string, allowed: number) => (error: unknown) => {
  assert.ok(error instanceof RowBudgetExceeded, String(error))
  assert.deepEqual([error.scope, error.allowed], [scope, allowed])
  return true
}

test('limits of the tenant, the table and everyone hold over all actors together', async t => {
  const place = await guarded(t, ORDERS, {
    'some.delete': rows(30, '1h', {
      tables: ['orders', 'items'],
      actions: ['delete'],
      tenant: 50,
      table: 60,
      global: 70,
    }),
  })
  const pool = poolOf(place.url, t)
  const remove = (actor: string, tenant: string, table: string, from: number, to: number): Promise<unknown> =>
    actingAs({ actor, tenant }, () => pool.query(`DELETE FROM ${table} WHERE id > ${from} AND id <= ${to}`))
  await remove('user:a', 'acme', 'orders', 0, 30)
  await assert.rejects(remove('user:a', 'acme', 'orders', 30, 31), refusedBy('actor', 0))
  await remove('user:b', 'acme', 'orders', 30, 50)
  await assert.rejects(remove('user:b', 'acme', 'orders', 50, 51), refusedBy('tenant', 0))
  await remove('user:c', 'beta', 'orders', 50, 60)
  await assert.rejects(remove('user:d', 'gamma', 'orders', 60, 61), refusedBy('table', 0))
  await remove('user:d', 'gamma', 'items', 0, 10)
  await assert.rejects(remove('user:e', 'delta', 'items', 10, 30), refusedBy('global', 0))
  assert.equal(await count(place.owner, 'orders'), 940)
  assert.equal(await count(place.owner, 'items'), 990)
})

test('a grant lets one transaction over the budget, and costs the budget nothing', async t => {
  const place = await guarded(t, ORDERS, { 'orders.delete': rows(10, '1h') })
  const pool = poolOf(place.url, t)
  const act = 'c'.repeat(64)
  const grant = signBudgetGrant(
    {
      id: randomBytes(16).toString('hex'),
      actor: 'user:a',
      tenant: '',
      act,
      budgets: ['orders.delete'],
      rows: 500,
      expiresAt: Date.now() + 60_000,
    },
    GRANT_KEY,
  )
  await actingAs({ actor: 'user:a', act, grant }, async () => {
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query('DELETE FROM orders WHERE id <= 300')
    await client.query('DELETE FROM orders WHERE id <= 500')
    await client.query('COMMIT')
    client.release()
  })
  assert.equal(await count(place.owner, 'orders'), 500)
  await actingAs({ actor: 'user:a' }, () => pool.query('DELETE FROM orders WHERE id <= 510'))
  assert.equal(await count(place.owner, 'orders'), 490)
  const { rows: used } = await place.owner.query(
    'SELECT actor, rows::int, counts[1]::int AS used FROM postern_budgets.redeemed',
  )
  assert.deepEqual(used, [{ actor: 'user:a', rows: 500, used: 500 }])
})

test('a grant that is rolled back can be used again', async t => {
  const place = await guarded(t, ORDERS, { 'orders.delete': rows(10, '1h') })
  const pool = poolOf(place.url, t)
  const act = 'd'.repeat(64)
  const grant = signBudgetGrant(
    {
      id: 'ef'.repeat(16),
      actor: 'user:a',
      tenant: '',
      act,
      budgets: ['orders.delete'],
      rows: 100,
      expiresAt: Date.now() + 60_000,
    },
    GRANT_KEY,
  )
  await actingAs({ actor: 'user:a', act, grant }, async () => {
    await assert.rejects(pool.query('DELETE FROM orders'), refusedBy('actor', 100))
    await pool.query('DELETE FROM orders WHERE id <= 100')
  })
  assert.equal(await count(place.owner, 'orders'), 900)
})

test('without a claim a role is counted under its own name when that is configured, and an exempt role is not counted', async t => {
  const place = await guarded(
    t,
    ORDERS,
    { 'orders.delete': rows(20, '1h') },
    { unclaimed: 'count', exempt: ['postgres'] },
  )
  const app = await place.connect()
  await app.query('DELETE FROM orders WHERE id <= 20')
  await assert.rejects(
    app.query('DELETE FROM orders WHERE id = 21'),
    /budget "orders.delete" has 0 rows left/,
  )
  const { rows: counted } = await place.owner.query('SELECT key FROM postern_budgets.usage()')
  assert.deepEqual(counted, [{ key: `role:${place.role}` }])
  await place.owner.query('DELETE FROM orders WHERE id <= 500')
  assert.equal(await count(place.owner, 'orders'), 500)
})

test('what is printed is what is installed: the script makes the same triggers and functions, and holds no key', async t => {
  const options = {
    budgets: { '*.delete': rows(5, '1h', { over: 'approval' }) },
    claimKeys: [CLAIM_KEY],
  } as const
  const plan = planBudgets(options)
  assert.doesNotMatch(plan.sql, /\\x|36363636/)
  const [byScript, byCall] = await Promise.all([freshDatabase(t), freshDatabase(t)])
  const psql = findBinary('psql')
  assert.ok(psql !== undefined)
  const made = spawnSync(
    psql,
    [byScript, '-q', '-v', 'ON_ERROR_STOP=1', '-c', 'CREATE TABLE orders (id int PRIMARY KEY)'],
    { encoding: 'utf8' },
  )
  assert.equal(made.status, 0, made.stderr)
  const script = spawnSync(
    psql,
    [byScript, '-q', '-v', 'ON_ERROR_STOP=1', '-v', 'inner_pad=\\x00', '-v', 'outer_pad=\\x00'],
    { encoding: 'utf8', input: plan.sql },
  )
  assert.equal(script.status, 0, script.stderr)
  const database = connectPostgres({ url: byCall })
  t.after(() => database.close())
  await database.query('CREATE TABLE orders (id int PRIMARY KEY)')
  await installBudgets(database, options)
  const other = connectPostgres({ url: byScript })
  t.after(() => other.close())
  const everything = `
    SELECT 'function ' || p.oid::regprocedure::text || md5(pg_get_functiondef(p.oid)) || p.proacl::text AS line FROM pg_proc p WHERE pronamespace = 'postern_budgets'::regnamespace
    UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT c.oid::regclass::text || coalesce(relacl::text, '') FROM pg_class c WHERE relnamespace = 'postern_budgets'::regnamespace
    UNION ALL SELECT 'limit ' || concat_ws(' ', budget, scope, rows, step, over) FROM postern_budgets.limits
    ORDER BY 1`
  const [a, b] = [await database.query(everything), await other.query(everything)]
  assert.ok(a.rows.length > 40)
  assert.deepEqual(a.rows, b.rows)
})

test('installing again changes what is limited, guards new tables, takes triggers away that are no longer wanted, and keeps the counts', async t => {
  const place = await guarded(t, ORDERS, { 'orders.delete': rows(20, '1h'), 'items.update': rows(20, '1h') })
  const pool = poolOf(place.url, t)
  await actingAs({ actor: 'user:a' }, () => pool.query('DELETE FROM orders WHERE id <= 20'))
  await installBudgets(place.database, {
    budgets: { 'orders.delete': rows(25, '1h') },
    claimKeys: [CLAIM_KEY],
  })
  const status = await budgetStatus(place.database)
  assert.deepEqual(
    status.limits.map(({ budget, rows, mostUsed }) => ({ budget, rows, mostUsed })),
    [{ budget: 'orders.delete', rows: 25, mostUsed: 20 }],
  )
  assert.deepEqual(status.tables, [{ table: 'orders', guarded: ['delete', 'truncate'], unguarded: [] }])
  await actingAs({ actor: 'user:a' }, () => pool.query('DELETE FROM orders WHERE id <= 25'))
  await assert.rejects(
    actingAs({ actor: 'user:a' }, () => pool.query('DELETE FROM orders WHERE id = 26')),
    refusedBy('actor', 0),
  )
  assert.equal(
    await count(place.owner, "pg_trigger WHERE tgrelid = 'items'::regclass AND NOT tgisinternal"),
    0,
  )
})

test('removing leaves the tables as they were, and nothing else', async t => {
  const place = await guarded(t, ORDERS, { '*.delete': rows(20, '1h') })
  await removeBudgets(place.database)
  assert.equal((await budgetStatus(place.database)).isInstalled, false)
  assert.equal(await count(place.owner, 'pg_trigger WHERE NOT tgisinternal'), 0)
  assert.equal(await count(place.owner, 'pg_event_trigger'), 0)
  const app = await place.connect()
  await app.query('DELETE FROM orders')
})

test('an owner who is not a superuser can install; tables made later are reported until budgets are installed again', async t => {
  const url = await freshDatabase(t)
  const admin = connectPostgres({ url })
  const role = `owner_${randomBytes(6).toString('hex')}`
  const own = new URL(url)
  await admin.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT ALL ON DATABASE ${own.pathname.slice(1)} TO ${role}; GRANT ALL ON SCHEMA public TO ${role}`,
  )
  own.username = role
  own.password = 'x'
  const database = connectPostgres({ url: own.href })
  await database.query('CREATE TABLE a (id int PRIMARY KEY)')
  const options = { budgets: { '*.delete': rows(5, '1h') }, claimKeys: [CLAIM_KEY] }
  await installBudgets(database, options)
  await database.query('CREATE TABLE b (id int PRIMARY KEY)')
  const before = await budgetStatus(database)
  assert.equal(before.followsNewTables, false)
  assert.deepEqual(before.tables.find(({ table }) => table === 'b')?.unguarded, ['delete', 'truncate'])
  assert.ok(before.waysRound.some(({ what }) => what === 'tables made later'))
  assert.ok(before.waysRound.some(({ what, why }) => what === `role ${role}` && why === 'owns a, b'))
  await installBudgets(database, options)
  assert.deepEqual((await budgetStatus(database)).tables.find(({ table }) => table === 'b')?.unguarded, [])
  await database.close()
  await admin.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
  await admin.close()
})

test('the report names every role that could get around, and how it would', async t => {
  const place = await guarded(t, ORDERS, { '*.delete': rows(20, '1h') }, { exempt: ['nightly'] })
  const clean = await budgetStatus(place.database)
  assert.deepEqual(
    clean.waysRound.filter(({ what }) => what === `role ${place.role}`),
    [],
  )
  const group = `group_${randomBytes(6).toString('hex')}`
  await place.owner.query(`
    CREATE ROLE ${group}; ALTER TABLE orders OWNER TO ${group}; GRANT ${group} TO ${place.role};
    GRANT SET ON PARAMETER session_replication_role TO ${place.role}; GRANT TRIGGER ON items TO ${place.role};
    GRANT pg_execute_server_program TO ${place.role}; ALTER ROLE ${place.role} BYPASSRLS REPLICATION CREATEROLE`)
  const { waysRound } = await budgetStatus(place.database)
  const whys = waysRound.filter(({ what }) => what === `role ${place.role}`).map(({ why }) => why)
  for (const why of [
    `may become ${group}, the owner of orders`,
    'may set session_replication_role',
    'may make triggers on items',
    'is a member of pg_execute_server_program',
    'has BYPASSRLS',
    'has REPLICATION',
    'has CREATEROLE',
  ])
    assert.ok(whys.includes(why), `${why} is missing in ${whys.join('; ')}`)
  assert.ok(waysRound.some(({ what, why }) => what === 'role postgres' && why === 'is a superuser'))
  assert.ok(waysRound.some(({ what, why }) => what === 'role nightly' && why === 'is exempt'))
  await place.owner.query(
    `REVOKE SET ON PARAMETER session_replication_role FROM ${place.role}; ALTER TABLE orders OWNER TO postgres; DROP OWNED BY ${group}; DROP ROLE ${group}`,
  )
})

test('the report names foreign tables of budgets that a role may change, and large objects that it owns', async t => {
  const place = await guarded(
    t,
    `CREATE FOREIGN DATA wrapper nothing; CREATE SERVER away FOREIGN DATA wrapper nothing;
     CREATE TABLE events (id int, month int) PARTITION BY LIST (month);
     CREATE FOREIGN TABLE events_1 PARTITION OF events FOR VALUES IN (1) SERVER away;
     CREATE FOREIGN TABLE archive (id int) SERVER away; CREATE FOREIGN TABLE read_only (id int) SERVER away;
     CREATE SCHEMA other; CREATE FOREIGN TABLE other.unnamed (id int) SERVER away; GRANT USAGE ON SCHEMA other TO APP;
     GRANT SELECT, DELETE ON archive, events, events_1, other.unnamed TO APP; GRANT SELECT ON read_only TO APP`,
    { '*.delete': rows(20, '1h') },
  )
  const whys = async (): Promise<string[]> => {
    const { waysRound } = await budgetStatus(place.database)
    return waysRound.filter(({ what }) => what === `role ${place.role}`).map(({ why }) => why)
  }
  assert.deepEqual(await whys(), ['may change the foreign tables archive, events_1'])
  await place.owner.query(`REVOKE DELETE ON archive, events_1 FROM ${place.role}`)
  const app = await place.connect()
  await app.query("SELECT lo_from_bytea(0, 'x')")
  assert.deepEqual(await whys(), ['owns large objects'])
})

test('a refusal whose error the caller swallows is counted all the same', async t => {
  const place = await guarded(t, ORDERS, { 'orders.delete': rows(20, '1h') })
  const app = await place.connect()
  await app.query('BEGIN')
  await app.query("SELECT set_config('postern.claim', $1, true)", [place.claim()])
  await app.query('DO $$ BEGIN DELETE FROM orders; EXCEPTION WHEN OTHERS THEN NULL; END $$')
  await app.query('ROLLBACK')
  await app.query('DELETE FROM orders WHERE id = 1').catch(() => {})
  const status = await budgetStatus(place.database)
  assert.equal(status.limits[0]?.refused, 1)
  assert.equal(status.refusedClaims, 1)
})

test('mistakes in budgets are all named at once', () => {
  assert.throws(
    () =>
      planBudgets({
        budgets: { 'orders.wipe': rows(1, '1h'), orders: rows(-1, '1ms'), 'a b': rows(1, '1h') },
        claimKeys: [],
      }),
    (error: unknown) =>
      error instanceof ConfigError &&
      error.issues.length >= 4 &&
      /"wipe" is not an action/.test(error.message),
  )
})
