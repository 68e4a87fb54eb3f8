import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { actingAs, RowBudgetExceeded, rows } from '@postern/access'
import { guardSqlite, removeSqliteBudgets, sqliteBudgetError } from '@postern/access/sqlite'
import { ConfigError, VirtualClock } from '@postern/core'

const clock = new VirtualClock()

function open(path = ':memory:'): DatabaseSync {
  const db = new DatabaseSync(path)
  db.exec(`
    PRAGMA foreign_keys = ON;
    CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers ON DELETE CASCADE, number INTEGER UNIQUE);
    CREATE TABLE lever (id INTEGER PRIMARY KEY);
    CREATE TRIGGER pull AFTER INSERT ON lever BEGIN DELETE FROM orders; END;
    CREATE VIEW some_orders AS SELECT * FROM orders;
    CREATE TRIGGER through INSTEAD OF DELETE ON some_orders BEGIN DELETE FROM orders WHERE id = OLD.id; END;
    WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 20) INSERT INTO customers SELECT n, 'c' FROM g;
    WITH RECURSIVE g (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 200) INSERT INTO orders SELECT n, 1 + n % 2, n FROM g`)
  guardSqlite(db, {
    budgets: { '*.delete': rows(20, '1h', { over: 'approval' }), '*.update': rows(20, '1h', { tenant: 30 }) },
    clock,
  })
  return db
}

const as = (db: DatabaseSync, sql: string, actor = 'user:alice', tenant = ''): void =>
  actingAs({ actor, tenant }, () => db.exec(sql))

function damage(db: DatabaseSync): number {
  const { n } = db.prepare('SELECT 200 - count(*) AS n FROM orders WHERE number = id').get() ?? {}
  return Number(n)
}

const WAYS: readonly (readonly [name: string, sql: string])[] = [
  ['DELETE without WHERE', 'DELETE FROM orders'],
  ['one row more than the budget', 'DELETE FROM orders WHERE id <= 21'],
  ['UPDATE of every row', 'UPDATE orders SET number = -id'],
  ['ON DELETE CASCADE', 'DELETE FROM customers WHERE id = 1'],
  ['INSERT OR REPLACE', 'INSERT OR REPLACE INTO orders SELECT id, customer, -id FROM orders'],
  ['REPLACE by another unique column', 'REPLACE INTO orders SELECT id + 1000, customer, number FROM orders'],
  ['UPDATE OR REPLACE', 'UPDATE OR REPLACE orders SET number = (number + 1) % 200'],
  ['UPDATE OR IGNORE', 'UPDATE OR IGNORE orders SET number = -id'],
  [
    'upsert',
    'INSERT INTO orders SELECT id, customer, -id FROM orders WHERE true ON CONFLICT (id) DO UPDATE SET number = excluded.number',
  ],
  ["another table's trigger", 'INSERT INTO lever VALUES (1)'],
  ['an INSTEAD OF trigger of a view', 'DELETE FROM some_orders'],
  [
    'many statements of one transaction',
    `BEGIN; ${Array.from({ length: 30 }, (_, i) => `DELETE FROM orders WHERE id = ${i + 1};`).join('')} COMMIT`,
  ],
  [
    'savepoints',
    `BEGIN; ${Array.from({ length: 30 }, (_, i) => `SAVEPOINT s; DELETE FROM orders WHERE id = ${i + 1}; RELEASE s;`).join('')} COMMIT`,
  ],
  [
    'a temporary trigger that deletes',
    'CREATE TEMP TRIGGER t AFTER UPDATE ON customers BEGIN DELETE FROM orders; END; UPDATE customers SET name = 1 WHERE id = 1',
  ],
  [
    'a temporary table of the same name as a count',
    'CREATE TEMP TABLE postern_budget_counts (a); DELETE FROM orders',
  ],
  [
    'an attached database, and back',
    "ATTACH ':memory:' AS other; CREATE TABLE other.postern_budget_counts (limit_id, key, step, count); DELETE FROM main.orders",
  ],
  [
    'recursive triggers switched off',
    'PRAGMA recursive_triggers = OFF; REPLACE INTO orders SELECT id, customer, -id FROM orders',
  ],
  ['an editable schema', "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE type = 'trigger'"],
  ['dropping the trigger', 'DROP TRIGGER postern_budget_delete_orders; DELETE FROM orders'],
  ['dropping the table', 'DROP TABLE orders'],
  ['dropping a column', 'ALTER TABLE customers DROP COLUMN name'],
  ['resetting the counts', 'DELETE FROM postern_budget_counts; DELETE FROM orders'],
  ['raising the limit', 'UPDATE postern_budget_limits SET rows = 1000; DELETE FROM orders'],
  [
    'a trigger on the table that makes SQLite skip the next ones',
    'CREATE TRIGGER t AFTER DELETE ON orders BEGIN SELECT RAISE(IGNORE); END; DELETE FROM orders',
  ],
  [
    'the same as a temporary trigger',
    'CREATE TEMP TRIGGER t AFTER DELETE ON orders BEGIN SELECT RAISE(IGNORE); END; DELETE FROM orders',
  ],
  [
    'a trigger on the counts that ignores what is counted first',
    'CREATE TRIGGER t BEFORE INSERT ON postern_budget_counts BEGIN SELECT RAISE(IGNORE); END; DELETE FROM orders',
  ],
  [
    'a trigger on the counts that ignores what is counted later',
    'CREATE TEMP TRIGGER t BEFORE UPDATE ON postern_budget_counts BEGIN SELECT RAISE(IGNORE); END; DELETE FROM orders',
  ],
  [
    'a unique index on the counts, and OR IGNORE',
    'CREATE UNIQUE INDEX u ON postern_budget_counts (CASE WHEN count > 0 THEN 1 END); DELETE FROM orders WHERE id = 1; UPDATE OR IGNORE orders SET number = -id',
  ],
  ['UPDATE OR FAIL', 'UPDATE OR FAIL orders SET number = -id'],
  ['UPDATE OR ROLLBACK', 'UPDATE OR ROLLBACK orders SET number = -id'],
  [
    'a journal without numbers left',
    'DELETE FROM orders WHERE id = 1; UPDATE sqlite_sequence SET seq = 9223372036854775807',
  ],
  [
    'a trigger named like ours that resets',
    'CREATE TRIGGER postern_budget_x AFTER INSERT ON lever BEGIN DELETE FROM postern_budget_counts; END',
  ],
]

for (const [name, sql] of WAYS) {
  test(`SQLite: does not bypass a budget: ${name}`, () => {
    const db = open()
    assert.throws(() => as(db, sql), /postern budget|not authorized|prohibited/)
    if (db.isTransaction) db.exec('COMMIT')
    assert.ok(damage(db) <= 20, `${damage(db)} rows were lost`)
    db.close()
  })
}

test('SQLite: a refusal says which budget, and the budget opens again as its window passes', () => {
  const db = open()
  as(db, 'DELETE FROM orders WHERE id <= 20')
  assert.throws(
    () => as(db, 'DELETE FROM orders WHERE id = 21'),
    (thrown: unknown) => {
      const error = sqliteBudgetError(thrown)
      assert.ok(error instanceof RowBudgetExceeded)
      assert.deepEqual([error.budget, error.scope, error.over], ['*.delete', 'actor', 'approval'])
      assert.ok(error.retryAt > clock.now() + 3_600_000 && error.retryAt <= clock.now() + 4_050_000)
      return true
    },
  )
  as(db, 'DELETE FROM orders WHERE id = 21', 'user:bob')
  clock.advance(3_599_000)
  assert.throws(() => as(db, 'DELETE FROM orders WHERE id = 22'))
  clock.advance(451_000)
  as(db, 'DELETE FROM orders WHERE id = 22')
  db.close()
})

test('SQLite: what was rolled back is not counted, and actors of one tenant share its limit', () => {
  const db = open()
  as(db, 'BEGIN; DELETE FROM orders WHERE id <= 20; ROLLBACK; DELETE FROM orders WHERE id <= 20')
  as(db, 'UPDATE orders SET customer = 2 WHERE id BETWEEN 101 AND 120', 'user:a', 'acme')
  as(db, 'UPDATE orders SET customer = 2 WHERE id BETWEEN 121 AND 130', 'user:b', 'acme')
  assert.throws(
    () => as(db, 'UPDATE orders SET customer = 2 WHERE id = 131', 'user:c', 'acme'),
    /"scope":"tenant"/,
  )
  db.close()
})

test('SQLite: changes outside of actingAs are refused, reads are not', () => {
  const db = open()
  assert.throws(() => db.exec('DELETE FROM orders WHERE id = 1'), /inside actingAs/)
  assert.equal(db.prepare('SELECT count(*) AS n FROM orders').get()?.['n'], 200)
  db.close()
})

test('SQLite: a budget for a table that is not there is a mistake', () => {
  const db = new DatabaseSync(':memory:')
  assert.throws(() => guardSqlite(db, { budgets: { 'orders.delete': rows(1, '1h') } }), ConfigError)
  db.close()
})

for (const mode of ['OFF', 'off', 'o', '"of"'])
  test(`SQLite: a refused statement is undone, whatever the rollback journal is asked to be: ${mode}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-sqlite-'))
    const db = open(join(folder, 'shop.db'))
    assert.throws(() => db.exec(`PRAGMA main.journal_mode = ${mode}`), /not authorized|prohibited/)
    db.exec('PRAGMA journal_mode = WAL')
    for (let i = 0; i < 30; i++) assert.throws(() => as(db, 'DELETE FROM orders'), /postern budget/)
    assert.equal(damage(db), 0)
    db.close()
    rmSync(folder, { recursive: true })
  })

test('SQLite: a longer window does not count what was changed in the steps of the old one', () => {
  const db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1), (2), (3)')
  guardSqlite(db, { budgets: { 'orders.delete': rows(2, '1h') }, clock })
  as(db, 'DELETE FROM orders WHERE id < 3')
  clock.advance(3 * 86_400_000)
  db.setAuthorizer(null)
  guardSqlite(db, { budgets: { 'orders.delete': rows(2, '1d') }, clock })
  as(db, 'DELETE FROM orders WHERE id = 3')
  assert.equal(db.prepare('SELECT count(*) AS n FROM orders').get()?.['n'], 0)
  db.close()
})

test('SQLite: a virtual table does not keep the others from being guarded', () => {
  const db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY); INSERT INTO orders VALUES (1), (2), (3)')
  db.exec('CREATE VIRTUAL TABLE words USING fts5(text)')
  guardSqlite(db, { budgets: { '*.delete': rows(2, '1h') }, clock })
  as(db, "INSERT INTO words VALUES ('a')")
  assert.throws(() => as(db, 'DELETE FROM orders'), /postern budget/)
  assert.throws(() => as(db, 'CREATE VIRTUAL TABLE temp.orders USING fts5(id)'), /not authorized|prohibited/)
  db.close()
})

/** A file with a guard that has counted five deletions, and is closed. */
function guardedFile(): { readonly path: string; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'postern-sqlite-'))
  const path = join(folder, 'shop.db')
  const db = open(path)
  as(db, 'DELETE FROM orders WHERE id <= 5')
  db.close()
  return { path, folder }
}

const MIGRATION = `UPDATE orders SET number = -number; DELETE FROM orders WHERE id > 100;
  ALTER TABLE orders DROP COLUMN customer; ALTER TABLE customers RENAME TO clients`

test('SQLite: a migration changes rows and columns once triggers are away, and counts go on after it', t => {
  const { path, folder } = guardedFile()
  t.after(() => rmSync(folder, { recursive: true }))
  const db = new DatabaseSync(path)
  assert.throws(() => db.exec('DELETE FROM orders WHERE id = 6'), /no such function: postern_/)
  removeSqliteBudgets(db, { keepCounts: true })
  db.exec(MIGRATION)
  guardSqlite(db, { budgets: { '*.delete': rows(20, '1h'), '*.update': rows(20, '1h') }, clock })
  as(db, 'DELETE FROM orders WHERE id <= 20')
  assert.throws(
    () => as(db, 'DELETE FROM clients WHERE id = 1'),
    /postern budget/,
    'five before, fifteen after',
  )
  assert.throws(() => removeSqliteBudgets(db), /not authorized/)
  db.close()
})

test('SQLite: nothing of a guard stays in a file that it is taken out of', t => {
  const { path, folder } = guardedFile()
  t.after(() => rmSync(folder, { recursive: true }))
  const db = new DatabaseSync(path)
  removeSqliteBudgets(db)
  const { n } = db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name LIKE '%postern%'").get() ?? {}
  assert.equal(n, 0)
  db.exec(MIGRATION)
  removeSqliteBudgets(db)
  db.close()
})

test('SQLite: a driver without an authorizer is refused before anything is written', t => {
  const db = new DatabaseSync(':memory:')
  t.after(() => db.close())
  db.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY)')
  const other = {
    exec: (sql: string) => db.exec(sql),
    prepare: (sql: string) => db.prepare(sql),
    function: (name: string, work: () => null) => db.function(name, work),
  }
  assert.throws(
    () => guardSqlite(other as unknown as DatabaseSync, { budgets: { 'orders.delete': rows(1, '1h') } }),
    (error: unknown) => error instanceof ConfigError && /better-sqlite3/.test(error.message),
  )
  assert.equal(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'], 1)
})
