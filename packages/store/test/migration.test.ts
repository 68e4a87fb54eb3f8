import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError, IntegrityError, StoreError } from '@postern/core'
import { HOSTILE_OPERATORS } from '../../../test/hostile-operators.ts'
import { freshDatabase } from '../../../test/services.ts'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { connectPostgres, type Migration, migrate, openSqlite } from '../src/index.ts'
import { scratch } from './scratch.ts'

const FIRST: Migration = {
  id: 1,
  name: 'keep notes',
  sqlite: 'CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)',
  postgres: 'CREATE TABLE note (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text TEXT NOT NULL)',
}
const SECOND: Migration = {
  id: 2,
  name: 'say who wrote them',
  sqlite: `ALTER TABLE note ADD COLUMN author TEXT; UPDATE note SET author = 'unknown'`,
  postgres: `ALTER TABLE note ADD COLUMN author TEXT; UPDATE note SET author = 'unknown'`,
}
const BROKEN: Migration = {
  id: 2,
  name: 'fails half way',
  sqlite: 'CREATE TABLE a (x); SELEC',
  postgres: 'CREATE TABLE a (x int); SELEC',
}

describe('migrations of SQLite', () => {
  test('are applied once, in order', t => {
    const database = openSqlite({ path: join(scratch(t), 'a.db') })
    assert.deepEqual(migrate(database, 'notes', [FIRST, SECOND]), [1, 2])
    assert.deepEqual(migrate(database, 'notes', [FIRST, SECOND]), [])
    database.close()
  })

  test('upgrade an older file and keep what is in it', t => {
    const path = join(scratch(t), 'a.db')
    const old = openSqlite({ path, migrations: [{ name: 'notes', migrations: [FIRST] }] })
    old.transaction(() => old.db.exec(`INSERT INTO note (text) VALUES ('written by 1.0')`))
    old.close()
    const database = openSqlite({ path, migrations: [{ name: 'notes', migrations: [FIRST, SECOND] }] })
    assert.deepEqual(
      { ...database.db.prepare('SELECT * FROM note').get() },
      { id: 1, text: 'written by 1.0', author: 'unknown' },
    )
    database.close()
  })

  test('of two packages have numbers of their own', t => {
    const database = openSqlite({ path: join(scratch(t), 'a.db') })
    migrate(database, 'notes', [FIRST])
    assert.deepEqual(migrate(database, 'other', [{ id: 1, name: 'x', sqlite: 'CREATE TABLE x (y)' }]), [1])
    database.close()
  })

  test('leave nothing behind when one fails', t => {
    const database = openSqlite({ path: join(scratch(t), 'a.db') })
    migrate(database, 'notes', [FIRST])
    assert.throws(() => migrate(database, 'notes', [FIRST, BROKEN]), StoreError)
    assert.equal(database.db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'a'`).get(), undefined)
    assert.deepEqual(migrate(database, 'notes', [FIRST, SECOND]), [2])
    database.close()
  })

  test('that end their own transaction are refused', t => {
    const database = openSqlite({ path: join(scratch(t), 'a.db') })
    const sly: Migration = { id: 1, name: 'commits', sqlite: 'CREATE TABLE a (x); COMMIT' }
    assert.throws(() => migrate(database, 'sly', [sly]), /IntegrityError|ended the transaction/)
    database.close()
  })

  test('that were edited after release are refused by name', t => {
    const path = join(scratch(t), 'a.db')
    openSqlite({ path, migrations: [{ name: 'notes', migrations: [FIRST] }] }).close()
    const edited: Migration = { ...FIRST, sqlite: `${FIRST.sqlite} -- harmless` }
    assert.throws(
      () => openSqlite({ path, migrations: [{ name: 'notes', migrations: [edited] }] }),
      error => error instanceof IntegrityError && error.message.includes('notes/1 "keep notes"'),
    )
  })

  test('of a later version are refused, and so is the file', t => {
    const path = join(scratch(t), 'a.db')
    openSqlite({ path, migrations: [{ name: 'notes', migrations: [FIRST, SECOND] }] }).close()
    assert.throws(
      () => openSqlite({ path, migrations: [{ name: 'notes', migrations: [FIRST] }] }),
      error =>
        error instanceof StoreError &&
        !error.retryable &&
        /later version of Postern \(migration notes\/2 "say who wrote them"\)/.test(error.message),
    )
  })

  test('are not run on a file opened to be read, which says that it is too old', t => {
    const path = join(scratch(t), 'a.db')
    openSqlite({ path, migrations: [{ name: 'notes', migrations: [FIRST] }] }).close()
    assert.throws(
      () =>
        openSqlite({ path, readOnly: true, migrations: [{ name: 'notes', migrations: [FIRST, SECOND] }] }),
      /written by an earlier version; start Postern once/,
    )
  })

  test('with a gap in their numbers are a mistake of the programmer', () => {
    const database = openSqlite({ path: ':memory:' })
    assert.throws(() => migrate(database, 'notes', [FIRST, { ...SECOND, id: 3 }]), ConfigError)
    assert.throws(() => migrate(database, 'notes', [FIRST, { ...SECOND, id: 1 }]), ConfigError)
    database.close()
  })

  test('missing from the middle of the record mean that someone changed it', () => {
    const database = openSqlite({ path: ':memory:' })
    migrate(database, 'notes', [FIRST, SECOND])
    database.db.exec('DELETE FROM postern_migrations WHERE id = 1')
    assert.throws(() => migrate(database, 'notes', [FIRST, SECOND]), IntegrityError)
    database.close()
  })

  test('run once although four processes start at once', async t => {
    const directory = scratch(t)
    const script = join(directory, 'start.ts')
    const source = new URL('../src/index.ts', import.meta.url).href
    writeFileSync(
      script,
      `import { openSqlite } from ${JSON.stringify(source)}
       const migrations = Array.from({ length: 20 }, (_, i) => ({ id: i + 1, name: 'n', sqlite: 'CREATE TABLE t' + i + ' (x)' }))
       openSqlite({ path: ${JSON.stringify(join(directory, 'a.db'))}, busyTimeout: '20s', migrations: [{ name: 'r', migrations }] }).close()`,
    )
    const starts = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, [...SOURCE_FLAGS, script], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let output = ''
      child.stderr.on('data', chunk => (output += String(chunk)))
      return new Promise<string>(resolve => child.on('close', code => resolve(code === 0 ? '' : output)))
    })
    assert.deepEqual(
      await Promise.all(starts),
      starts.map(() => ''),
    )
    const database = openSqlite({ path: join(directory, 'a.db') })
    assert.equal(database.db.prepare('SELECT count(*) AS n FROM postern_migrations').get()?.['n'], 20)
    database.close()
  })
})

describe('migrations of PostgreSQL', () => {
  test('are applied once, in order, although ten instances start at once', async t => {
    const url = await freshDatabase(t)
    const instances = Array.from({ length: 10 }, () => connectPostgres({ url, max: 1 }))
    const applied = await Promise.all(instances.map(database => migrate(database, 'notes', [FIRST, SECOND])))
    assert.deepEqual(applied.flat().sort(), [1, 2])
    await Promise.all(instances.map(database => database.close()))
  })

  test('that were applied wait for nobody: a role that may only connect cannot keep instances from starting', async t => {
    const database = connectPostgres({ url: await freshDatabase(t) })
    t.after(() => database.close())
    await migrate(database, 'notes', [FIRST])
    await database.transaction(async client => {
      await client.query('SET LOCAL ROLE pg_monitor')
      await client.query('SELECT pg_advisory_xact_lock($1)', [0x506f_7374])
      assert.deepEqual(await migrate(database, 'notes', [FIRST]), [])
    })
  })

  test('give nobody else a right on what they create, and take nothing that was granted afterwards', async t => {
    const database = connectPostgres({ url: await freshDatabase(t) })
    const role = `reader_${randomBytes(6).toString('hex')}`
    const granted = async (): Promise<readonly unknown[]> =>
      (
        await database.query(
          `SELECT DISTINCT c.relname AS name FROM pg_class AS c, aclexplode(c.relacl) AS a
           WHERE c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner ORDER BY 1`,
        )
      ).rows
    await database.query(`CREATE ROLE ${role}`)
    try {
      await database.query(
        `ALTER DEFAULT PRIVILEGES GRANT SELECT, UPDATE ON TABLES TO ${role};
         ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO ${role}, PUBLIC; CREATE TABLE own (id int)`,
      )
      // Whoever may create in the schema of the tables can put there what fits better than PostgreSQL's own.
      await database.query(HOSTILE_OPERATORS)
      await migrate(database, 'notes', [FIRST])
      assert.deepEqual(await granted(), [{ name: 'own' }])
      await database.query(`GRANT INSERT ON note TO ${role}`)
      await migrate(database, 'notes', [FIRST, SECOND])
      assert.deepEqual(await granted(), [{ name: 'note' }, { name: 'own' }])
    } finally {
      await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
      await database.close()
    }
  })

  test('upgrade older data, and refuse an edited, a later and a broken one', async t => {
    const database = connectPostgres({ url: await freshDatabase(t) })
    t.after(() => database.close())
    await migrate(database, 'notes', [FIRST])
    await database.query('INSERT INTO note (text) VALUES ($1)', ['written by 1.0'])
    await assert.rejects(migrate(database, 'notes', [FIRST, BROKEN]), StoreError)
    assert.deepEqual(await migrate(database, 'notes', [FIRST, SECOND]), [2])
    assert.deepEqual((await database.query('SELECT text, author FROM note')).rows, [
      { text: 'written by 1.0', author: 'unknown' },
    ])
    await assert.rejects(migrate(database, 'notes', [FIRST]), /later version of Postern/)
    await assert.rejects(
      migrate(database, 'notes', [FIRST, { ...SECOND, postgres: 'SELECT 1' }]),
      error => error instanceof IntegrityError && error.message.includes('notes/2'),
    )
  })
})
