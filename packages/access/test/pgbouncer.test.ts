import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { actingAs, claimSigner, guardPool, RowBudgetExceeded, rows } from '@postern/access'
import { CredentialError } from '@postern/core'
import pg from 'pg'
import { CLAIM_KEY, count, guarded } from './support/guarded.ts'
import { startPgBouncer } from './support/pgbouncer.ts'

const place = await guarded(
  { after },
  'CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 1000); GRANT SELECT, UPDATE, DELETE ON orders TO APP',
  { 'orders.delete': rows(20, '1h') },
)
const bouncer = await startPgBouncer(place.url)
const pool = guardPool(new pg.Pool({ connectionString: bouncer.url, max: 8 }), {
  claim: claimSigner({ key: CLAIM_KEY }),
})
pool.on('error', () => {})
after(async () => {
  await pool.end()
  await bouncer.stop()
})

test('through PgBouncer in transaction mode each transaction is counted for its own actor', async () => {
  const actors = Array.from({ length: 8 }, (_, i) => `user:${i}`)
  await Promise.all(
    actors.map((actor, i) =>
      actingAs({ actor }, async () => {
        await pool.query('DELETE FROM orders WHERE id = $1', [i * 100 + 1])
        await pool.query(`DELETE FROM orders WHERE id = ${i * 100 + 2}`)
        const client = await pool.connect()
        await client.query('BEGIN')
        await client.query('DELETE FROM orders WHERE id > $1 AND id <= $2', [i * 100 + 2, i * 100 + 20])
        await client.query('COMMIT')
        client.release()
        await assert.rejects(
          pool.query('DELETE FROM orders WHERE id = $1', [i * 100 + 21]),
          RowBudgetExceeded,
        )
      }),
    ),
  )
  assert.equal(await count(place.owner, 'orders'), 1000 - 8 * 20)
  // A pooler hands a transaction to another process: nothing is prepared on any of them.
  const { rows: prepared } = await pool.query(
    "SELECT name FROM pg_prepared_statements WHERE name LIKE 'postern%'",
  )
  assert.deepEqual(prepared, [])
})

test('through PgBouncer nobody inherits the claim of the one before on the same server connection', async () => {
  await actingAs({ actor: 'user:x' }, () => pool.query('SELECT 1'))
  await assert.rejects(pool.query('DELETE FROM orders WHERE id = 999'), CredentialError)
})
