// Whoever may create in the schema `public` can put operators there that fit better than PostgreSQL's own.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { budgetStatus, installBudgets, rows, sealJournal } from '@postern/access'
import { HOSTILE_OPERATORS } from '../../../test/hostile-operators.ts'
import { CLAIM_KEY, count, guarded } from './support/guarded.ts'

const BUDGETS = { 'orders.delete': rows(10, '1h') }
const place = await guarded(
  { after },
  `${HOSTILE_OPERATORS};
   CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100);
   GRANT SELECT, DELETE ON orders TO APP`,
  BUDGETS,
)

test('budgets are installed and hold with none of them', async () => {
  const app = await place.connect()
  await app.query('BEGIN')
  await app.query("SELECT set_config('postern.claim', $1, true)", [place.claim()])
  await assert.rejects(app.query('DELETE FROM orders'), { code: 'PB001' })
  await app.query('ROLLBACK')
  await app.query('BEGIN')
  await app.query("SELECT set_config('postern.claim', $1, true)", [place.claim()])
  await app.query('DELETE FROM orders WHERE id = ANY (ARRAY[1, 2])')
  await app.query('COMMIT')
  assert.equal(await count(place.owner, 'orders'), 98)
  await installBudgets(place.database, { budgets: BUDGETS, claimKeys: [CLAIM_KEY] })
  assert.equal(await sealJournal(place.database, { id: 3, secret: new Uint8Array(32).fill(7) }), 1)
  assert.deepEqual(
    (await budgetStatus(place.database)).tables.map(({ unguarded }) => unguarded),
    [[]],
  )
})
