import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { actingAs, rows } from '@postern/access'
import { type ColumnRights, guardSqlite } from '@postern/access/sqlite'
import { ConfigError } from '@postern/core'

const RIGHTS: Readonly<Record<string, ColumnRights>> = { Users: { hidden: ['Pin'], fixed: ['id'] } }

function open(schema = '', columns = RIGHTS): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  db.exec(`CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, pin TEXT, org INTEGER);
    CREATE TABLE orgs (org INTEGER PRIMARY KEY, title TEXT);
    INSERT INTO users VALUES (1, 'ann', '4711', 1), (2, 'bob', '1234', 1); INSERT INTO orgs VALUES (1, 'o'); ${schema}`)
  guardSqlite(db, { budgets: { '*.delete': rows(50, '1h'), '*.update': rows(50, '1h') }, columns })
  actingAs({ actor: 'user:alice' }, () => db.exec("UPDATE users SET name = 'anna' WHERE id = 1"))
  return db
}

const GUESS = "(SELECT '4711' AS pin) AS d"
const READS: readonly string[] = [
  `SELECT name FROM users JOIN ${GUESS} USING (pin)`,
  `SELECT name FROM users JOIN ${GUESS} using(PIN)`,
  `SELECT name FROM "users" JOIN ${GUESS} USING ("pin")`,
  `SELECT name FROM 'users' JOIN ${GUESS} USING ('pin')`,
  `SELECT name FROM [users] JOIN ${GUESS} USING ([pin])`,
  `SELECT name FROM \`users\` JOIN ${GUESS} USING (\`pin\`)`,
  `SELECT name FROM main.users AS u JOIN ${GUESS} USING/* ' */(pin)`,
  `SELECT name FROM users JOIN ${GUESS} USING -- (\n (pin)`,
  `SELECT name FROM users NATURAL JOIN ${GUESS}`,
  `SELECT name FROM users LEFT NATURAL JOIN ${GUESS}`,
  `SELECT name FROM users \uFEFFNATURAL JOIN ${GUESS}`,
  `SELECT name FROM (SELECT 1) JOIN orgs ON 1=?1NATURAL JOIN users, ${GUESS}`,
  `SELECT $a(/*), name FROM users NATURAL JOIN ${GUESS} --*/`,
  `SELECT pin FROM (SELECT 'x' AS pin WHERE 0) AS d FULL JOIN users USING (pin)`,
  `SELECT pin FROM (SELECT 1 AS id, 'x' AS pin WHERE 0) AS d FULL JOIN users USING (id, pin)`,
  `SELECT * FROM (SELECT pin FROM (SELECT 'x' AS pin WHERE 0) AS d FULL JOIN users USING (pin))`,
  `CREATE TEMP VIEW v AS SELECT pin FROM (SELECT 'x' AS pin WHERE 0) AS d FULL JOIN users USING (pin)`,
  `INSERT INTO orgs (title) SELECT pin FROM (SELECT 'x' AS pin WHERE 0) AS d FULL JOIN users USING (pin)`,
  `SELECT old FROM (SELECT 'x' AS old) AS d FULL JOIN postern_budget_journal USING (old)`,
  `SELECT old FROM (SELECT 'x' AS old) AS d NATURAL FULL JOIN postern_budget_journal`,
]

for (const sql of READS)
  test(`SQLite: a join by a shared name reads no hidden column: ${sql}`, () => {
    const db = open()
    actingAs({ actor: 'user:alice' }, () => {
      assert.throws(() => db.prepare(sql), ConfigError)
      assert.throws(() => db.exec(sql), ConfigError)
    })
  })

const JOURNAL = `(id INTEGER PRIMARY KEY AUTOINCREMENT, change TEXT NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL, tenant TEXT NOT NULL,
  relation TEXT NOT NULL, action TEXT NOT NULL, columns TEXT NOT NULL, keys TEXT NOT NULL, key TEXT NOT NULL, old TEXT NOT NULL, became TEXT, undone INTEGER)`
const COPIES: readonly string[] = [
  'INSERT INTO alike SELECT * FROM users',
  'INSERT INTO alike SELECT ALL*FROM[users]',
  'INSERT INTO alike SELECT * /* ( */ FROM main . "users" AS u',
  'INSERT INTO alike SELECT * FROM ((users))',
  'REPLACE INTO alike SELECT * FROM users',
  'INSERT OR FAIL INTO alike SELECT * FROM users',
  'INSERT INTO journal SELECT * FROM postern_budget_journal',
  `INSERT INTO journal SELECT * FROM 'postern_budget_journal'`,
]

for (const sql of COPIES)
  test(`SQLite: a table that is made alike is not filled with hidden columns: ${sql}`, () => {
    const db = open()
    actingAs({ actor: 'user:alice' }, () => {
      db.exec('CREATE TABLE alike (id INTEGER PRIMARY KEY, name TEXT, pin TEXT, org INTEGER)')
      db.exec(`CREATE TABLE journal ${JOURNAL}`)
      assert.throws(() => db.exec(sql))
      assert.equal(db.prepare('SELECT count(*) AS n FROM alike').get()?.['n'], 0)
      assert.equal(db.prepare('SELECT count(*) AS n FROM journal').get()?.['n'], 0)
      // Into such a table rows are copied as before.
      db.exec("INSERT INTO alike VALUES (8, 'eve', 'p', 1); INSERT INTO users SELECT * FROM alike")
    })
  })

test('SQLite: a store of tagged statements does not read hidden columns by a join', t => {
  const db = open()
  if (typeof db.createTagStore !== 'function') return t.skip('this version of Node has none')
  const store = db.createTagStore()
  assert.equal(store.all`SELECT name FROM users WHERE id = ${2}`.length, 1)
  assert.throws(
    () => store.all`SELECT name FROM users JOIN (SELECT ${'4711'} AS pin) AS d USING (pin)`,
    ConfigError,
  )
})

test('SQLite: a view from before that joins by a hidden column is an error when the guard is set up', () => {
  const view =
    "CREATE VIEW pins AS SELECT pin FROM (SELECT 'x' AS pin WHERE 0) AS d FULL JOIN users USING (pin)"
  assert.throws(() => open(view), /pins: joins or copies "users"/)
  assert.doesNotThrow(() => open(view, {}))
})

test('SQLite: a fixed primary key is not edited as the number of its row', () => {
  const db = open()
  actingAs({ actor: 'user:alice' }, () => {
    for (const sql of [
      'UPDATE users SET id = 9 WHERE id = 1',
      'UPDATE users SET rowid = 9 WHERE id = 1',
      'UPDATE users SET OID = 9 WHERE id = 1',
      "UPDATE users SET (name, _rowid_) = ('x', 9) WHERE id = 1",
      "INSERT INTO users VALUES (1, 'x', 'y', 1) ON CONFLICT (id) DO UPDATE SET rowid = 9",
    ])
      assert.throws(() => db.exec(sql), /not authorized/, sql)
  })
})

test('SQLite: joins by columns that may be read, and words in texts, pass', () => {
  const db = open()
  actingAs({ actor: 'user:alice' }, () => {
    for (const sql of [
      'SELECT name, title FROM users JOIN orgs USING (org)',
      `SELECT title FROM orgs NATURAL JOIN (SELECT 1 AS org)`,
      `SELECT title FROM orgs JOIN (SELECT 1 AS org, 'p' AS pin) USING (org)`,
      "SELECT name FROM users WHERE name = 'natural' OR name = 'join using (pin)' -- NATURAL",
      "UPDATE users SET pin = '1' WHERE id = 2",
      'UPDATE orgs SET rowid = 7 WHERE org = 1',
    ])
      assert.doesNotThrow(() => db.exec(sql), sql)
  })
})

test('SQLite: a statement of many open brackets is read in one pass', () => {
  const db = open()
  for (const piece of ['* from ', '* from (', '[', '$a(', '/*', "'", '""', '(', ':::'])
    assert.throws(() => db.prepare(`INSERT SELECT 1 USING ${piece.repeat(300_000)}`), Error, piece)
})
