import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  type Acting,
  actingAs,
  claimSigner,
  expireJournal,
  guardPool,
  listChanges,
  rows,
  sealJournal,
  showUndo,
  signBudgetGrant,
  undoChange,
} from '@postern/access'
import { ConfigError, IntegrityError } from '@postern/core'
import pg from 'pg'
import { until } from '../../../test/until.ts'
import { CLAIM_KEY, count, GRANT_KEY, type Guarded, guarded } from './support/guarded.ts'

const KEY = { id: 3, secret: new Uint8Array(32).fill(7) }
const KEYS = { keys: [KEY] }

/** Six related tables with everything that makes putting rows back hard. */
const SHOP = `
CREATE TABLE customers (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, email text UNIQUE, referred_by int REFERENCES customers);
CREATE TABLE orders (id bigserial PRIMARY KEY, customer int NOT NULL REFERENCES customers ON DELETE CASCADE, placed timestamptz NOT NULL,
  total numeric(12,2), shape float8, cents bigint GENERATED ALWAYS AS ((total * 100)::bigint) STORED);
CREATE TABLE items (order_id bigint REFERENCES orders ON DELETE CASCADE, line int, sizes int[], details json, extra jsonb, PRIMARY KEY (order_id, line));
CREATE TABLE notes (id int PRIMARY KEY, order_id bigint REFERENCES orders ON DELETE CASCADE, body bytea, span interval, "Odd ""name""" text);
CREATE TABLE payments (id int, month int, order_id bigint REFERENCES orders ON DELETE CASCADE, paid money, PRIMARY KEY (id, month)) PARTITION BY LIST (month);
CREATE TABLE payments_1 PARTITION OF payments FOR VALUES IN (1);
CREATE TABLE payments_2 PARTITION OF payments FOR VALUES IN (2);
CREATE TABLE tags (order_id bigint REFERENCES orders ON DELETE CASCADE, tag text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := NEW.name || '!'; RETURN NEW; END $$;
INSERT INTO customers (name, email, referred_by) SELECT 'c' || g, CASE WHEN g % 3 > 0 THEN 'c' || g || '@example.org' END, CASE WHEN g > 1 THEN g / 2 END FROM generate_series(1, 200) g;
INSERT INTO orders (customer, placed, total, shape) SELECT 1 + g % 200, timestamptz '2026-01-01' + g * interval '61.7 seconds', g * 1.10,
  CASE g % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' ELSE g / 3.0 END FROM generate_series(1, 1000) g;
INSERT INTO items SELECT g, l, CASE l WHEN 1 THEN '[0:1]={7,8}'::int[] WHEN 2 THEN '{}' END, CASE l WHEN 1 THEN 'null' ELSE '{"b" : 1,  "a":2, "a":3}' END::json, '{"z": 1.50}'
  FROM generate_series(1, 900) g, generate_series(1, 2) l;
INSERT INTO notes SELECT g, g, decode(md5(g::text), 'hex'), g * interval '1 month 3 days 0.001 seconds', CASE WHEN g % 2 = 0 THEN E'a, "b" (c)\\n\\\\' WHEN g % 3 = 0 THEN '' END FROM generate_series(1, 600) g;
INSERT INTO payments SELECT g, 1 + g % 2, g, g * 1.01 FROM generate_series(1, 700) g;
INSERT INTO tags SELECT g, 't' || g % 7 FROM generate_series(1, 1000) g;
CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION touch();
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO APP;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO APP;`

const TABLES = ['customers', 'orders', 'items', 'notes', 'payments', 'payments_1', 'payments_2', 'tags']

async function checksums(place: Guarded): Promise<Record<string, string>> {
  const sums: Record<string, string> = {}
  for (const table of TABLES) {
    const { rows: found } = await place.owner.query(
      `SELECT count(*) || ' ' || md5(string_agg(t::text, E'\\n' ORDER BY t::text)) AS sum FROM ${table} AS t`,
    )
    sums[table] = found[0]?.sum
  }
  return sums
}

function poolOf(place: Guarded, t: { after(work: () => Promise<void>): void }): pg.Pool {
  const pool = guardPool(new pg.Pool({ connectionString: place.url, max: 2 }), {
    claim: claimSigner({ key: CLAIM_KEY }),
  })
  pool.on('error', () => {})
  t.after(() => pool.end())
  return pool
}

const ACT = '5'.repeat(64)

/** `user:alice` under an approval of so many rows. */
function approved(rowCount: number): Acting {
  const grant = signBudgetGrant(
    {
      id: randomBytes(16).toString('hex'),
      actor: 'user:alice',
      tenant: 'acme',
      act: ACT,
      budgets: ['*.delete', '*.update'],
      rows: rowCount,
      expiresAt: Date.now() + 60_000,
    },
    GRANT_KEY,
  )
  return { actor: 'user:alice', tenant: 'acme', act: ACT, grant }
}

const BUDGETS = { '*.delete': rows(100, '1h'), '*.update': rows(100, '1h') }

test('5,000 rows of six related tables, deleted under an approval, are put back byte for byte within a minute', async t => {
  const place = await guarded(t, SHOP, BUDGETS)
  const pool = poolOf(place, t)
  const before = await checksums(place)
  const sequence = await place.owner.query('SELECT last_value FROM orders_id_seq')
  await actingAs(approved(10_000), async () => {
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query(
      "SET LOCAL datestyle = 'SQL, DMY'; SET LOCAL extra_float_digits = -5; SET LOCAL timezone = 'Asia/Tokyo'",
    )
    await client.query('DELETE FROM customers')
    await client.query('COMMIT')
    client.release()
  })
  for (const table of TABLES) assert.equal(await count(place.owner, table), 0, table)
  assert.ok((await sealJournal(place.database, KEY)) > 0)
  assert.equal(
    await count(place.owner, 'postern_budgets.journal WHERE old IS NOT NULL OR became IS NOT NULL'),
    0,
  )

  const [change] = await listChanges(place.database)
  assert.ok(change !== undefined)
  assert.equal(change.actor, 'user:alice')
  const total = change.tables.reduce((sum, table) => sum + table.rows, 0)
  assert.equal(change.tables.length, 6)
  assert.ok(total >= 5_000, `${total} rows`)

  const shown = await showUndo(place.database, change.id, KEYS)
  assert.equal(shown.isApplied, false)
  assert.equal(await count(place.owner, 'customers'), 0)
  const started = performance.now()
  const report = await undoChange(place.database, change.id, KEYS)
  const took = performance.now() - started
  assert.deepEqual({ ...shown, isApplied: true }, report)
  assert.equal(report.conflictCount, 0)
  assert.equal(
    report.restored.reduce((sum, { rows: n }) => sum + n, 0),
    total,
  )
  assert.deepEqual(await checksums(place), before)
  assert.deepEqual((await place.owner.query('SELECT last_value FROM orders_id_seq')).rows, sequence.rows)
  assert.ok(took < 60_000, `${took} ms`)
  t.diagnostic(`${total} rows restored in ${Math.round(took)} ms`)
  const enabled = await count(place.owner, "pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D'")
  assert.equal(enabled, 0)
})

test('edits are put back, those of keys and of rows that were edited twice included', async t => {
  const place = await guarded(t, SHOP, BUDGETS)
  const pool = poolOf(place, t)
  const before = await checksums(place)
  await actingAs(approved(10_000), async () => {
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query(
      "UPDATE orders SET total = total * 2, placed = placed + interval '1 day' WHERE id <= 300",
    )
    await client.query('UPDATE orders SET total = 0 WHERE id <= 200')
    await client.query("UPDATE customers SET name = 'x' WHERE id <= 50")
    await client.query('UPDATE notes SET id = id + 100000')
    await client.query('UPDATE payments SET month = 3 - month WHERE id <= 100')
    await client.query('DELETE FROM orders WHERE id <= 50')
    await client.query('COMMIT')
    client.release()
  })
  const [change] = await listChanges(place.database, { actor: 'user:alice' })
  const report = await undoChange(place.database, change?.id ?? '', KEYS)
  assert.deepEqual(report.conflicts, [])
  assert.deepEqual(await checksums(place), before)
})

test('conflicts stop an undo, or are skipped, and are named', async t => {
  const place = await guarded(t, SHOP, BUDGETS)
  const pool = poolOf(place, t)
  await actingAs({ actor: 'user:a' }, async () => {
    await pool.query('DELETE FROM notes WHERE id <= 10')
    await pool.query("UPDATE tags SET tag = 'x' WHERE order_id <= 10")
    await pool.query("UPDATE customers SET email = 'new' || id WHERE id BETWEEN 101 AND 110")
  })
  await place.owner.query(`SET session_replication_role = replica;
    INSERT INTO notes VALUES (3, 3, NULL, NULL, 'somebody else wrote this');
    UPDATE customers SET name = 'edited since' WHERE id = 105;
    DELETE FROM orders WHERE id = 7; RESET session_replication_role`)
  const [edit, untold, removal] = await listChanges(place.database)

  const stopped = await undoChange(place.database, removal?.id ?? '', KEYS)
  assert.equal(stopped.isApplied, false)
  assert.deepEqual(stopped.conflicts.map(({ table, key }) => `${table} ${key}`).sort(), [
    'public.notes ',
    'public.notes id=3',
  ])
  assert.match(
    stopped.conflicts.map(({ why }) => why).join(),
    /a row that it refers to is not there \(notes_order_id_fkey\)/,
  )
  assert.equal(await count(place.owner, 'notes WHERE id <= 10'), 1)
  const skipped = await undoChange(place.database, removal?.id ?? '', { ...KEYS, conflicts: 'skip' })
  assert.deepEqual(skipped.restored, [{ table: 'public.notes', action: 'delete', rows: 8 }])
  assert.equal(await count(place.owner, 'notes WHERE id <= 10'), 9)

  const edits = await undoChange(place.database, edit?.id ?? '', { ...KEYS, conflicts: 'skip' })
  assert.deepEqual(edits.conflicts, [
    { table: 'public.customers', key: 'id=105', why: 'the row was edited again since' },
  ])
  assert.equal(await count(place.owner, "customers WHERE email LIKE 'new%'"), 1)

  const keyless = await undoChange(place.database, untold?.id ?? '', KEYS)
  assert.match(keyless.conflicts[0]?.why ?? '', /no primary key/)
})

test('single tables of a change can be put back, and a change is put back once', async t => {
  const place = await guarded(t, SHOP, BUDGETS)
  const pool = poolOf(place, t)
  await actingAs({ actor: 'user:a' }, () => pool.query('DELETE FROM orders WHERE id <= 10'))
  const [change] = await listChanges(place.database)
  const id = change?.id ?? ''
  const orphans = await undoChange(place.database, id, { ...KEYS, tables: ['public.notes'] })
  assert.equal(orphans.isApplied, false)
  assert.equal(orphans.conflictCount, 10)
  const some = await undoChange(place.database, id, { ...KEYS, tables: ['public.orders', 'public.notes'] })
  assert.deepEqual(some.restored.map(({ table, rows: n }) => `${table} ${n}`).sort(), [
    'public.notes 10',
    'public.orders 10',
  ])
  assert.equal(await count(place.owner, 'items WHERE order_id <= 10'), 0)
  const again = await undoChange(place.database, id, { ...KEYS, tables: ['public.orders'] })
  assert.deepEqual(again.conflicts, [{ table: 'public.orders', key: '', why: 'it was put back before' }])
  await undoChange(place.database, id, {
    ...KEYS,
    tables: ['public.items', 'public.payments', 'public.tags'],
  })
  assert.equal(await count(place.owner, 'items WHERE order_id <= 10'), 20)
  await assert.rejects(undoChange(place.database, '0', KEYS), ConfigError)
})

test('rows of a table that was altered since are put back in the columns that are left', async t => {
  const place = await guarded(t, SHOP, BUDGETS)
  const pool = poolOf(place, t)
  await actingAs({ actor: 'user:a' }, () => pool.query('DELETE FROM notes WHERE id <= 10'))
  await place.owner.query(
    `ALTER TABLE notes DROP COLUMN span; ALTER TABLE notes ADD COLUMN colour text DEFAULT 'red'`,
  )
  const [change] = await listChanges(place.database)
  const report = await undoChange(place.database, change?.id ?? '', KEYS)
  assert.deepEqual(report.conflicts, [])
  assert.equal(
    await count(
      place.owner,
      `notes WHERE id <= 10 AND colour = 'red' AND body = decode(md5(id::text), 'hex')`,
    ),
    10,
  )
})

test('TRUNCATE within the budget can be undone', async t => {
  const place = await guarded(t, `${SHOP} GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO APP;`, {
    '*.delete': rows(9_000, '1h'),
  })
  const pool = poolOf(place, t)
  const before = await checksums(place)
  await actingAs({ actor: 'user:a' }, () => pool.query('TRUNCATE orders, payments CASCADE'))
  assert.equal(await count(place.owner, 'payments'), 0)
  const [change] = await listChanges(place.database)
  const report = await undoChange(place.database, change?.id ?? '', KEYS)
  assert.deepEqual(report.conflicts, [])
  assert.deepEqual(await checksums(place), before)
})

test('sealed rows that somebody changed or exchanged are not put back', async t => {
  const place = await guarded(t, SHOP, BUDGETS)
  const pool = poolOf(place, t)
  await actingAs({ actor: 'user:a' }, async () => {
    await pool.query('DELETE FROM notes WHERE id = 1')
    await pool.query('DELETE FROM notes WHERE id = 2')
  })
  await sealJournal(place.database, KEY)
  const [second, first] = await listChanges(place.database)
  await assert.rejects(
    undoChange(place.database, first?.id ?? '', { keys: [{ ...KEY, id: 4 }] }),
    IntegrityError,
  )
  await assert.rejects(
    undoChange(place.database, first?.id ?? '', { keys: [{ ...KEY, secret: new Uint8Array(32) }] }),
    IntegrityError,
  )
  await place.owner.query(
    `UPDATE postern_budgets.journal AS j SET sealed = o.sealed FROM postern_budgets.journal AS o WHERE o.id <> j.id`,
  )
  await assert.rejects(undoChange(place.database, first?.id ?? '', KEYS), /someone has changed the journal/)
  await assert.rejects(undoChange(place.database, second?.id ?? '', KEYS), IntegrityError)
})

test('attack: an entry too large to be sealed keeps no other from being sealed', async t => {
  const place = await guarded(t, SHOP, BUDGETS)
  const pool = poolOf(place, t)
  await actingAs({ actor: 'user:a' }, async () => {
    await pool.query("UPDATE notes SET body = repeat('x', 100000)::bytea WHERE id <= 20")
    await pool.query('DELETE FROM notes WHERE id <= 20')
    for (let id = 21; id <= 80; id++) await pool.query('DELETE FROM notes WHERE id = $1', [id])
  })
  await assert.rejects(sealJournal(place.database, KEY, { largest: 1_000_000 }), /1 entries .* unsealed/)
  const unsealed = 'postern_budgets.journal WHERE sealed IS NULL'
  assert.equal(await count(place.owner, unsealed), 1)
  const [, change] = (await listChanges(place.database, { limit: 100 })).toReversed()
  assert.equal((await undoChange(place.database, change?.id ?? '', KEYS)).restored[0]?.rows, 20)
  assert.equal(await sealJournal(place.database, KEY), 1)
  assert.equal(await count(place.owner, unsealed), 0)
})

test('attack: an entry too large to be sealed is not read again and again to be measured', async t => {
  const place = await guarded(t, SHOP, BUDGETS)
  const pool = poolOf(place, t)
  await actingAs({ actor: 'user:a' }, async () => {
    await pool.query("UPDATE notes SET body = repeat('x', 100000)::bytea WHERE id <= 20")
    await pool.query('DELETE FROM notes WHERE id <= 20')
  })
  const tooLarge = new Set<string>()
  const seal = (): Promise<number> => sealJournal(place.database, KEY, { largest: 1_000_000, tooLarge })
  await assert.rejects(seal(), /1 entries .* unsealed/)
  assert.equal(tooLarge.size, 1)
  // Were it measured, it would be small enough now.
  await place.owner.query("UPDATE postern_budgets.journal SET old = '{}' WHERE sealed IS NULL")
  await assert.rejects(seal(), /1 entries .* unsealed/)
  await place.owner.query('DELETE FROM postern_budgets.journal WHERE sealed IS NULL')
  assert.equal(await seal(), 0)
  assert.equal(tooLarge.size, 0)
})

test('attack: two who undo a change at once put its rows back once', async t => {
  const place = await guarded(t, SHOP, BUDGETS)
  const pool = poolOf(place, t)
  await actingAs({ actor: 'user:a' }, () => pool.query('DELETE FROM tags WHERE order_id <= 10'))
  const [change] = await listChanges(place.database)
  const holder = await place.owner.connect()
  await holder.query('BEGIN; LOCK TABLE tags IN ACCESS SHARE MODE; LOCK TABLE tags IN ROW EXCLUSIVE MODE')
  const undone = [0, 1].map(() => undoChange(place.database, change?.id ?? '', KEYS))
  // Both have begun, and wait for the table or for each other.
  try {
    const waiting = "pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    await until(async () => (await count(place.owner, waiting)) >= 2)
  } finally {
    await holder.query('COMMIT')
    holder.release()
  }
  const reports = await Promise.all(undone)
  assert.deepEqual(reports.map(({ isApplied }) => isApplied).sort(), [false, true])
  assert.equal(await count(place.owner, 'tags'), 1_000)
})

test('old rows are forgotten after their retention', async t => {
  const place = await guarded(t, SHOP, BUDGETS)
  const pool = poolOf(place, t)
  await actingAs({ actor: 'user:a' }, () => pool.query('DELETE FROM notes WHERE id <= 3'))
  assert.equal(await expireJournal(place.database, '1h'), 0)
  await place.owner.query("UPDATE postern_budgets.journal SET at = at - interval '2 hours'")
  assert.equal(await expireJournal(place.database, '1h'), 1)
  assert.deepEqual(await listChanges(place.database), [])
})
