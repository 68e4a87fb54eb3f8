import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type Acting,
  actingAs,
  budgetError,
  claimSigner,
  DEFAULT_BUDGETS,
  guardPool,
  ReadBudgets,
  type Refused,
  RowBudgetExceeded,
} from '@postern/access'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import { COUNTER_WORK } from './rental-shop/counter-work.ts'
import { CREATE_SQL, FILL_SQL } from './rental-shop/create.sql.ts'
import { OFFICE_WORK } from './rental-shop/office-work.ts'
import { EXPORTS, type Theft, WIPES } from './rental-shop/stolen-session.ts'
import { CLAIM_KEY, guarded } from './support/guarded.ts'

// An application on Drizzle, with the tables and the numbers of rows of the Pagila sample database, under the
// budgets that are installed when nobody chooses any.
const place = await guarded({ after }, CREATE_SQL + FILL_SQL.replaceAll('SEED', '20220101'), DEFAULT_BUDGETS)
const refusals: Refused[] = []
const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 8 }), {
  claim: claimSigner({ key: CLAIM_KEY }),
  reads: new ReadBudgets({ budgets: DEFAULT_BUDGETS }),
  onRefusal: refusal => refusals.push(refusal),
})
pool.on('error', () => {})
after(() => pool.end())
const db = drizzle({ client: pool })

/** Of those that are refused one by one nobody needs more. */
const DELETIONS = 500
const EDITS = 5_000
const READS = 10_000

test('the generated shop has as many rows as the sample database', async () => {
  const { rows } = await place.owner.query(
    `SELECT (SELECT count(*) FROM rental)::int AS rentals, (SELECT count(*) FROM payment)::int AS payments, (SELECT count(*) FROM inventory)::int AS copies,
       (SELECT count(*) FROM film)::int AS films, (SELECT count(*) FROM film_actor)::int AS roles, (SELECT count(*) FROM customer)::int AS customers`,
  )
  assert.deepEqual(rows, [
    { rentals: 16_044, payments: 16_049, copies: 4_581, films: 1_000, roles: 5_462, customers: 599 },
  ])
})

// An hour of the shop with everything that happens in a month in it.
for (const { name, acting, run } of [...COUNTER_WORK, ...OFFICE_WORK]) {
  test(`no false refusal at default budgets: ${name}`, { timeout: 60_000 }, async () => {
    await actingAs(acting, () => run(db))
    assert.deepEqual(refusals, [])
  })
}

test('all that work was counted', async () => {
  const { rows } = await place.owner.query(
    'SELECT key, used::int FROM postern_budgets.usage() WHERE used > 1000',
  )
  assert.ok(
    rows.some(({ key }) => key === 'user:office'),
    JSON.stringify(rows),
  )
})

interface Damage {
  readonly deleted: number
  readonly edited: number
}

before(async () => {
  await place.owner.query('CREATE SCHEMA truth')
})

async function damage(): Promise<Damage> {
  const { rows } = await place.owner.query<Damage>(`
    SELECT (SELECT count(*) FROM truth.payment AS t WHERE NOT EXISTS (SELECT FROM payment AS p WHERE p.payment_id = t.payment_id))::int
         + (SELECT count(*) FROM truth.rental AS t WHERE NOT EXISTS (SELECT FROM rental AS r WHERE r.rental_id = t.rental_id))::int AS deleted,
      (SELECT count(*) FROM truth.payment AS t JOIN payment AS p USING (payment_id) WHERE p.amount <> t.amount)::int AS edited`)
  return rows[0] ?? { deleted: 0, edited: 0 }
}

async function steal(theft: Theft): Promise<number> {
  const thief: Acting = { actor: `user:stolen ${theft.name}` }
  refusals.splice(0)
  const seen = await actingAs(thief, () => theft.run(db)).catch((error: unknown) => {
    assert.ok(budgetError(error) instanceof RowBudgetExceeded, String(error))
    return 0
  })
  assert.ok(refusals.length > 0, 'nothing was refused')
  assert.ok(refusals.every(({ acting }) => acting?.actor === thief.actor))
  return seen
}

for (const theft of WIPES) {
  test(`a stolen session does not wipe it: ${theft.name}`, { timeout: 60_000 }, async () => {
    await place.owner.query(`
      DROP TABLE IF EXISTS truth.payment, truth.rental;
      CREATE TABLE truth.payment AS SELECT payment_id, amount FROM payment; CREATE TABLE truth.rental AS SELECT rental_id FROM rental;
      ALTER TABLE truth.payment ADD PRIMARY KEY (payment_id); ANALYZE truth.payment`)
    await steal(theft)
    const { deleted, edited } = await damage()
    assert.ok(deleted <= DELETIONS && edited <= EDITS, `${deleted} rows were deleted and ${edited} edited`)
  })
}

for (const theft of EXPORTS) {
  test(`a stolen session does not export it: ${theft.name}`, { timeout: 60_000 }, async () => {
    const seen = await steal(theft)
    assert.ok(seen <= READS, `${seen} rows were seen`)
  })
}
