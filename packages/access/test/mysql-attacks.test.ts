import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import {
  actingAs,
  type Budgets,
  ReadBudgetExceeded,
  ReadBudgets,
  RowBudgetExceeded,
  rows,
} from '@postern/access'
import { guardMysql } from '@postern/access/mysql'
import { ConfigError } from '@postern/core'
import core from 'mysql2'
import mysql from 'mysql2/promise'
import { startMariadb } from '../../../test/mariadb-server.ts'

const server = await startMariadb()
const owner = mysql.createPool({ uri: server.url, connectionLimit: 2, multipleStatements: true })
const pools: mysql.Pool[] = []
after(async () => {
  await Promise.all(pools.map(pool => pool.end()))
  await owner.end()
  await server.stop()
})
await owner.query(`
  CREATE TABLE orders (id int PRIMARY KEY, note varchar(100) NOT NULL DEFAULT 'note');
  CREATE TABLE parents (id int PRIMARY KEY);
  CREATE TABLE children (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES parents (id) ON DELETE CASCADE);
  CREATE TABLE \`odd\`\`name\` (id int PRIMARY KEY);
  CREATE TABLE odd_children (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES \`odd\`\`name\` (id) ON DELETE CASCADE);
  CREATE TABLE numbered (id int PRIMARY KEY);
  CREATE TABLE followers (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES numbered (id) ON UPDATE CASCADE);
  CREATE TABLE lever (id int PRIMARY KEY, n int); INSERT INTO lever SELECT seq, 0 FROM seq_1_to_200;
  CREATE TRIGGER pull AFTER UPDATE ON lever FOR EACH ROW UPDATE orders SET note = 'gone' WHERE id = OLD.id;
  CREATE TABLE copied (id int PRIMARY KEY, n int); INSERT INTO copied SELECT seq, 0 FROM seq_1_to_200;
  CREATE TRIGGER copies AFTER UPDATE ON copied FOR EACH ROW INSERT INTO orders (id) VALUES (OLD.id + 1000);
  CREATE TABLE kept (id int PRIMARY KEY) WITH SYSTEM VERSIONING;
  CREATE FUNCTION adds() RETURNS int BEGIN INSERT INTO orders (id) SELECT seq FROM seq_1001_to_1100; RETURN 1; END;
  CREATE FUNCTION wipes() RETURNS int BEGIN DELETE FROM orders; RETURN 1; END;
  CREATE USER app@'127.0.0.1' IDENTIFIED BY 'app';
  GRANT SELECT, INSERT, UPDATE, DELETE, EXECUTE ON shop.* TO app@'127.0.0.1'`)

beforeEach(async () => {
  await owner.query(`
    DELETE FROM orders; INSERT INTO orders (id) SELECT seq FROM seq_1_to_200;
    DELETE FROM parents; INSERT INTO parents SELECT seq FROM seq_1_to_3; INSERT INTO children SELECT seq, 1 FROM seq_1_to_90;
    DELETE FROM \`odd\`\`name\`; INSERT INTO \`odd\`\`name\` VALUES (1); INSERT INTO odd_children SELECT seq, 1 FROM seq_1_to_90;
    DELETE FROM followers; DELETE FROM numbered; INSERT INTO numbered VALUES (1); INSERT INTO followers SELECT seq, 1 FROM seq_1_to_90;
    DELETE FROM kept; INSERT INTO kept SELECT seq FROM seq_1_to_200`)
})

const address = server.url.replace(/owner:[^@]+@/, 'app:app@')
const alice = { actor: 'user:alice' }

function guardedPool(budgets: Budgets, reads?: ReadBudgets): mysql.Pool {
  const pool = mysql.createPool({ uri: address, connectionLimit: 2 })
  pools.push(pool)
  return guardMysql(pool, { budgets, ...(reads !== undefined && { reads }) })
}

/** Rows that are gone, edited or too many. */
async function damage(): Promise<number> {
  const [found] = await owner.query<mysql.RowDataPacket[]>(`
    SELECT 200 - count(*) AS n FROM orders WHERE note = 'note' AND id <= 200 UNION ALL SELECT count(*) FROM orders WHERE id > 200
    UNION ALL SELECT 90 - count(*) FROM children UNION ALL SELECT 90 - count(*) FROM odd_children
    UNION ALL SELECT 90 - count(*) FROM followers WHERE parent = 1 UNION ALL SELECT 200 - count(*) FROM kept`)
  return found.reduce((sum, row) => sum + Number(row['n']), 0)
}

const ALL: Budgets = { '*.delete': rows(20, '1h'), '*.update': rows(20, '1h'), '*.insert': rows(20, '1h') }

type Attack = (pool: mysql.Pool) => Promise<unknown>
const query =
  (sql: string, values?: unknown[]): Attack =>
  pool =>
    pool.query(sql, values)

const WAYS: readonly (readonly [name: string, budgets: Budgets, attack: Attack])[] = [
  ['a cascading table named by a placeholder', ALL, query('DELETE FROM ?? WHERE id = ?', ['parents', 1])],
  [
    'a cascading table named by raw text',
    ALL,
    pool => pool.query('DELETE FROM ? WHERE id = 1', [core.raw('parents')]),
  ],
  [
    'the same, with values inside the statement',
    ALL,
    pool => pool.query({ sql: 'DELETE FROM ?? WHERE id = ?', values: ['parents', 1] }),
  ],
  ['a cascading table with a backtick in its name', ALL, query('DELETE FROM `odd``name`')],
  [
    'an upsert that edits a cascading key',
    ALL,
    query('INSERT INTO numbered VALUES (1) ON DUPLICATE KEY UPDATE id = id + 1000'),
  ],
  ['a budget that names the schema', { 'shop.orders.delete': rows(20, '1h') }, query('DELETE FROM orders')],
  [
    'a trigger behind rows that are found and not changed',
    { 'orders.update': rows(20, '1h') },
    query('UPDATE lever SET n = n'),
  ],
  [
    'a trigger behind an upsert, which counts each row twice',
    { 'orders.insert': rows(20, '1h') },
    query(
      'INSERT INTO copied (id, n) SELECT seq, 1 FROM seq_1_to_200 ON DUPLICATE KEY UPDATE n = copied.n + 1',
    ),
  ],
  ['a system-versioned table', { '*.delete': rows(20, '1h') }, query('DELETE FROM kept')],
  [
    'a system-versioned table under an alias',
    { '*.delete': rows(20, '1h') },
    query('DELETE k FROM kept AS k'),
  ],
  [
    'a system-versioned table, with RETURNING',
    { '*.delete': rows(20, '1h') },
    query('DELETE FROM kept RETURNING id'),
  ],
  [
    'a function that inserts',
    ALL,
    async pool => {
      const connection = await pool.getConnection()
      try {
        for (const sql of ['START TRANSACTION', 'SELECT adds()', 'COMMIT']) await connection.query(sql)
      } finally {
        connection.release()
      }
    },
  ],
]

for (const [name, budgets, attack] of WAYS)
  test(`MySQL: does not bypass a budget: ${name}`, { timeout: 30_000 }, async () => {
    const pool = guardedPool(budgets)
    await assert.rejects(
      actingAs(alice, () => attack(pool)),
      (error: unknown) => error instanceof RowBudgetExceeded || error instanceof ConfigError,
    )
    assert.equal(await damage(), 0)
  })

test('MySQL: work that only looks like those ways goes through, each row under its own budget', async () => {
  const pool = guardedPool({
    'orders.insert': rows(1, '1h'),
    'orders.update': rows(1, '1h'),
    '*.delete': rows(20, '1h'),
  })
  await actingAs(alice, async () => {
    await pool.query('UPDATE numbered SET id = id WHERE id = ?', [7]).catch(() => {})
    await pool.query('INSERT INTO kept VALUES (?), (?)', [1001, 1002])
    await pool.query("INSERT INTO parents SELECT REPLACE(seq, 'x', '') FROM seq_101_to_150")
    await pool.query("UPDATE orders SET note = REPLACE(note, 'note', 'parents') WHERE id = ?", [1])
    await pool.query('DELETE FROM orders WHERE note = ?', ['parents'])
    const [left] = await pool.query<mysql.RowDataPacket[]>("SELECT '?' AS mark, ? AS given", ['a?b'])
    assert.deepEqual({ ...left[0] }, { mark: '?', given: 'a?b' })
    await assert.rejects(pool.query('UPDATE orders SET note = 1 WHERE id = 2'), RowBudgetExceeded)
  })
})

const SHAPES: readonly Partial<mysql.PoolOptions>[] = [
  { rowsAsArray: true },
  { nestTables: true },
  { nestTables: '_' },
  { typeCast: false },
  { typeCast: field => String(field.string()).toUpperCase() },
]
for (const shape of SHAPES) {
  const name = Object.entries(shape).flat().join(' ').slice(0, 30)
  test(`MySQL: rows are counted and cascades seen, whatever rows the pool gives: ${name}`, async () => {
    const pool = mysql.createPool({ uri: address, connectionLimit: 1, ...shape })
    pools.push(pool)
    guardMysql(pool, { budgets: ALL })
    await actingAs(alice, async () => {
      for (const sql of [
        'DELETE FROM orders',
        "UPDATE orders SET note = 'gone'",
        'INSERT INTO orders (id) SELECT seq FROM seq_1001_to_1100',
      ])
        await assert.rejects(pool.query(sql), RowBudgetExceeded)
      await assert.rejects(pool.query('DELETE FROM parents'), /foreign key/)
      await pool.query('DELETE FROM orders WHERE id = 1')
    })
    assert.equal(await damage(), 1)
  })
}

/** Statements one after the other on one connection, whatever the answers are. */
const all =
  (...texts: string[]): Attack =>
  async pool => {
    const connection = await pool.getConnection()
    for (const sql of texts) await connection.query(sql).catch(() => {})
    connection.release()
  }

// With each the server refuses to say what it changed, and not to change.
for (const setting of [
  'SET max_join_size = 1, sql_big_selects = 0',
  'SET max_session_mem_used = 8192',
  'SET tmp_memory_table_size = 0, tmp_disk_table_size = 1024',
])
  for (const [name, attack] of [
    ['a change', all(setting, 'DELETE FROM orders', 'BEGIN', 'COMMIT')],
    ['a change, and one that is counted', all(setting, 'DELETE FROM orders', 'DELETE FROM kept', 'BEGIN')],
    ['a transaction', all('BEGIN', setting, 'DELETE FROM orders', 'COMMIT', 'COMMIT')],
    ['a change that fails', all(setting, 'BEGIN', 'DELETE FROM orders', 'DELETE FROM nothing', 'COMMIT')],
    ['a function', all('BEGIN', setting, 'SELECT wipes()', 'COMMIT', 'COMMIT')],
    ['a function, and a change', all('BEGIN', setting, 'SELECT wipes()', 'COMMIT', 'DELETE FROM kept')],
    ['a function, and an end', all('BEGIN', setting, 'SELECT wipes()', 'ROLLBACK', 'BEGIN')],
  ] as const satisfies readonly (readonly [string, Attack])[])
    test(`MySQL: what is not counted is not committed: ${setting}, ${name}`, async () => {
      await actingAs(alice, () => attack(guardedPool(ALL)))
      assert.equal(await damage(), 0)
    })

/** A transaction that is left open, in which a function changed rows that nobody is charged for yet. */
const left: Attack = async pool => {
  const connection = await pool.getConnection()
  for (const sql of ['START TRANSACTION', 'DELETE FROM kept WHERE id <= 5', 'SELECT wipes()'])
    await connection.query(sql)
  connection.release()
}

test('MySQL: nobody is in a transaction that another has left open: what they change stays, and is theirs', async () => {
  const pool = guardedPool(ALL)
  const thief = { actor: 'user:thief' }
  for (const id of [1, 2, 3]) {
    await actingAs(thief, () => left(pool))
    await actingAs(alice, () => pool.query('DELETE FROM orders WHERE id = ?', [id]))
    await actingAs(thief, () => pool.query('ROLLBACK'))
    assert.equal(await damage(), id)
  }
  // What was rolled back is charged to nobody.
  await actingAs(thief, () => pool.query('DELETE FROM kept WHERE id <= 20'))
  assert.equal(await damage(), 23)
})

test('MySQL: who waits for a connection does not get it inside a transaction', async () => {
  const pool = mysql.createPool({ uri: address, connectionLimit: 1 })
  pools.push(pool)
  guardMysql(pool, { budgets: ALL })
  const connection = await pool.getConnection()
  await connection.query('BEGIN')
  const waiting = actingAs(alice, () => pool.query('DELETE FROM orders WHERE id = 1'))
  const own = actingAs({ actor: 'user:thief' }, () => connection.query('DELETE FROM orders WHERE id = 2'))
  connection.release()
  await Promise.all([waiting, own])
  assert.equal(await damage(), 1)
})

test('MySQL: a statement of the pool begins no transaction; one that is ended before release is committed', async () => {
  const pool = guardedPool(ALL)
  await actingAs(alice, async () => {
    for (const begin of ['BEGIN', '/* x */ START TRANSACTION'])
      await assert.rejects(pool.query(begin), /begins a transaction/)
    const connection = await pool.getConnection()
    await connection.query('BEGIN')
    void connection.query('DELETE FROM orders WHERE id = 1')
    const ended = connection.query('COMMIT')
    connection.release()
    await ended
  })
  assert.equal(await damage(), 1)
})

test('MySQL: a connection that could not count is replaced', async () => {
  const pool = guardedPool(ALL)
  await actingAs(alice, async () => {
    await all('SET max_join_size = 1, sql_big_selects = 0', 'DELETE FROM orders', 'SELECT 1')(pool)
    await all('SET max_join_size = 1, sql_big_selects = 0', 'DELETE FROM orders')(pool)
    for (const id of [1, 2, 3]) await pool.query('DELETE FROM orders WHERE id = ?', [id])
  })
  assert.equal(await damage(), 3)
})

const SETTINGS: readonly (readonly [name: string, text: string, values: mysql.QueryOptions['values']])[] = [
  ['an object', 'SET ?', [{ tx_read_only: 0 }]],
  ['an object instead of a list', 'SET ?', { tx_read_only: 0 }],
  ['a map', 'SET ?', [new Map([['tx_read_only', 0]])]],
  ['a name', 'SET ?? = 0', ['tx_read_only']],
  ['raw text', 'SET ?', [core.raw('SESSION TRANSACTION READ WRITE')]],
  ['raw text instead of a list', 'SET ?', core.raw('SESSION TRANSACTION READ WRITE')],
]
for (const [name, text, values] of SETTINGS)
  test(`MySQL: a value sets no session that can write: ${name}`, async () => {
    const pool = guardedPool(ALL)
    await actingAs(alice, async () => {
      await assert.rejects(pool.query(text, values), /SET cannot be counted/)
      await assert.rejects(pool.query('SELECT wipes()'))
    })
    assert.equal(await damage(), 0)
  })

test('MySQL: a setting takes values with any words in them', async () => {
  const pool = guardedPool(ALL)
  const connection = await pool.getConnection()
  for (const value of ['the role of a transaction', 7, null, new Date(0), Buffer.from('read_only')])
    await connection.query('SET @who = ?', [value])
  await connection.query({ sql: 'SET @who = ?', values: ['role'] })
  const [found] = await connection.query<mysql.RowDataPacket[]>('SELECT @who AS who')
  connection.release()
  assert.equal(found[0]?.['who'], 'role')
})

test('MySQL: raw text inside of a list is read as the statement it makes', async () => {
  const pool = guardedPool(ALL)
  await actingAs(alice, async () => {
    const parents = pool.query('DELETE FROM ? WHERE id = 1', [[core.raw('parents')]])
    await assert.rejects(parents, /foreign key/)
    const file = pool.query('SELECT ?', [core.raw("1 INTO OUTFILE '/nowhere/x'")])
    await assert.rejects(file, /SELECT INTO a file/)
  })
  assert.equal(await damage(), 0)
})

test('MySQL: what LOAD does is counted for data and XML; an index is not loaded, for that commits', async () => {
  const pool = guardedPool(ALL)
  await assert.rejects(
    actingAs(alice, () => pool.query('LOAD INDEX INTO CACHE orders')),
    /LOAD cannot be counted/,
  )
})

for (const sql of [
  "SELECT * FROM orders INTO/**/OUTFILE '/nowhere/x'",
  "SELECT * FROM orders INTO -- c\nDUMPFILE '/nowhere/x'",
  "WITH o AS (SELECT * FROM orders) SELECT * FROM o INTO OUTFILE '/nowhere/x'",
  "VALUES (1) INTO # c\n OUTFILE '/nowhere/x'",
])
  test(`MySQL: rows do not go into a file: ${sql}`, async () => {
    const pool = guardedPool(ALL)
    await assert.rejects(
      actingAs(alice, () => pool.query(sql)),
      /SELECT INTO a file/,
    )
  })

const TABLE = "SELECT group_concat(note SEPARATOR '---------------------------------------') AS x FROM orders"
const READS: readonly (readonly [name: string, statement: mysql.QueryOptions])[] = [
  ['rows as arrays', { sql: TABLE, rowsAsArray: true }],
  ['rows by table', { sql: TABLE, nestTables: true }],
  ['rows with names of tables', { sql: TABLE, nestTables: '_' }],
  ['RETURNING', { sql: 'INSERT INTO orders (id) SELECT seq FROM seq_3001_to_3050 RETURNING *' }],
  ['a whole table that RETURNING computes', { sql: `DELETE FROM orders WHERE id = 1 RETURNING (${TABLE})` }],
]
for (const [name, statement] of READS)
  test(`MySQL: does not bypass a budget of reads: ${name}`, async () => {
    const budgets: Budgets = { '*.insert': rows(1_000, '1h') }
    const pool = guardedPool(budgets, new ReadBudgets({ budgets: { '*.select': rows(20, '1h') } }))
    await actingAs(alice, async () => {
      await assert.rejects(pool.query(statement), ReadBudgetExceeded)
      const [few] = await pool.query<mysql.RowDataPacket[]>({
        ...statement,
        sql: 'SELECT id FROM orders LIMIT 5',
      })
      assert.equal(few.length, 5)
    })
    assert.equal(await damage(), 0)
  })

test('MySQL: errors count by their length, for they can hold what was read', async () => {
  const reads = new ReadBudgets({ budgets: { '*.select': rows(20, '1h') } })
  const pool = guardedPool(ALL, reads)
  await actingAs(alice, async () => {
    let seen = 0
    for (let i = 0; i < 100; i++)
      await assert.rejects(pool.query(`SELECT * FROM \`${'x'.repeat(60)}\``), (error: unknown) => {
        seen += Number(!(error instanceof ReadBudgetExceeded))
        return true
      })
    // One row for each 64 bytes of all of them together: each of these is longer than that.
    assert.equal(seen, 15)
  })
})

test('MySQL: a pool is not guarded when some of its connections would not be', async () => {
  const used = mysql.createPool({ uri: address })
  await used.query('SELECT 1')
  assert.throws(() => guardMysql(used, { budgets: ALL }), /before its first use/)
  await used.end()
  const resetting = mysql.createPool({ uri: address, resetOnRelease: true } as mysql.PoolOptions)
  assert.throws(() => guardMysql(resetting, { budgets: ALL }), /resetOnRelease/)
  await resetting.end()
  for (const option of [
    { multipleStatements: true },
    { multipleStatements: 1 },
    { flags: ['MULTI_STATEMENTS'] },
  ]) {
    const several = mysql.createPool({ uri: address, ...option } as mysql.PoolOptions)
    assert.throws(() => guardMysql(several, { budgets: ALL }), /several statements/)
    await several.end()
  }
  const cluster = core.createPoolCluster()
  assert.throws(() => guardMysql(cluster, { budgets: ALL }), /cluster/)
  cluster.end()
})
