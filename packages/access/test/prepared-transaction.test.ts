import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { actingAs, claimSigner, guardKnexPool, guardPool, guardPostgresJs, rows } from '@postern/access'
import knex from 'knex'
import pg from 'pg'
import postgres from 'postgres'
import { CLAIM_KEY, type Guarded, guarded } from './support/guarded.ts'

const place: Guarded = await guarded(
  { after },
  'CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT g FROM generate_series(1, 100) g; GRANT ALL ON orders TO APP',
  { 'orders.delete': rows(60, '1h') },
)
const options = { claim: claimSigner({ key: CLAIM_KEY }) }
const thief = { actor: 'user:thief' }

/** Spellings that PostgreSQL takes for the statement. */
const SPELLINGS: readonly string[] = [
  "PREPARE TRANSACTION 'x'",
  "prepare\n\ttransaction 'x'",
  "PREPARE/**/TRANSACTION 'x'",
  "PREPARE /* /* nested */ */ TRANSACTION 'x'",
  "PREPARE -- a comment\nTRANSACTION 'x'",
  "DELETE FROM orders WHERE id = 1; PREPARE TRANSACTION 'x'",
]

const prepared = async (): Promise<number> => {
  const { rows: found } = await place.owner.query(
    'SELECT gid FROM pg_prepared_xacts WHERE database = current_database()',
  )
  for (const { gid } of found) await place.owner.query(`ROLLBACK PREPARED '${gid}'`)
  return found.length
}

for (const text of SPELLINGS)
  test(`attack: ${JSON.stringify(text)} leaves no transaction that holds the locks of others`, async t => {
    const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 1 }), options)
    t.after(() => pool.end())
    const db = knex({ client: 'pg', connection: place.url, pool: guardKnexPool({ min: 0, max: 1 }, options) })
    t.after(() => db.destroy())
    const sql = postgres(place.url, { max: 1, onnotice: () => {} })
    t.after(() => sql.end())
    const guardedSql = guardPostgresJs(sql, options)
    const refused = /PREPARE TRANSACTION leaves a transaction/
    await actingAs(thief, async () => {
      const client = await pool.connect()
      await client.query('BEGIN; DELETE FROM orders WHERE id = 2')
      await assert.rejects(client.query(text), refused)
      await assert.rejects(client.query({ text, name: 'named' }), refused)
      await client.query('ROLLBACK')
      client.release()
      await assert.rejects(
        db.transaction(trx => trx.raw(text)),
        refused,
      )
      await assert.rejects(
        guardedSql.begin(async session => session.unsafe(text)),
        refused,
      )
      await assert.rejects(
        guardedSql.begin(async session => session.savepoint(inner => inner.unsafe(text))),
        refused,
      )
      await assert.rejects(
        guardedSql.run(session => session.unsafe(text)),
        refused,
      )
      assert.equal((await pool.query('SELECT count(*)::int AS n FROM orders')).rows[0]?.n, 100)
    })
    assert.equal(await prepared(), 0)
  })

test('prepared statements, and values that say PREPARE TRANSACTION, pass', async t => {
  const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 1 }), options)
  t.after(() => pool.end())
  await actingAs(thief, async () => {
    await pool.query('PREPARE one AS SELECT 1')
    await pool.query('START TRANSACTION READ ONLY; EXECUTE one; COMMIT')
    const value = "PREPARE TRANSACTION 'x'"
    assert.equal((await pool.query('SELECT $1::text AS it', [value])).rows[0]?.it, value)
  })
})
