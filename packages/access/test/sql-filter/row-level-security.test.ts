import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  allow,
  check,
  claimSettings,
  definePolicies,
  deny,
  eq,
  not,
  owns,
  principal,
  resourceType,
  rowLevelSecurity,
} from '@postern/access'
import { ConfigError, type Principal } from '@postern/core'
import pg from 'pg'
import { freshDatabase } from '../../../../test/services.ts'
import { ANN, AUDITOR, NOBODY, SHOP_SQL, SUPPORT, shopPolicies } from '../support/shop.ts'

let dropDatabase = async (): Promise<void> => {}
const url = await freshDatabase({
  after: work => {
    dropDatabase = work
  },
})
const pool = new pg.Pool({ connectionString: url, max: 2 })
pool.on('error', () => {})
const role = `app_${process.pid}`
const actions = { select: 'order.read', update: 'order.edit', delete: 'order.delete', insert: 'order.create' }
before(async () => {
  await pool.query(SHOP_SQL)
  await pool.query(
    `CREATE ROLE ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO ${role}; GRANT SELECT ON accounts, team_members TO ${role}`,
  )
  // Twice: what was there is replaced.
  for (let i = 0; i < 2; i++)
    for (const statement of rowLevelSecurity(shopPolicies, { type: 'order', actions }))
      await pool.query(statement)
})
after(async () => {
  await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  await pool.end()
  await dropDatabase()
})

async function as<T>(caller: Principal | undefined, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query(`BEGIN; SET LOCAL ROLE ${role}`)
    if (caller !== undefined) {
      const { text, values } = claimSettings(caller)
      await client.query(text, [...values])
    }
    return await work(client)
  } finally {
    await client.query('ROLLBACK')
    client.release()
  }
}

const select = async (client: pg.PoolClient): Promise<readonly number[]> =>
  (await client.query<{ id: number }>('SELECT id FROM orders ORDER BY id')).rows.map(({ id }) => id)

const readers: readonly (readonly [string, Principal | undefined, readonly number[]])[] = [
  ['a customer', ANN, [1, 2, 4, 5]],
  ['support', SUPPORT, [1, 2, 4]],
  ['an auditor', AUDITOR, [1, 2, 3, 4, 5, 6]],
  ['an anonymous caller', NOBODY, []],
  ['a transaction that never said who asks', undefined, []],
  ['a caller with a quote in the id', { kind: 'user', id: "ann' OR '1'='1" }, []],
]
for (const [name, caller, expected] of readers)
  test(`${name} sees in the database what the filter shows`, async () => {
    assert.deepEqual(await as(caller, select), expected)
  })

test('who was there before is forgotten with the transaction', async () => {
  const small = new pg.Pool({ connectionString: url, max: 1 })
  const { text, values } = claimSettings(AUDITOR)
  await small.query('BEGIN')
  await small.query(text, [...values])
  await small.query('COMMIT')
  await small.query(`BEGIN; SET LOCAL ROLE ${role}`)
  const { rows } = await small.query('SELECT id FROM orders')
  await small.query('ROLLBACK')
  await small.end()
  assert.deepEqual(rows, [])
})

test('deny policies restrict what may be changed', async () => {
  const count = (caller: Principal, text: string): Promise<number | null> =>
    as(caller, async client => (await client.query(text)).rowCount)
  assert.equal(await count(ANN, "UPDATE orders SET status = 'open'"), 1)
  assert.equal(await count(SUPPORT, 'DELETE FROM orders'), 1)
  assert.equal(await count(AUDITOR, 'DELETE FROM orders'), 0)
  // A deny is about the row as it was: an order can be closed, and is not edited after.
  assert.equal(await count(ANN, "UPDATE orders SET status = 'closed'"), 1)
  await assert.rejects(count(ANN, "INSERT INTO orders VALUES (9, 'ann')"), /row-level security/)
  await assert.rejects(count(SUPPORT, 'UPDATE orders SET account_id = 2 WHERE id = 1'), /row-level security/)
})

test('an id that is not a UUID sees no rows instead of an error', async () => {
  const note = resourceType('note', { table: 'notes', fields: { id: 'integer', owner: 'uuid' } })
  const policies = definePolicies([
    allow('own', { action: 'read', on: note, when: owns(note.fields.owner) }),
    deny('it\'s \\ "closed"', { action: 'read', on: note, when: not(eq(principal.kind, 'user')) }),
  ])
  const owner = '6f9619ff-8b86-d011-b42d-00c04fc964ff'
  await pool.query(
    `CREATE TABLE notes (id integer, owner uuid); INSERT INTO notes VALUES (1, '${owner}'); GRANT SELECT ON notes TO ${role}`,
  )
  for (const statement of rowLevelSecurity(policies, { type: 'note', actions: { select: 'read' } }))
    await pool.query(statement)
  const seen = (caller: Principal): Promise<number | null> =>
    as(caller, async client => (await client.query('SELECT * FROM notes')).rowCount)
  assert.equal(await seen({ kind: 'user', id: 'ann' }), 0)
  assert.equal(await seen({ kind: 'user', id: owner.toUpperCase() }), 1)
  assert.equal(await seen({ kind: 'service', id: owner }), 0)
})

test('attack: a partition or a child that is named itself shows no rows that its parent hides', async () => {
  const visit = resourceType('visit', { table: 'visits', fields: { id: 'integer', owner: 'text' } })
  const pet = resourceType('pet', { table: 'pets', fields: { id: 'integer', owner: 'text' } })
  const policies = definePolicies([
    allow('own visits', { action: ['read', 'edit'], on: visit, when: owns(visit.fields.owner) }),
    allow('own pets', { action: ['read', 'edit'], on: pet, when: owns(pet.fields.owner) }),
  ])
  await pool.query(`
    CREATE TABLE visits (id integer, owner text) PARTITION BY RANGE (id);
    CREATE TABLE visits_low PARTITION OF visits FOR VALUES FROM (0) TO (100) PARTITION BY LIST (owner);
    CREATE TABLE visits_ann PARTITION OF visits_low FOR VALUES IN ('ann');
    CREATE TABLE visits_rest PARTITION OF visits_low DEFAULT;
    CREATE TABLE pets (id integer, owner text);
    CREATE TABLE dogs () INHERITS (pets);
    INSERT INTO visits VALUES (1, 'ann'), (2, 'bob'), (3, 'bob'); INSERT INTO dogs VALUES (1, 'ann'), (2, 'bob');
    GRANT ALL ON visits, visits_low, visits_ann, visits_rest, pets, dogs TO ${role}`)
  for (const type of ['visit', 'pet'])
    for (const statement of rowLevelSecurity(policies, {
      type,
      actions: { select: 'read', update: 'edit', delete: 'edit' },
    }))
      await pool.query(statement)
  const touched = (text: string): Promise<number | null> =>
    as({ kind: 'user', id: 'ann' }, async client => (await client.query(text)).rowCount)
  assert.equal(await touched('SELECT * FROM visits'), 1)
  assert.equal(await touched('SELECT * FROM pets'), 1)
  assert.equal(await touched("UPDATE visits SET owner = 'ann'"), 1)
  for (const table of ['visits_low', 'visits_ann', 'visits_rest', 'dogs']) {
    assert.equal(await touched(`SELECT * FROM ${table}`), 0, table)
    assert.equal(await touched(`UPDATE ${table} SET owner = 'ann'`), 0, table)
    assert.equal(await touched(`DELETE FROM ${table}`), 0, table)
  }
})

const bill = resourceType('bill', { table: 'bills', fields: { id: 'integer', owner: 'text' } })
const BILLS = definePolicies([
  allow('own bills', { action: ['read', 'edit'], on: bill, when: owns(bill.fields.owner) }),
])
const secureBills = (views?: 'leave'): readonly string[] =>
  rowLevelSecurity(BILLS, {
    type: 'bill',
    actions: { select: 'read', delete: 'edit' },
    ...(views !== undefined && { views }),
  })

test('attack: a view of an owner whom no policy holds shows the rows of everybody', async () => {
  await pool.query(`
    CREATE TABLE bills (id integer, owner text); INSERT INTO bills VALUES (1, 'ann'), (2, 'bob');
    GRANT SELECT, DELETE ON bills TO ${role}`)
  const { rows: found } = await pool.query<{ n: number }>(
    "SELECT current_setting('server_version_num')::int AS n",
  )
  const knowsInvoker = (found[0]?.n ?? 0) >= 150_000
  const run = async (statements: readonly string[]): Promise<void> => {
    for (const statement of statements) await pool.query(statement)
  }
  const definers: readonly (readonly [made: string, drop: string])[] = [
    ['CREATE VIEW seen AS SELECT * FROM bills', 'DROP VIEW seen'],
    ['CREATE MATERIALIZED VIEW seen AS SELECT * FROM bills', 'DROP MATERIALIZED VIEW seen'],
    [
      'CREATE VIEW below AS SELECT * FROM bills; CREATE VIEW seen AS SELECT count(*) FROM below',
      'DROP VIEW seen, below',
    ],
  ]
  const nested =
    'CREATE VIEW below WITH (security_invoker) AS SELECT * FROM bills; CREATE VIEW seen AS TABLE below'
  for (const [made, drop] of knowsInvoker ? [...definers, [nested, 'DROP VIEW seen, below']] : definers) {
    await pool.query(`${made}; GRANT SELECT ON seen TO ${role}`)
    await assert.rejects(run(secureBills()), /show rows of "bills" .*seen/, made)
    await run(secureBills('leave'))
    await pool.query(`${drop}`)
  }
  // Nobody may read it but its owner; or it asks the policies.
  await pool.query('CREATE VIEW seen AS SELECT * FROM bills')
  await run(secureBills())
  const count = async (): Promise<number | null> =>
    as({ kind: 'user', id: 'ann' }, async client => (await client.query('SELECT * FROM seen')).rowCount)
  await pool.query(`GRANT SELECT (id) ON seen TO ${role}`)
  await assert.rejects(run(secureBills()), /show rows of "bills" .*seen/)
  await pool.query(`GRANT SELECT ON seen TO ${role}`)
  assert.equal(await count(), 2)
  if (!knowsInvoker) return
  await pool.query('ALTER VIEW seen SET (security_invoker = on)')
  await run(secureBills())
  assert.equal(await count(), 1)
})

test('attack: TRUNCATE, which asks no policy, empties the table or a partition of it', async () => {
  await pool.query(`
    CREATE TABLE IF NOT EXISTS bills (id integer, owner text); CREATE TABLE more_bills () INHERITS (bills);
    INSERT INTO more_bills VALUES (3, 'bob'); DROP VIEW IF EXISTS seen;
    GRANT ALL ON bills, more_bills TO ${role}; GRANT TRUNCATE ON bills TO PUBLIC`)
  for (const statement of secureBills()) await pool.query(statement)
  for (const table of ['bills', 'more_bills'])
    await assert.rejects(
      as({ kind: 'user', id: 'ann' }, client => client.query(`TRUNCATE ONLY ${table}`)),
      { code: '42501' },
      table,
    )
})

test('refuses what the database cannot know', () => {
  const note = resourceType('note', { fields: { id: 'integer' } })
  const policies = definePolicies([
    allow('a', { action: 'read', on: note, when: check('weekday', () => true) }),
  ])
  assert.throws(() => rowLevelSecurity(policies, { type: 'note', actions: { select: 'read' } }), ConfigError)
})
