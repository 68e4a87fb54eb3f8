// Refusals that the wrappers record: everyone who has the application's role may write them.
import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { actingAs, claimSigner, guardPool, guardPostgresJs, RowBudgetExceeded, rows } from '@postern/access'
import pg from 'pg'
import postgres from 'postgres'
import { until } from '../../../test/until.ts'
import { CLAIM_KEY, count, guarded } from './support/guarded.ts'

const place = await guarded(
  { after },
  `CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100);
   GRANT SELECT, DELETE ON orders TO APP`,
  { 'orders.delete': rows(10, '1h') },
)
const options = { claim: claimSigner({ key: CLAIM_KEY }) }
const RECORD = 'SELECT postern_budgets.record_attempt($1, $2, $3, 0, 9, $4)'

beforeEach(() => place.owner.query('DELETE FROM postern_budgets.attempts'))

async function alicesHundred(): Promise<void> {
  const client = await place.connect()
  await client.query('BEGIN')
  const claim = place.claim()
  for (let i = 0; i < 100; i++) await client.query(RECORD, ['', 'orders.delete', 'actor', claim])
  await client.query('COMMIT')
}

test('made-up attempts do not push out those of actors, however many names they have', async () => {
  await alicesHundred()
  const mallory = await place.connect()
  await mallory.query(
    "SELECT postern_budgets.record_attempt('user:' || g, 'orders.delete', 'actor', 0, 9) FROM generate_series(1, 16000) AS g",
  )
  await mallory.query(
    "SELECT postern_budgets.record_attempt('user:alice', 'orders.delete', 'actor', 0, 9) FROM generate_series(1, 6000) AS g",
  )
  assert.equal(
    await count(place.owner, "postern_budgets.attempts WHERE signed AND actor = 'user:alice'"),
    100,
  )
  const told = await count(place.owner, 'postern_budgets.attempts WHERE NOT signed')
  assert.ok(told >= 10_000 && told < 20_000, `${told} are kept`)
})

test('one actor pushes out no other, and is recorded by the name in its claim', async () => {
  await alicesHundred()
  const mallory = await place.connect()
  await mallory.query(
    "SELECT postern_budgets.record_attempt('user:alice', 'orders.delete', 'actor', 0, 9, $1) FROM generate_series(1, 6000) AS g",
    [place.claim({ actor: 'user:mallory' })],
  )
  assert.equal(await count(place.owner, "postern_budgets.attempts WHERE actor = 'user:alice'"), 100)
  const own = await count(place.owner, "postern_budgets.attempts WHERE signed AND actor = 'user:mallory'")
  assert.ok(own >= 1_000 && own < 4_000, `${own} are kept`)
})

test('an attempt with a claim that is forged, or was used by another transaction, is not recorded', async () => {
  const client = await place.connect()
  const used = place.claim()
  await client.query(RECORD, ['', 'orders.delete', 'actor', used])
  for (const claim of [used, place.claim().replace(/.$/, last => (last === '0' ? '1' : '0')), 'c1|1'])
    await assert.rejects(client.query(RECORD, ['user:bob', 'orders.delete', 'actor', claim]), {
      code: 'PB002',
    })
  assert.equal(await count(place.owner, 'postern_budgets.attempts'), 1)
})

test('guarded pools and postgres.js record refusals with a claim', async () => {
  const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 2 }), options)
  const sql = postgres(place.url, { max: 2 })
  const guard = guardPostgresJs(sql, options)
  try {
    await assert.rejects(
      actingAs({ actor: 'user:pg' }, () => pool.query('DELETE FROM orders')),
      RowBudgetExceeded,
    )
    await assert.rejects(
      actingAs({ actor: 'user:js' }, () => guard.run(t => t`DELETE FROM orders`)),
      RowBudgetExceeded,
    )
    await until(
      async () =>
        (await count(
          place.owner,
          "postern_budgets.attempts WHERE signed AND actor IN ('user:pg', 'user:js')",
        )) === 2,
    )
  } finally {
    await pool.end()
    await sql.end()
  }
})
