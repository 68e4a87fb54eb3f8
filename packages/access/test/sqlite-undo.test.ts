import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { actingAs, rows } from '@postern/access'
import { guardSqlite, type SqliteGuard } from '@postern/access/sqlite'
import { ConfigError, VirtualClock } from '@postern/core'

const SCHEMA = `
  PRAGMA foreign_keys = ON;
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, secret TEXT);
  CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER REFERENCES customers ON DELETE CASCADE, total REAL, twice AS (total * 2), file BLOB, note TEXT);
  CREATE TABLE tags (a TEXT, b INTEGER, note, PRIMARY KEY (b, a)) WITHOUT ROWID;
  CREATE TABLE heap (note);
  INSERT INTO customers SELECT value, 'customer ' || value, 's' || value FROM generate_series(1, 20);
  INSERT INTO orders SELECT value, 1 + value % 20, value / 3.0, zeroblob(value % 3), 'it''s ' || char(0, 233) || value FROM generate_series(1, 200);
  INSERT INTO tags SELECT 't' || value, value % 7, CASE value % 4 WHEN 0 THEN NULL WHEN 1 THEN 1.5 WHEN 2 THEN x'00ff' ELSE -value END FROM generate_series(1, 50);
  INSERT INTO heap SELECT value FROM generate_series(1, 10)`.replaceAll(
  /FROM generate_series\(1, (\d+)\)/g,
  'FROM (WITH RECURSIVE g (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM g WHERE value < $1) SELECT value FROM g)',
)

function open(): { readonly db: DatabaseSync; readonly guard: SqliteGuard } {
  const db = new DatabaseSync(':memory:')
  db.exec(SCHEMA)
  const guard = guardSqlite(db, {
    budgets: { '*.delete': rows(300, '1h'), '*.update': rows(300, '1h') },
    columns: { customers: { hidden: ['Secret'], fixed: ['name'] } },
    clock: new VirtualClock(),
  })
  return { db, guard }
}

/** Every value of every table, with its type. */
function content(db: DatabaseSync): string {
  return JSON.stringify(
    [
      'SELECT id, name FROM customers ORDER BY id',
      'SELECT *, typeof(total), hex(note) FROM orders ORDER BY id',
      'SELECT *, typeof(note) FROM tags ORDER BY a',
      'SELECT rowid, * FROM heap ORDER BY rowid',
    ].map(sql => db.prepare(sql).all()),
    (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value),
  )
}

test('SQLite: what an actor deleted and edited is put back byte by byte, cascades included', () => {
  const { db, guard } = open()
  const before = content(db)
  actingAs({ actor: 'user:alice', tenant: 'acme' }, () => {
    db.exec('DELETE FROM customers WHERE id <= 5')
    db.exec("UPDATE orders SET note = 'gone', total = 0 WHERE id < 100")
    db.exec("UPDATE orders SET id = id + 1000, note = 'again' WHERE id < 50")
    db.exec('DELETE FROM tags')
    db.exec('DELETE FROM heap WHERE note > 3')
  })
  assert.notEqual(content(db), before)
  const changes = guard.changes({ actor: 'user:alice' })
  const [first] = changes
  assert.ok(first !== undefined && changes.every(({ change }) => change === first.change))
  assert.equal(changes.find(({ table, action }) => table === 'orders' && action === 'delete')?.rows, 50)
  const { restored, conflicts } = guard.undo(first.change)
  assert.deepEqual(conflicts, [])
  assert.ok(restored > 200)
  assert.equal(content(db), before)
  assert.equal(guard.undo(first.change).restored, 0)
  assert.deepEqual(guard.changes({ actor: 'user:bob' }), [])
})

test('SQLite: a row that was made or edited again is a conflict, and nothing is written unless it is skipped', () => {
  const { db, guard } = open()
  actingAs({ actor: 'user:alice' }, () => {
    db.exec('DELETE FROM heap')
    db.exec("UPDATE orders SET note = 'x' WHERE id IN (1, 2)")
  })
  actingAs({ actor: 'user:bob' }, () => db.exec("UPDATE orders SET note = 'mine' WHERE id = 2"))
  const change = guard.changes({ actor: 'user:alice' })[0]?.change ?? ''
  assert.deepEqual(guard.undo(change), { restored: 0, conflicts: [{ table: 'orders', key: '2' }] })
  assert.equal(db.prepare('SELECT count(*) AS n FROM heap').get()?.['n'], 0)
  assert.equal(guard.undo(change, { conflicts: 'skip' }).restored, 11)
  assert.equal(db.prepare('SELECT note FROM orders WHERE id = 2').get()?.['note'], 'mine')
})

test('SQLite: undo counts for nobody, and the guard stands again after it, also when it fails', () => {
  const { db, guard } = open()
  actingAs({ actor: 'user:alice' }, () => db.exec('DELETE FROM orders'))
  const change = guard.changes()[0]?.change ?? ''
  guard.undo(change)
  actingAs({ actor: 'user:alice' }, () => {
    db.exec('DELETE FROM orders WHERE id <= 100')
    assert.throws(() => db.exec('DELETE FROM orders WHERE id = 101'), /postern budget/)
    db.exec('BEGIN')
    assert.throws(() => guard.undo(change), ConfigError)
    db.exec('ROLLBACK')
    assert.throws(() => db.exec('DELETE FROM postern_budget_counts'), /not authorized|prohibited/)
  })
  assert.throws(() => db.exec('DELETE FROM orders WHERE id = 150'), /inside actingAs/)
})

test('SQLite: what one actor did in two calls of actingAs is two changes', () => {
  const { db, guard } = open()
  const alice = { actor: 'user:alice' }
  actingAs(alice, () => db.exec('DELETE FROM orders WHERE id = 1'))
  actingAs(alice, () => db.exec('DELETE FROM orders WHERE id = 2; DELETE FROM orders WHERE id = 3'))
  const [second, first] = guard.changes()
  assert.notEqual(first?.change, second?.change)
  assert.equal(second?.rows, 2)
  assert.equal(guard.undo(first?.change ?? '').restored, 1)
})

test('SQLite: no temporary table takes the place of the one that rows are put back into', () => {
  const { db, guard } = open()
  actingAs({ actor: 'user:alice' }, () => {
    db.exec('DELETE FROM heap')
    for (const sql of [
      'CREATE TEMP TABLE heap (note)',
      'CREATE TEMP TABLE Heap AS SELECT 1',
      'CREATE TEMP VIEW heap AS SELECT 1 AS note',
    ])
      assert.throws(() => db.exec(sql), /not authorized|prohibited/, sql)
  })
  guard.undo(guard.changes()[0]?.change ?? '')
  assert.equal(db.prepare('SELECT count(*) AS n FROM main.heap').get()?.['n'], 10)
})

for (const sql of [
  'DROP INDEX postern_budget_journal_change',
  'CREATE TEMP TRIGGER t BEFORE INSERT ON postern_budget_journal BEGIN SELECT RAISE(IGNORE); END',
  'SELECT old FROM postern_budget_journal',
  'SELECT count(key) FROM Postern_Budget_Journal',
  'DELETE FROM postern_budget_journal',
  "UPDATE postern_budget_journal SET old = ''",
  'DROP TABLE postern_budget_journal',
  'CREATE TEMP VIEW v AS SELECT old FROM postern_budget_journal; SELECT * FROM v',
])
  test(`SQLite: old rows are not for actors: ${sql}`, () => {
    const { db } = open()
    actingAs({ actor: 'user:alice' }, () => {
      db.exec('DELETE FROM orders WHERE id = 1')
      assert.throws(() => db.exec(sql), /not authorized|prohibited/)
    })
  })

test('SQLite: hidden columns cannot be read, fixed ones not edited, by statements, views and triggers', () => {
  const { db } = open()
  actingAs({ actor: 'user:alice' }, () => {
    for (const sql of [
      'SELECT secret FROM customers',
      'SELECT * FROM customers',
      "SELECT id FROM customers WHERE SECRET LIKE 's1%'",
      'SELECT id FROM customers ORDER BY secret',
      'SELECT c."secret" FROM customers AS c',
      'CREATE TEMP VIEW v AS SELECT secret FROM customers; SELECT * FROM v',
      'UPDATE orders SET note = (SELECT secret FROM customers LIMIT 1)',
      'DELETE FROM customers WHERE id = 1 RETURNING secret',
      "UPDATE customers SET name = 'x'",
    ])
      assert.throws(() => db.exec(sql), /not authorized|prohibited/, sql)
    db.exec("INSERT INTO customers (id, name, secret) VALUES (100, 'n', 's')")
    assert.equal(db.prepare('SELECT count(*) AS n FROM customers').get()?.['n'], 21)
  })
})

/** Names of our triggers, which SQLite reports alike for a common table expression that is called so. */
const NAMES = ['postern_x', 'postern_budget_keep_delete_customers', 'postern_budget_keep_update_customers']

for (const name of NAMES)
  for (const sql of [
    `WITH ${name} AS (SELECT secret FROM customers) SELECT * FROM ${name}`,
    `WITH ${name} AS MATERIALIZED (SELECT secret FROM customers) SELECT * FROM ${name}`,
    `WITH RECURSIVE ${name} (s) AS (SELECT secret FROM customers UNION SELECT s FROM ${name}) SELECT * FROM ${name}`,
    `WITH ${name} AS (SELECT old FROM postern_budget_journal) SELECT * FROM ${name}`,
    `SELECT id FROM orders WHERE EXISTS (WITH ${name} AS (SELECT secret FROM customers) SELECT 1 FROM ${name})`,
    `DELETE FROM customers WHERE id = 1 RETURNING (WITH ${name} AS (SELECT secret FROM customers) SELECT secret FROM ${name})`,
    `UPDATE customers SET id = 99 WHERE id = 1 RETURNING (WITH ${name} AS (SELECT secret FROM customers) SELECT secret FROM ${name})`,
    `WITH ${name} AS (SELECT secret FROM customers) DELETE FROM customers WHERE id = (SELECT count(secret) FROM ${name})`,
    `WITH ${name} AS (SELECT secret FROM customers) INSERT INTO heap SELECT secret FROM ${name}`,
    `CREATE VIEW v AS WITH ${name} AS (SELECT secret FROM customers) SELECT * FROM ${name}; SELECT * FROM v`,
  ])
    test(`SQLite: a name does not make a statement ours: ${sql}`, () => {
      const { db } = open()
      actingAs({ actor: 'user:alice' }, () => {
        db.exec('DELETE FROM customers WHERE id = 7')
        assert.throws(() => db.exec(sql), /not authorized|prohibited/)
        db.exec('DELETE FROM customers WHERE id = 8')
      })
    })

test('SQLite: a table whose columns are hidden is not altered, whether it has a budget or not', () => {
  const db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE Notes (id INTEGER PRIMARY KEY, secret TEXT); CREATE TABLE other (id)')
  guardSqlite(db, { budgets: { 'other.delete': rows(1, '1h') }, columns: { notes: { hidden: ['secret'] } } })
  for (const sql of [
    'ALTER TABLE notes RENAME TO n; SELECT secret FROM n',
    'ALTER TABLE notes RENAME COLUMN secret TO plain; SELECT plain FROM notes',
    'ALTER TABLE notes ADD COLUMN copy AS (secret); SELECT copy FROM notes',
    'DROP TABLE notes',
  ])
    assert.throws(() => db.exec(sql), /not authorized|prohibited/, sql)
})

const FORGED = `
  CREATE TEMP TABLE other (id, change, at, actor, tenant, relation, action, columns, keys, key, old, became, undone);
  INSERT INTO other VALUES (1, 'forged', 1e15, 'user:eve', '', 'orders', 'delete', '"id"', '"id"', '9', '1000); DELETE FROM orders; --', NULL, NULL)`

const LATER: readonly (readonly [name: string, sql: string])[] = [
  [
    'a temporary table becomes the journal',
    `${FORGED}; ALTER TABLE temp.other RENAME TO postern_budget_journal`,
  ],
  [
    'a temporary table becomes a guarded one',
    'CREATE TEMP TABLE other (id); ALTER TABLE other RENAME TO orders',
  ],
  [
    'a trigger on a table without a budget deletes',
    'CREATE TRIGGER later AFTER INSERT ON log BEGIN DELETE FROM orders; END',
  ],
  [
    'a temporary trigger deletes',
    'CREATE TEMP TRIGGER later AFTER INSERT ON log BEGIN DELETE FROM main.orders; END',
  ],
  [
    'a trigger takes the name of another',
    'DROP TRIGGER Noted; CREATE TRIGGER noted AFTER INSERT ON log BEGIN DELETE FROM orders; END',
  ],
  [
    'a trigger raises limits',
    'CREATE TRIGGER later AFTER INSERT ON log BEGIN UPDATE postern_budget_limits SET rows = 1000000; END',
  ],
  [
    'a trigger copies hidden columns',
    'CREATE TRIGGER later AFTER INSERT ON log BEGIN UPDATE log SET line = (SELECT group_concat(secret) FROM orders); END',
  ],
]
for (const [name, sql] of LATER)
  test(`SQLite: undo does nothing that was refused before: ${name}`, () => {
    const db = new DatabaseSync(':memory:')
    db.exec(`
      CREATE TABLE orders (id INTEGER PRIMARY KEY, secret TEXT);
      CREATE TABLE log (line);
      CREATE TRIGGER logs AFTER INSERT ON orders BEGIN INSERT INTO log VALUES (NEW.id); END;
      CREATE TRIGGER noted AFTER DELETE ON log BEGIN DELETE FROM orders WHERE id = 0; END;
      INSERT INTO orders SELECT value, 'hush' FROM json_each('[1, 2, 3, 4, 5, 6, 7, 8]')`)
    const guard = guardSqlite(db, {
      budgets: { 'orders.delete': rows(2, '1h') },
      columns: { orders: { hidden: ['secret'] } },
    })
    actingAs({ actor: 'user:eve' }, () => {
      db.exec('DELETE FROM orders WHERE id = 1')
      try {
        db.exec(sql)
      } catch {}
    })
    for (const { change } of guard.changes())
      try {
        guard.undo(change)
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error))
      }
    const all = (text: string): unknown[] =>
      db
        .prepare(text)
        .all()
        .map(row => Object.values(row)[0])
    assert.ok(Number(all('SELECT count(*) FROM main.orders')[0]) >= 7)
    assert.ok(!String(all('SELECT line FROM log')).includes('hush'))
    assert.deepEqual(all('SELECT rows FROM main.postern_budget_limits'), [2])
  })

test('SQLite: undo sets off the triggers of the application, also those that change guarded tables', () => {
  const db = new DatabaseSync(':memory:')
  db.exec(`
    CREATE TABLE customers (id INTEGER PRIMARY KEY, orders INTEGER);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER);
    CREATE TRIGGER more AFTER INSERT ON orders BEGIN UPDATE customers SET orders = orders + 1 WHERE id = NEW.customer; END;
    INSERT INTO customers VALUES (1, 0);
    INSERT INTO orders VALUES (1, 1), (2, 1)`)
  const guard = guardSqlite(db, { budgets: { '*.delete': rows(2, '1h'), '*.update': rows(1, '1h') } })
  actingAs({ actor: 'user:alice' }, () => {
    db.exec('DELETE FROM orders')
    db.exec('CREATE TABLE log (line)')
  })
  const [change] = guard.changes()
  assert.equal(guard.undo(change?.change ?? '').restored, 2)
  assert.deepEqual({ ...db.prepare('SELECT orders FROM customers').get() }, { orders: 4 })
})

test('SQLite: nobody leaves a trigger behind, which changes rows under the budgets of others', () => {
  const { db } = open()
  db.exec('CREATE TABLE log (line); CREATE TEMP TABLE own (line)')
  for (const on of ['orders', 'log', 'main.log', 'temp.own'])
    for (const kind of ['TRIGGER', 'TEMP TRIGGER', 'TRIGGER IF NOT EXISTS'])
      assert.throws(() => db.exec(`CREATE ${kind} t AFTER INSERT ON ${on} BEGIN SELECT 1; END`))
})

/** What a trigger on a table without a budget does, which another program created after the guard. */
const FOREIGN: readonly (readonly [name: string, body: string])[] = [
  ['deletes guarded rows', 'DELETE FROM orders'],
  ['deletes what guarded rows follow', 'DELETE FROM parents'],
  ['sets off a trigger of the application', 'INSERT INTO queue SELECT id FROM orders'],
  [
    'reads hidden columns under our name',
    'INSERT INTO loot SELECT s FROM (WITH postern_x AS (SELECT secret AS s FROM orders) SELECT s FROM postern_x)',
  ],
  [
    'reads the journal under our name',
    'INSERT INTO loot SELECT s FROM (WITH postern_x AS (SELECT old AS s FROM postern_budget_journal) SELECT s FROM postern_x)',
  ],
]
for (const [name, body] of FOREIGN)
  test(`SQLite: undo fails where a later trigger ${name}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-undo-'))
    try {
      const file = join(folder, 'shop.db')
      const db = new DatabaseSync(file)
      db.exec(`
        CREATE TABLE parents (id INTEGER PRIMARY KEY);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents ON DELETE CASCADE, secret TEXT);
        CREATE TABLE log (line); CREATE TABLE queue (id); CREATE TABLE loot (line);
        CREATE TRIGGER logs AFTER INSERT ON orders BEGIN INSERT INTO log VALUES (NEW.id); END;
        CREATE TRIGGER works AFTER INSERT ON queue BEGIN DELETE FROM orders WHERE id = NEW.id; END;
        INSERT INTO parents VALUES (1);
        INSERT INTO orders SELECT value, 1, 'hush' FROM json_each('[1, 2, 3, 4]')`)
      const guard = guardSqlite(db, {
        budgets: { 'orders.delete': rows(1, '1h') },
        columns: { orders: { hidden: ['secret'] } },
      })
      actingAs({ actor: 'user:eve' }, () => db.exec('DELETE FROM orders WHERE id = 1'))
      const change = guard.changes()[0]?.change ?? ''
      const other = new DatabaseSync(file)
      other.exec(`CREATE TRIGGER later AFTER INSERT ON log BEGIN ${body}; END`)
      assert.throws(() => guard.undo(change), /a trigger that was created after the guard/)
      assert.equal(db.prepare('SELECT count(*) AS n FROM orders').get()?.['n'], 3)
      assert.equal(db.prepare('SELECT count(*) AS n FROM loot').get()?.['n'], 0)
      other.exec('DROP TRIGGER later')
      assert.equal(guard.undo(change).restored, 1)
      other.close()
      db.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
