import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Acting, actingAs, claimSigner, guardPool, guardPostgresJs, rows } from '@postern/access'
import { ConfigError } from '@postern/core'
import pg from 'pg'
import postgres from 'postgres'
import { CLAIM_KEY, count, guarded } from './support/guarded.ts'

const place = await guarded(
  { after },
  'CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 50); GRANT ALL ON orders TO APP',
  { 'orders.delete': rows(60, '1h') },
)
const claim = claimSigner({ key: CLAIM_KEY })
const alice: Acting = { actor: 'user:alice' }
/** What a token of an issuer that lets people choose their names may come to. */
const NAMELESS: readonly (readonly [string, Acting])[] = [
  ['an actor with a name that is too long', { actor: `user:${'x'.repeat(300)}` }],
  ['a tenant with a name that is too long', { ...alice, tenant: 'x'.repeat(300) }],
  ['an act that is not a digest', { ...alice, act: 'x' }],
]

for (const [name, acting] of NAMELESS) {
  test(`attack: ${name} leaves no connection of pg unusable for others`, { timeout: 20_000 }, async t => {
    const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 1 }), { claim })
    pool.on('error', () => {})
    t.after(() => pool.end())
    for (let i = 0; i < 3; i++) {
      const client = await pool.connect()
      await assert.rejects(async () => actingAs(acting, () => client.query('BEGIN')), ConfigError)
      await client.query('ROLLBACK')
      client.release()
      await assert.rejects(async () => actingAs(acting, () => pool.query('SELECT 1')), ConfigError)
    }
    const { rows: found } = await actingAs(alice, () => pool.query('SELECT 1 AS n'))
    assert.deepEqual(found, [{ n: 1 }])
  })

  test(`attack: ${name} in a statement that waits for its turn fails that statement alone`, {
    timeout: 20_000,
  }, async t => {
    const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 1 }), { claim })
    pool.on('error', () => {})
    t.after(() => pool.end())
    const client = await pool.connect()
    const first = client.query('SELECT 1 AS n')
    const second = actingAs(acting, () => client.query('SELECT 2 AS n'))
    const third = client.query('SELECT 3 AS n')
    await assert.rejects(second, ConfigError)
    assert.deepEqual((await first).rows, [{ n: 1 }])
    assert.deepEqual((await third).rows, [{ n: 3 }])
    client.release()
  })

  test(`attack: ${name} leaves no transaction of postgres.js open`, { timeout: 20_000 }, async t => {
    const sql = postgres(place.url, { max: 1, onnotice: () => {} })
    t.after(() => sql.end())
    const own = guardPostgresJs(sql, { claim })
    await assert.rejects(
      actingAs(acting, () => own.run(s => s`SELECT 1`)),
      ConfigError,
    )
    await assert.rejects(
      actingAs(acting, () => own.begin(s => s`SELECT 1`)),
      ConfigError,
    )
    await isBetweenTransactions(sql)
  })
}

test('attack: a grant that is not a token leaves no connection of pg unusable', {
  timeout: 20_000,
}, async t => {
  const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 1 }), { claim })
  pool.on('error', () => {})
  t.after(() => pool.end())
  const client = await pool.connect()
  const acting = { ...alice, grant: "'; DROP TABLE orders; --" }
  await assert.rejects(async () => actingAs(acting, () => client.query('SELECT 1; SELECT 2')), ConfigError)
  const { rows: found } = await client.query('SELECT 1 AS n')
  assert.deepEqual(found, [{ n: 1 }])
  client.release()
  await actingAs(alice, () => pool.query('DELETE FROM orders WHERE id = 1'))
})

test('a statement of postgres.js that throws before it is sent leaves no transaction open', {
  timeout: 20_000,
}, async t => {
  const sql = postgres(place.url, { max: 1, onnotice: () => {} })
  t.after(() => sql.end())
  const own = guardPostgresJs(sql, { claim })
  await assert.rejects(
    actingAs(alice, () =>
      own.run(() => {
        throw new TypeError('not ready')
      }),
    ),
    TypeError,
  )
  await isBetweenTransactions(sql)
  await actingAs(alice, () => own.run(s => s`DELETE FROM orders WHERE id = 2`))
  assert.equal(await count(place.owner, 'orders WHERE id = 2'), 0)
})

/** Two statements outside of a transaction have two times. */
async function isBetweenTransactions(sql: postgres.Sql): Promise<void> {
  const [first] = await sql<{ at: string }[]>`SELECT extract(epoch FROM now())::text AS at`
  const [second] = await sql<{ at: string }[]>`SELECT extract(epoch FROM now())::text AS at`
  assert.notEqual(first?.at, second?.at)
}
