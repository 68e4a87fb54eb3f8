import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { budgetAnswer, rows } from '@postern/access'
import fc from 'fast-check'
import type pg from 'pg'
import { until } from '../../../test/until.ts'
import { count, guarded } from './support/guarded.ts'

const LIMIT = 70
const place = await guarded(
  { after },
  `CREATE TABLE orders (id int PRIMARY KEY, note text); CREATE SCHEMA own; GRANT ALL ON SCHEMA own TO APP;
   GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO APP`,
  { 'orders.delete': rows(LIMIT, '1h'), 'orders.update': rows(1_000, '1h', { undo: false, tenant: 1_500 }) },
)
const sessions = await Promise.all(Array.from({ length: 8 }, () => place.connect()))

async function begin(session: pg.Client): Promise<void> {
  await session.query('BEGIN')
  await session.query("SELECT set_config('postern.claim', $1, true)", [place.claim({ tenant: 'acme' })])
}

async function refill(): Promise<void> {
  await Promise.all(sessions.map(session => session.query('ROLLBACK')))
  await place.owner.query(
    `SET session_replication_role = replica; DELETE FROM orders; INSERT INTO orders SELECT generate_series(1, 400);
     DELETE FROM postern_budgets.counters; RESET session_replication_role`,
  )
}

const sharesOf = async (): Promise<number> => {
  const { rows: found } = await place.owner.query<{ n: number }>(
    `SELECT (sum(share) + (SELECT coalesce(sum(postern_budgets.first_share(g, ${LIMIT})), 0) FROM generate_series(0, 15) g
       WHERE NOT EXISTS (SELECT FROM postern_budgets.counters WHERE lane = g)))::int AS n FROM postern_budgets.counters`,
  )
  return found[0]?.n ?? -1
}

test('transactions of one actor that are open at the same time do not wait for each other', async () => {
  await refill()
  for (const session of sessions) {
    await begin(session)
    await session.query("SET LOCAL lock_timeout = '1ms'")
  }
  for (const [i, session] of sessions.entries())
    await session.query(`UPDATE orders SET note = 'x' WHERE id = ${i + 1}`)
  for (const session of sessions) await session.query('COMMIT')
  const { rows: used } = await place.owner.query(
    'SELECT key, used::int AS used FROM postern_budgets.usage() ORDER BY key',
  )
  assert.deepEqual(used, [
    { key: 'acme', used: 8 },
    { key: 'user:alice', used: 8 },
  ])
})

test('whatever transactions of one actor do at the same time, the budget is never exceeded, and can be used to its last row', async () => {
  const act = fc.record({
    session: fc.nat(sessions.length - 1),
    rows: fc.integer({ min: 1, max: 12 }),
    ends: fc.constantFrom('COMMIT', 'ROLLBACK'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 8, maxLength: 24 }), async acts => {
      await refill()
      let next = 1
      const perSession = sessions.map((session, i) =>
        (async () => {
          for (const { rows: asked, ends } of acts.filter(one => one.session === i)) {
            const from = next
            next += asked
            await begin(session)
            const refused = await session
              .query(`DELETE FROM orders WHERE id >= ${from} AND id < ${from + asked}`)
              .then(() => false)
              .catch((error: { code?: string }) => {
                if (error.code !== 'PB001' && error.code !== '40001') throw error
                return true
              })
            await session.query(refused ? 'ROLLBACK' : ends)
          }
        })(),
      )
      // All of them end before anything is said of one: the next case uses the same sessions.
      const failed = (await Promise.allSettled(perSession)).find(end => end.status === 'rejected')
      if (failed !== undefined) throw failed.reason
      const gone = 400 - (await count(place.owner, 'orders'))
      assert.ok(gone <= LIMIT, `${gone} rows are gone`)
      assert.equal(await sharesOf(), LIMIT)
      const session = sessions[0] as pg.Client
      for (let left = LIMIT - gone; left > 0; ) {
        const asked = Math.min(left, 7)
        await begin(session)
        await session.query(
          `DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY id DESC LIMIT ${asked})`,
        )
        await session.query('COMMIT')
        left -= asked
      }
      await begin(session)
      await assert.rejects(session.query('DELETE FROM orders WHERE id = (SELECT max(id) FROM orders)'), {
        code: 'PB001',
      })
      await session.query('ROLLBACK')
    }),
    // What fails depends on who comes first: to shrink it takes minutes, and hides what failed.
    { numRuns: process.env['POSTERN_TEST_LONG'] === '1' ? 100 : 6, endOnFailure: true },
  )
})

test('of two transactions that need each other, one is to try again, and then goes on as a third that waits for them', async () => {
  await refill()
  // Who looks first for a circle is who waits beside it.
  const connect = async (patience: string): Promise<pg.Client> => {
    await place.owner.query(`ALTER ROLE ${place.role} SET deadlock_timeout = '${patience}'`)
    return place.connect()
  }
  const one = await connect('1min')
  const other = await connect('1min')
  const beside = await connect('2s')
  await place.owner.query(`ALTER ROLE ${place.role} RESET deadlock_timeout`)
  const holders = [...sessions, ...(await Promise.all(Array.from({ length: 5 }, () => place.connect())))]
  let next = 1
  const answers: (string | undefined)[] = []
  const remove = async (session: pg.Client, asked: number): Promise<string> => {
    const from = next
    next += asked
    return await session
      .query(`DELETE FROM orders WHERE id >= ${from} AND id < ${next}`)
      .then(() => 'counted')
      .catch((error: { code?: string }) => {
        const { status, headers, body = '{}' } = budgetAnswer(error) ?? {}
        answers.push(`${status} ${headers?.['retry-after']} ${JSON.parse(body).type}`)
        return `${error.code}`
      })
  }
  const waits = (waiting: number): Promise<void> =>
    until(async () => {
      const lock = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
      return (await count(place.owner, lock)) >= waiting
    })
  // All lanes are there, as they were given at first.
  await begin(one)
  assert.equal(await remove(one, LIMIT), 'counted')
  await one.query('COMMIT')
  await place.owner.query(
    `UPDATE postern_budgets.counters SET spent = 0, share = postern_budgets.first_share(lane, ${LIMIT})`,
  )
  for (const session of [one, ...holders, other, beside]) await begin(session)
  // Each takes a lane; then the first takes the last lane as well, for what its own lacks.
  for (const session of [one, ...holders, other]) assert.equal(await remove(session, 1), 'counted')
  assert.equal(await remove(one, 41), 'counted')
  const ofBeside = remove(beside, 1)
  await waits(1)
  const ends = [remove(other, 3)]
  await waits(2)
  ends.push(remove(one, 3))
  const [ofOther, ofOne] = await Promise.all(
    [other, one].map(async (session, i) => {
      const end = await ends[i]
      await session.query('ROLLBACK')
      return end
    }),
  )
  await Promise.all(holders.map(session => session.query('ROLLBACK')))
  assert.equal(await ofBeside, 'counted')
  assert.match(`${ofOther} ${ofOne}`, /^(?:40001 40001|40001 counted|counted 40001)$/)
  assert.deepEqual([...new Set(answers)], ['503 1 urn:postern:refusal:budget-held'])
  await beside.query('ROLLBACK')
  await begin(other)
  assert.equal(await remove(other, 3), 'counted')
  await other.query('ROLLBACK')
  // Two rows are left, one of which another transaction holds: three are too many whatever becomes of it.
  await place.owner.query(
    `UPDATE postern_budgets.counters SET share = postern_budgets.first_share(lane, ${LIMIT}),
       spent = CASE lane WHEN 15 THEN 0 ELSE postern_budgets.first_share(lane, ${LIMIT}) END`,
  )
  await begin(one)
  assert.equal(await remove(one, 1), 'counted')
  await begin(other)
  assert.equal(await remove(other, 3), 'PB001')
  for (const session of [one, other]) await session.query('ROLLBACK')
})

/** Names that the functions of every statement use; each of them here fails when it is called. */
const FUNCTIONS = [
  'current_setting(text, boolean) RETURNS text',
  'split_part(text, text, int) RETURNS text',
  'concat(VARIADIC "any") RETURNS text',
  'hashtextextended(text, bigint) RETURNS bigint',
  'pg_try_advisory_xact_lock(bigint) RETURNS boolean',
  'pg_current_xact_id() RETURNS xid8',
  'clock_timestamp() RETURNS timestamptz',
  'transaction_timestamp() RETURNS timestamptz',
  'date_part(text, timestamptz) RETURNS double precision',
  'floor(double precision) RETURNS double precision',
  'random() RETURNS double precision',
  'sha256(bytea) RETURNS bytea',
  'encode(bytea, text) RETURNS text',
  'convert_to(text, name) RETURNS bytea',
  '"left"(text, int) RETURNS text',
  'fail(bigint) RETURNS bigint',
]
const PAIRS = [
  ...[
    'int2',
    'int4',
    'int8',
    'float8',
    'text',
    'bytea',
    'bool',
    'xid8',
    'uuid',
    'timestamptz',
    'interval',
  ].map(type => [type, type]),
  ...[
    ['int8', 'int4'],
    ['int8', 'float8'],
    ['float8', 'int4'],
    ['float8', 'int8'],
    ['int2', 'int4'],
    ['int4', 'int8'],
    ['timestamptz', 'interval'],
  ],
]
const OPERATORS = ['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '/', '||']

test('functions, operators and types of the caller, first in the search path, are not what is called', async () => {
  await refill()
  const session = sessions[0] as pg.Client
  const body = "LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'shadowed'; END $$"
  for (const head of FUNCTIONS.filter(name => !name.startsWith('concat')))
    await session.query(`CREATE FUNCTION own.${head} ${body}`)
  await session.query(
    'CREATE AGGREGATE own.count(*) (sfunc = own.fail, stype = bigint, initcond = 0); CREATE AGGREGATE own.sum(bigint) (sfunc = pg_catalog.int8pl, stype = bigint, initcond = 0)',
  )
  for (const [i, [left, right]] of PAIRS.entries()) {
    await session.query(`CREATE FUNCTION own.never_${i}(${left}, ${right}) RETURNS boolean ${body}`)
    for (const operator of OPERATORS)
      await session.query(
        `CREATE OPERATOR own.${operator} (leftarg = ${left}, rightarg = ${right}, function = own.never_${i})`,
      )
  }
  for (const type of ['int8', 'int4', 'int2', 'text', 'bool', 'uuid', 'float8', 'interval'])
    await session.query(`CREATE DOMAIN own.${type} AS pg_catalog.${type} CHECK (false)`)
  await begin(session)
  await session.query('SET LOCAL search_path = own, pg_temp, pg_catalog, public')
  await session
    .query('DELETE FROM public.orders')
    .then(() => assert.fail('nothing was refused'))
    .catch((error: { code?: string; message?: string }) => assert.equal(error.code, 'PB001', error.message))
  await session.query('ROLLBACK')
  await begin(session)
  await session.query('SET LOCAL search_path = own, pg_temp, pg_catalog, public')
  await session.query("UPDATE public.orders SET note = 'y'")
  await session.query("UPDATE public.orders SET note = 'z'")
  await session.query('COMMIT')
  const { rows: used } = await place.owner.query(
    'SELECT key, used::int AS used FROM postern_budgets.usage() ORDER BY key',
  )
  assert.deepEqual(used, [
    { key: 'acme', used: 800 },
    { key: 'user:alice', used: 800 },
  ])
})
