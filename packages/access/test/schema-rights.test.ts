// Rights on the schema of budgets that the application's role has without anybody meaning it.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { budgetStatus, installBudgets, rows } from '@postern/access'
import { CLAIM_KEY, count, guarded } from './support/guarded.ts'

const BUDGETS = { 'orders.delete': rows(10, '1h') }
// As many a migration has it: what the owner creates later, the application may use.
const place = await guarded(
  { after },
  `CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100);
   GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO APP;
   ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO APP WITH GRANT OPTION;
   ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO APP, PUBLIC;
   ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO APP;
   ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO APP`,
  BUDGETS,
)
const install = (): Promise<void> =>
  installBudgets(place.database, { budgets: BUDGETS, claimKeys: [CLAIM_KEY] })

const WAYS: Readonly<Record<string, string>> = {
  'read the keys': 'SELECT * FROM postern_budgets.keys',
  'add a key': "INSERT INTO postern_budgets.keys VALUES ('claim', 9, '', '')",
  'raise a limit': 'UPDATE postern_budgets.limits SET rows = 1000000',
  'forget the counts': 'DELETE FROM postern_budgets.counters',
  'forget used claims': 'TRUNCATE postern_budgets.claims',
  'read old rows': 'SELECT old FROM postern_budgets.journal',
  'exempt itself': 'UPDATE postern_budgets.settings SET exempt = ARRAY[session_user]',
  'forget refusals': "SELECT setval('postern_budgets.refused_claims', 1, false)",
  'call what installs': "SELECT postern_budgets.set_limit('orders.delete', 'actor', 1000000, 1, 'deny')",
  'add a function': 'CREATE FUNCTION postern_budgets.mine() RETURNS int LANGUAGE sql RETURN 1',
  'pass rights on': 'GRANT SELECT ON postern_budgets.keys TO PUBLIC',
}

async function nothingPasses(): Promise<void> {
  const app = await place.connect()
  for (const [way, statement] of Object.entries(WAYS)) {
    // A GRANT of what one does not have is a warning or an error, as the case may be.
    if (way === 'pass rights on') await app.query(statement).catch(() => {})
    else await assert.rejects(app.query(statement), { code: '42501' }, way)
  }
  await assert.rejects(app.query('DELETE FROM orders'), { code: 'PB002' })
  await app.query('SELECT * FROM postern_budgets.pending()')
  await app.query("SELECT postern_budgets.record_attempt('user:a', 'orders.delete', 'actor', 0, 1)")
  assert.equal(await count(place.owner, 'orders'), 100)
}

const named = async (): Promise<readonly string[]> =>
  (await budgetStatus(place.database)).waysRound
    .filter(({ what }) => what === `role ${place.role}`)
    .map(({ why }) => why)

test('default privileges give the application nothing of what is installed', async () => {
  await nothingPasses()
  assert.deepEqual(await named(), [])
})

test('what was granted afterwards is named, and revoked by installing again', async () => {
  await place.owner.query(`
    GRANT SELECT (inner_pad) ON postern_budgets.keys TO ${place.role};
    GRANT UPDATE ON postern_budgets.counters TO ${place.role};
    GRANT USAGE ON SEQUENCE postern_budgets.refused_claims TO PUBLIC;
    GRANT EXECUTE ON FUNCTION postern_budgets.apply(text[], text[]) TO ${place.role};
    GRANT CREATE ON SCHEMA postern_budgets TO ${place.role}`)
  assert.deepEqual(await named(), [
    'has rights on postern_budgets: apply, counters, keys, refused_claims, the schema',
  ])
  await install()
  assert.deepEqual(await named(), [])
  await nothingPasses()
})

test('so is what a role has that the application may become, and what may change all tables', async () => {
  await place.owner.query(
    `CREATE ROLE ${place.role}_more; GRANT SELECT ON postern_budgets.keys TO ${place.role}_more; GRANT ${place.role}_more TO ${place.role}`,
  )
  try {
    assert.deepEqual(await named(), [
      'has rights on postern_budgets: keys',
      `may become ${place.role}_more, which has rights on postern_budgets: keys`,
    ])
    await install()
    assert.deepEqual(await named(), [])
    await place.owner.query(`GRANT pg_write_all_data TO ${place.role}`)
    assert.deepEqual(await named(), [
      'may change all tables (pg_write_all_data), the limits, the counts and the keys included',
    ])
  } finally {
    await place.owner.query(
      `REVOKE pg_write_all_data FROM ${place.role}; DROP OWNED BY ${place.role}_more; DROP ROLE ${place.role}_more`,
    )
  }
})
