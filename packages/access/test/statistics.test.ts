import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { freshDatabase } from '../../../test/fresh.ts'

// Why rows are counted from transition tables and not from PostgreSQL's statistics of the running
// transaction, which cost nothing: they are not a count of what the transaction deleted. Should one of
// these change in a later version, the decision is worth another look.
const client = new pg.Client({ connectionString: await freshDatabase({ after }) })
client.on('error', () => {})
await client.connect()
after(() => client.end())
await client.query(`
  CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1000);
  CREATE TABLE p (id int, month int) PARTITION BY LIST (month); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); INSERT INTO p SELECT g, 1 FROM generate_series(1, 100) g;
  CREATE TABLE parents (id int PRIMARY KEY); CREATE TABLE children (id int, parent int REFERENCES parents ON DELETE CASCADE);
  INSERT INTO parents VALUES (1); INSERT INTO children SELECT g, 1 FROM generate_series(1, 50) g`)

async function deleted(table: string): Promise<number> {
  const { rows } = await client.query('SELECT pg_stat_get_xact_tuples_deleted($1::regclass)::int AS n', [
    table,
  ])
  return rows[0]?.n
}

/** In a transaction that is rolled back, on statistics that begin at nothing. */
async function transaction(work: () => Promise<void>): Promise<void> {
  await client.query('SELECT pg_stat_force_next_flush()')
  await client.query('BEGIN')
  try {
    await work()
  } finally {
    await client.query('ROLLBACK')
  }
}

test('statistics of a transaction count the rows of cascades, and those of a partition for the partition alone', async () => {
  await transaction(async () => {
    await client.query('DELETE FROM parents')
    assert.equal(await deleted('children'), 50)
    await client.query('DELETE FROM p')
    assert.deepEqual([await deleted('p'), await deleted('p1')], [0, 100])
  })
})

test('statistics of a transaction forget what was deleted before a TRUNCATE', async () => {
  await transaction(async () => {
    await client.query('DELETE FROM t WHERE id <= 40')
    assert.equal(await deleted('t'), 40)
    await client.query('TRUNCATE t')
    assert.equal(await deleted('t'), 0)
  })
})

test('statistics of a transaction count what a savepoint took back', async () => {
  await transaction(async () => {
    await client.query('SAVEPOINT s')
    await client.query('DELETE FROM t WHERE id <= 20')
    await client.query('ROLLBACK TO s')
    assert.equal(await deleted('t'), 20)
  })
})

test('statistics of a transaction begin with those of the ones before it that were not reported yet', async () => {
  await client.query('SELECT pg_stat_force_next_flush()')
  // In one text: the session is never idle in between, which is when it reports.
  const results: unknown = await client.query(
    "BEGIN; DELETE FROM t WHERE id <= 30; ROLLBACK; BEGIN; SELECT pg_stat_get_xact_tuples_deleted('t'::regclass)::int AS n; ROLLBACK",
  )
  assert.ok(Array.isArray(results))
  assert.deepEqual(results[4]?.rows, [{ n: 30 }])
})
