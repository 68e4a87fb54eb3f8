import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { actingAs, claimSigner, guardPool, type Refused, RowBudgetExceeded, rows } from '@postern/access'
import { CredentialError } from '@postern/core'
import pg from 'pg'
import { until } from '../../../test/until.ts'
import { CLAIM_KEY, count, type Guarded, guarded } from './support/guarded.ts'

const place: Guarded = await guarded(
  { after },
  'CREATE TABLE orders (id int PRIMARY KEY, note text); INSERT INTO orders SELECT g FROM generate_series(1, 1000) g; GRANT ALL ON orders TO APP',
  { 'orders.delete': rows(60, '1h', { over: 'approval' }), 'orders.update': rows(1_000, '1h') },
)
const refusals: Refused[] = []
const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 2 }), {
  claim: claimSigner({ key: CLAIM_KEY }),
  onRefusal: refusal => refusals.push(refusal),
})
pool.on('error', () => {})
after(() => pool.end())
const alice = { actor: 'user:alice', tenant: 'acme' }

test('carries who acts with a single statement, and returns what the statement returns', async () => {
  const result = await actingAs(alice, () => pool.query('DELETE FROM orders WHERE id = $1 RETURNING id', [1]))
  assert.deepEqual(result.rows, [{ id: 1 }])
  assert.equal(result.rowCount, 1)
  const simple = await actingAs(alice, () => pool.query('DELETE FROM orders WHERE id = 2'))
  assert.equal(simple.rowCount, 1)
  const both = await actingAs(alice, () => pool.query('SELECT 1 AS a; DELETE FROM orders WHERE id = 3'))
  assert.ok(Array.isArray(both) && both.length === 2)
  // Another session sees them: nothing was left open behind an answer that said it was done.
  assert.equal(await count(place.owner, 'orders'), 997)
  await actingAs(alice, () => pool.query('VACUUM pg_temp_nothing')).catch((error: Error) =>
    assert.match(error.message, /does not exist/),
  )
  const counters = await place.owner.query(
    "SELECT used::int AS n FROM postern_budgets.usage() WHERE key = 'user:alice'",
  )
  assert.deepEqual(counters.rows, [{ n: 3 }])
})

test('carries it with BEGIN, and leaves nothing behind for the next who gets the connection', async () => {
  await actingAs(alice, async () => {
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query('DELETE FROM orders WHERE id = 4')
    await client.query({ name: 'one', text: 'DELETE FROM orders WHERE id = $1', values: [5] })
    await client.query('COMMIT')
    const { rows } = await client.query("SELECT current_setting('postern.claim', true) AS claim")
    assert.match(String(rows[0]?.claim), /^c1\|/)
    client.release()
  })
  const { rows } = await pool.query("SELECT current_setting('postern.claim', true) AS claim")
  assert.equal(rows[0]?.claim ?? '', '')
  await assert.rejects(pool.query('DELETE FROM orders WHERE id = 6'), CredentialError)
})

test('prepares the statement of the claim once for an actor that goes on, and again after the application has forgotten it', async () => {
  const client = await pool.connect()
  const prepared = async (): Promise<string[]> => {
    const { rows } = await client.query("SELECT name FROM pg_prepared_statements WHERE name LIKE 'postern%'")
    return rows.map(row => row.name)
  }
  await actingAs(alice, async () => {
    for (let i = 0; i < 3; i++) await client.query(`UPDATE orders SET note = 'x' WHERE id = ${700 + i}`)
    const [first, ...more] = await prepared()
    assert.equal(first, 'postern_claim')
    assert.deepEqual(more, [])
    await client.query('DISCARD ALL')
    for (let i = 0; i < 3; i++) await client.query(`UPDATE orders SET note = 'y' WHERE id = ${700 + i}`)
    assert.equal((await prepared()).length, 1)
    // Where the wrapper does not see it, one transaction fails, and the next is claimed again.
    await client.query("DO $$ BEGIN EXECUTE 'DEALL' || 'OCATE ALL'; END $$")
    await assert.rejects(client.query("UPDATE orders SET note = 'z' WHERE id = 700"), { code: '26000' })
    await client.query("UPDATE orders SET note = 'z' WHERE id = 700")
  })
  client.release()
})

test('throws a refusal with what is left, what was asked and when to retry, and records it beside the transaction', async () => {
  const started = Date.now()
  await assert.rejects(
    actingAs(alice, () => pool.query('DELETE FROM orders')),
    (error: unknown) => {
      assert.ok(error instanceof RowBudgetExceeded)
      assert.equal(error.budget, 'orders.delete')
      assert.equal(error.scope, 'actor')
      assert.equal(error.over, 'approval')
      assert.equal(error.allowed, 55)
      assert.equal(error.asked, 995)
      assert.ok(error.retryAt > started)
      return true
    },
  )
  assert.equal(refusals.length, 1)
  assert.equal(refusals[0]?.acting?.actor, 'user:alice')
  await until(async () => (await count(place.owner, 'postern_budgets.attempts')) !== 0)
  const { rows } = await place.owner.query(
    'SELECT actor, allowed::int, asked::int FROM postern_budgets.attempts',
  )
  assert.deepEqual(rows, [{ actor: 'user:alice', allowed: 55, asked: 995 }])
  assert.equal(await count(place.owner, 'orders'), 995)
})

test('statements that wait for their turn carry the claim of whoever asked for them', async () => {
  const client = await pool.connect()
  const deletions = ['a', 'b', 'c'].map((name, i) =>
    actingAs({ actor: `user:${name}` }, () => client.query('DELETE FROM orders WHERE id = $1', [100 + i])),
  )
  await Promise.all(deletions)
  client.release()
  assert.equal(
    await count(place.owner, "postern_budgets.usage() WHERE key IN ('user:a', 'user:b', 'user:c')"),
    3,
  )
})

test('a mistake that the driver finds before it sends anything does not confuse the connection', async () => {
  const client = await pool.connect()
  await actingAs(alice, async () => {
    await assert.rejects(client.query('SELECT $1', 'no list' as never), /array/)
    assert.deepEqual((await client.query('SELECT 7 AS n')).rows, [{ n: 7 }])
    await assert.rejects(client.query('SELEC'), /syntax/)
    assert.deepEqual((await client.query('SELECT $1::int AS n', [8])).rows, [{ n: 8 }])
    await assert.rejects(client.query('SELECT 1 / $1::int', [0]), /zero/)
    assert.deepEqual((await client.query('SELECT 9 AS n')).rows, [{ n: 9 }])
  })
  client.release()
})

test('a query that the application made, as cursors and streams are, receives and records the refusal', async () => {
  refusals.splice(0)
  await place.owner.query('DELETE FROM postern_budgets.attempts')
  const client = await pool.connect()
  const error = await new Promise<unknown>(resolve => {
    actingAs(alice, () => client.query(new pg.Query('DELETE FROM orders RETURNING *'))).on('error', resolve)
  })
  assert.ok(error instanceof RowBudgetExceeded, String(error))
  assert.deepEqual(
    refusals.map(({ acting }) => acting?.actor),
    ['user:alice'],
  )
  await until(
    async () => (await count(place.owner, "postern_budgets.attempts WHERE actor = 'user:alice'")) === 1,
  )
  assert.deepEqual((await client.query('SELECT 7 AS n')).rows, [{ n: 7 }])
  client.release()
})

test('a callback receives the refusal as well', async () => {
  const error = await new Promise(resolve => {
    actingAs(alice, () => pool.query('DELETE FROM orders', (failure: unknown) => resolve(failure)))
  })
  assert.ok(error instanceof RowBudgetExceeded)
})

test('sends no packet more than an unguarded connection', async () => {
  const client = await pool.connect()
  const stream: unknown = Reflect.get(Reflect.get(client, 'connection'), 'stream')
  assert.ok(typeof stream === 'object' && stream !== null)
  const answers: string[] = []
  const wire = Reflect.get(client, 'connection')
  wire.on('readyForQuery', () => answers.push('ready'))
  await actingAs(alice, async () => {
    await client.query('BEGIN')
    await client.query('UPDATE orders SET note = $1 WHERE id = $2', ['x', 500])
    await client.query('COMMIT')
  })
  client.release()
  assert.deepEqual(answers, ['ready', 'ready', 'ready'])
})

test('who waits for a connection of a pool that is used up acts for itself, not for who gives one back', async () => {
  const single = guardPool(new pg.Pool({ connectionString: place.url, max: 1 }), {
    claim: claimSigner({ key: CLAIM_KEY }),
  })
  try {
    await Promise.all(
      ['p', 'q', 'r'].map((name, i) =>
        actingAs({ actor: `user:${name}` }, () =>
          single.query('DELETE FROM orders WHERE id = $1', [900 + i]),
        ),
      ),
    )
    const { rows: counted } = await place.owner.query(
      "SELECT key, used::int AS n FROM postern_budgets.usage() WHERE key IN ('user:p', 'user:q', 'user:r')",
    )
    assert.deepEqual(
      counted,
      ['p', 'q', 'r'].map(name => ({ key: `user:${name}`, n: 1 })),
    )
  } finally {
    await single.end()
  }
})
