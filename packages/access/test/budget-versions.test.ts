import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { budgetStatus, installBudgets, listChanges, rows, undoChange } from '@postern/access'
import { hmacPads } from '../src/budget/signed-token.ts'
import { CLAIM_KEY, guarded } from './support/guarded.ts'

/** What `postern budgets install --print` printed at version 1, with its places for the key. */
const VERSION_1 = readFileSync(new URL('fixtures/budgets-version-1.sql', import.meta.url), 'utf8')
const BUDGETS = { '*.delete': rows(20, '1h'), '*.update': rows(100, '1h', { undo: false }) }

test('installing over version 1 keeps counts, journal, refusals and the guard of later tables', async t => {
  const place = await guarded(
    t,
    `CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100);
     GRANT SELECT, DELETE ON orders TO APP`,
    BUDGETS,
  )
  await place.owner.query(
    'DROP EVENT TRIGGER postern_budgets_follow; SET client_min_messages = error; DROP SCHEMA postern_budgets CASCADE; RESET client_min_messages',
  )
  const [inner, outer] = hmacPads(CLAIM_KEY.secret)
  await place.owner.query(
    VERSION_1.replaceAll(":'inner_pad'", `'\\x${inner.toString('hex')}'`).replaceAll(
      ":'outer_pad'",
      `'\\x${outer.toString('hex')}'`,
    ),
  )
  const app = await place.connect()
  const remove = async (where: string): Promise<void> => {
    await app.query('BEGIN')
    await app.query("SELECT set_config('postern.claim', $1, true)", [place.claim()])
    await app.query(`DELETE FROM orders WHERE ${where}`).catch(async error => {
      await app.query('ROLLBACK')
      throw error
    })
    await app.query('COMMIT')
  }
  await remove('id <= 12')
  await assert.rejects(remove('id > 50'), { code: 'PB001' })

  await installBudgets(place.database, { budgets: BUDGETS, claimKeys: [CLAIM_KEY] })
  const status = await budgetStatus(place.database)
  assert.deepEqual(
    status.limits.map(({ budget, mostUsed, refused }) => ({ budget, mostUsed, refused })),
    [
      { budget: '*.delete', mostUsed: 12, refused: 1 },
      { budget: '*.update', mostUsed: 0, refused: 0 },
    ],
  )
  assert.equal(status.followsNewTables, true)
  await remove('id BETWEEN 13 AND 20')
  await assert.rejects(remove('id = 21'), { code: 'PB001' })
  assert.deepEqual(
    (await listChanges(place.database)).map(change => change.tables.map(entry => entry.rows)),
    [[8], [12]],
  )
  await place.owner.query('CREATE TABLE later (id int PRIMARY KEY)')
  assert.deepEqual(
    (await budgetStatus(place.database)).tables.find(({ table }) => table === 'later')?.unguarded,
    [],
  )
})

for (const version of [2, 3, 4])
  test(`installing over version ${version} keeps counts and journal, and brings the functions and triggers of this version`, async t => {
    const place = await guarded(
      t,
      `CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 100);
     GRANT SELECT, DELETE ON orders TO APP`,
      BUDGETS,
    )
    const app = await place.connect()
    const remove = async (where: string): Promise<void> => {
      await app.query('BEGIN')
      await app.query("SELECT set_config('postern.claim', $1, true)", [place.claim()])
      await app.query(`DELETE FROM orders WHERE ${where}`).finally(() => app.query('COMMIT'))
    }
    await remove('id <= 12')
    await place.owner.query(`
    ALTER TABLE postern_budgets.claims SET UNLOGGED;
    ALTER TABLE postern_budgets.attempts DROP COLUMN signed;
    UPDATE postern_budgets.journal SET change = '4711';
    DROP FUNCTION postern_budgets.triggers_for, postern_budgets.bytes_of;
    DROP EVENT TRIGGER postern_budgets_follow;
    CREATE EVENT TRIGGER postern_budgets_follow ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION postern_budgets.follow();
    COMMENT ON SCHEMA postern_budgets IS 'postern budgets ${version}'`)
    await installBudgets(place.database, { budgets: BUDGETS, claimKeys: [CLAIM_KEY] })
    const status = await budgetStatus(place.database)
    assert.equal(status.limits[0]?.mostUsed, 12)
    assert.deepEqual(status.tables[0]?.unguarded, [])
    await remove('id BETWEEN 13 AND 20')
    await assert.rejects(remove('id = 21'), { code: 'PB001' })
    await app.query("SELECT postern_budgets.record_attempt('a', '*.delete', 'actor', 0, 1)")
    const { rows: told } = await place.owner.query('SELECT actor, signed FROM postern_budgets.attempts')
    assert.deepEqual(told, [{ actor: 'a', signed: false }])
    const [made, kept] = await listChanges(place.database)
    assert.match(made?.id ?? '', /^\d{18,40}$/)
    const report = await undoChange(place.database, kept?.id ?? '', { keys: [] })
    assert.deepEqual([report.change, report.restored[0]?.rows], ['4711', 12])
    const { rows: found } = await place.owner.query<{ kind: string }>(
      "SELECT relpersistence AS kind FROM pg_class WHERE oid = 'postern_budgets.claims'::regclass",
    )
    assert.equal(found[0]?.kind, 'p')
    await place.owner.query('CREATE SCHEMA s; CREATE TABLE s.later (); ALTER TABLE s.later SET SCHEMA public')
    assert.equal((await budgetStatus(place.database)).tables.length, 2)
  })

test('a database with a newer version is left alone', async t => {
  const place = await guarded(t, 'CREATE TABLE orders (id int PRIMARY KEY)', BUDGETS)
  await place.owner.query("COMMENT ON SCHEMA postern_budgets IS 'postern budgets 99'")
  await assert.rejects(
    installBudgets(place.database, { budgets: BUDGETS, claimKeys: [CLAIM_KEY] }),
    /version 99 is installed in this database/,
  )
})
