import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installBudgets, listChanges, rows, undoChange } from '@postern/access'
import { CLAIM_KEY, type Guarded, guarded } from './support/guarded.ts'

const BUDGETS = { '*.delete': rows(60, '1h'), '*.update': rows(60, '1h') }

/**
 * What the application's role puts into a table of its own, in a schema where every table is guarded: `spy`
 * notes with whose rights it runs.
 */
const BAIT = `
CREATE TABLE seen (who text);
GRANT INSERT ON seen TO PUBLIC;
CREATE FUNCTION spy() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.seen VALUES (current_user); RETURN true; END $$;
CREATE TABLE bait (id int PRIMARY KEY, note text);
CREATE FUNCTION told(bait) RETURNS text LANGUAGE sql AS $$ SELECT public.spy()::text $$;
CREATE FUNCTION made(text) RETURNS bait LANGUAGE plpgsql AS $$ BEGIN PERFORM public.spy(); RETURN (1, $1)::public.bait; END $$;
CREATE CAST (bait AS text) WITH FUNCTION told(bait) AS IMPLICIT;
CREATE CAST (text AS bait) WITH FUNCTION made(text);
INSERT INTO bait SELECT generate_series(1, 9);
`

async function baited(place: Guarded): Promise<void> {
  const app = await place.connect()
  await app.query(BAIT)
  for (const change of [
    'UPDATE bait SET id = id + 100',
    'DELETE FROM bait WHERE id = 101',
    'TRUNCATE bait',
  ]) {
    await app.query('BEGIN')
    await app.query("SELECT set_config('postern.claim', $1, true)", [place.claim()])
    await app.query(change)
    await app.query('COMMIT')
  }
  // From here on whoever writes into it runs this.
  await app.query('ALTER TABLE bait ADD CHECK (spy())')
}

const seenBy = async (place: Guarded): Promise<readonly string[]> =>
  (await place.owner.query<{ who: string }>('SELECT DISTINCT who FROM seen')).rows.map(({ who }) => who)

test('attack: a table that the application owns runs its code with the rights of the budgets, or of who undoes', async t => {
  const place = await guarded(t, 'GRANT CREATE ON SCHEMA public TO APP', BUDGETS)
  await baited(place)
  assert.deepEqual(
    (await seenBy(place)).filter(who => who !== place.role),
    [],
  )
  const kept = await place.owner.query<{ old: string[] }>(
    'SELECT old FROM postern_budgets.journal ORDER BY id',
  )
  assert.deepEqual(
    kept.rows.map(({ old }) => [old.length, old[0]]),
    [
      [9, '(1,)'],
      [1, '(101,)'],
      [8, '(102,)'],
    ],
  )
  // A group that it is a member of is no other owner.
  await place.owner.query(
    `CREATE ROLE ${place.role}_group; GRANT ${place.role}_group TO ${place.role}; GRANT CREATE ON SCHEMA public TO ${place.role}_group`,
  )
  for (const [index, { id }] of (await listChanges(place.database)).entries()) {
    if (index === 1) await place.owner.query(`ALTER TABLE bait OWNER TO ${place.role}_group`)
    const report = await undoChange(place.database, id, { keys: [], conflicts: 'skip' })
    assert.deepEqual(report.restored, [])
    assert.match(report.conflicts[0]?.why ?? '', /app_.* owns it.*your rights/)
  }
  assert.deepEqual(
    (await seenBy(place)).filter(who => who !== place.role),
    [],
  )
  await place.owner.query(`DROP OWNED BY ${place.role}_group CASCADE; DROP ROLE ${place.role}_group`)
})

test('rows of a table whose owner is exempt from budgets are put back', async t => {
  const place = await guarded(t, 'GRANT CREATE ON SCHEMA public TO APP', BUDGETS)
  const app = await place.connect()
  await app.query('CREATE TABLE theirs (id int PRIMARY KEY); INSERT INTO theirs SELECT generate_series(1, 5)')
  await app.query('BEGIN')
  await app.query("SELECT set_config('postern.claim', $1, true)", [place.claim()])
  await app.query('TRUNCATE theirs')
  await app.query('COMMIT')
  await installBudgets(place.database, { budgets: BUDGETS, claimKeys: [CLAIM_KEY], exempt: [place.role] })
  const [change] = await listChanges(place.database)
  const report = await undoChange(place.database, change?.id ?? '', { keys: [] })
  assert.deepEqual([report.isApplied, report.restored.map(({ rows }) => rows)], [true, [5]])
})
