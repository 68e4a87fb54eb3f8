import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { IntegrityError, StoreError } from '@postern/core'
import { isSqliteConstraint, openSqlite, type SqliteDatabase } from '../src/index.ts'
import { scratch, unprivileged } from './scratch.ts'

const rows = (database: SqliteDatabase): number =>
  Number(database.db.prepare('SELECT count(*) AS n FROM t').get()?.['n'])

function withTable(path: string): SqliteDatabase {
  const database = openSqlite({ path })
  database.db.exec('CREATE TABLE IF NOT EXISTS t (x UNIQUE, filler)')
  return database
}

describe('an embedded database', () => {
  test('logs ahead, waits for the disk and is closed to other users', t => {
    const path = join(scratch(t), 'a.db')
    const database = withTable(path)
    assert.equal(database.db.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal')
    assert.equal(database.db.prepare('PRAGMA synchronous').get()?.['synchronous'], 2)
    assert.equal(database.db.prepare('PRAGMA foreign_keys').get()?.['foreign_keys'], 1)
    for (const file of [path, `${path}-wal`, `${path}-shm`])
      assert.equal(statSync(file).mode & 0o077, 0, file)
    database.close()
    database.close()
    assert.equal(database.health().ok, false)
  })

  test('waits for the disk later when told to', t => {
    const database = openSqlite({ path: join(scratch(t), 'a.db'), synchronous: 'normal' })
    assert.equal(database.db.prepare('PRAGMA synchronous').get()?.['synchronous'], 1)
    database.close()
  })

  test('undoes a transaction whose work throws, and only the inner one when it is caught', () => {
    const database = withTable(':memory:')
    const insert = database.db.prepare('INSERT INTO t (x) VALUES (?)')
    assert.throws(
      () =>
        database.transaction(() => {
          insert.run(1)
          throw new Error('changed my mind')
        }),
      /changed my mind/,
    )
    assert.equal(rows(database), 0)
    database.transaction(() => {
      insert.run(1)
      assert.throws(
        () =>
          database.transaction(() => {
            insert.run(2)
            insert.run(1)
          }),
        isSqliteConstraint,
      )
      insert.run(3)
    })
    assert.equal(rows(database), 2)
    assert.equal(database.health().ok, true, 'a duplicate key is not an illness')
    database.close()
  })

  test('refuses work that is asynchronous, for others would run inside its transaction', () => {
    const database = withTable(':memory:')
    assert.throws(() => database.transaction(async () => {}), TypeError)
    assert.equal(database.db.isTransaction, false)
    database.close()
  })

  test('lets others read while one writes, and tells a second writer to try again', t => {
    const path = join(scratch(t), 'a.db')
    const one = withTable(path)
    const two = openSqlite({ path, busyTimeout: '1ms' })
    one.transaction(() => {
      one.db.exec('INSERT INTO t (x) VALUES (1)')
      assert.equal(rows(two), 0)
      assert.throws(
        () => two.transaction(() => 1),
        (error: unknown) => error instanceof StoreError && error.retryable,
      )
      assert.throws(
        () => two.tryTransaction(() => 1),
        (error: unknown) => error instanceof StoreError && error.retryable,
      )
    })
    assert.equal(rows(two), 1)
    two.transaction(() => two.db.exec('INSERT INTO t (x) VALUES (2)'))
    one.close()
    two.close()
  })

  test('can be read while another process runs on it, and not changed', t => {
    const path = join(scratch(t), 'a.db')
    const writer = withTable(path)
    const reader = openSqlite({ path, readOnly: true })
    writer.db.exec('INSERT INTO t (x) VALUES (1)')
    assert.equal(rows(reader), 1)
    assert.throws(() => reader.transaction(() => reader.db.exec('DELETE FROM t')), /read-only/)
    reader.close()
    writer.close()
  })

  test('takes a path for a path, though SQLite would read options from it', t => {
    const directory = scratch(t)
    const before = process.cwd()
    process.chdir(directory)
    try {
      const database = openSqlite({ path: 'file:a.db?mode=memory' })
      database.db.exec('CREATE TABLE t (x)')
      database.close()
      assert.ok(existsSync(join(directory, 'file:a.db?mode=memory')))
    } finally {
      process.chdir(before)
    }
  })

  test('is copied while it is in use, to a new file only', async t => {
    const directory = scratch(t)
    const database = withTable(join(directory, 'a.db'))
    database.db.exec('INSERT INTO t (x) VALUES (1)')
    await database.backup(join(directory, 'copy.db'))
    await assert.rejects(database.backup(join(directory, 'copy.db')), /already exists/)
    await assert.rejects(database.backup(join(directory, 'nowhere', 'copy.db')), StoreError)
    const copy = openSqlite({ path: join(directory, 'copy.db') })
    assert.equal(rows(copy), 1)
    assert.deepEqual(copy.check(), [])
    copy.close()
    database.close()
  })
})

describe('a file that cannot be used', () => {
  test('in a directory that does not exist is named with the cure', t => {
    assert.throws(
      () => openSqlite({ path: join(scratch(t), 'nowhere', 'a.db') }),
      (error: unknown) =>
        error instanceof StoreError &&
        !error.retryable &&
        /its directory does not exist; create it/.test(error.message),
    )
  })

  test('that is not a database is refused as damaged, and left as it was', t => {
    const path = join(scratch(t), 'a.db')
    const text = 'this is a text file, and somebody needs it'.repeat(100)
    writeFileSync(path, text)
    assert.throws(() => openSqlite({ path }), IntegrityError)
    assert.equal(readFileSync(path, 'utf8'), text)
  })

  test('that was cut short is refused as damaged', t => {
    const path = join(scratch(t), 'a.db')
    const database = withTable(path)
    for (let i = 0; i < 500; i++) database.db.prepare('INSERT INTO t VALUES (?, ?)').run(i, 'x'.repeat(200))
    database.close()
    truncateSync(path, 20_000)
    assert.throws(() => {
      const damaged = openSqlite({ path })
      try {
        damaged.read(() => damaged.db.prepare('SELECT sum(length(filler)) FROM t').get())
      } finally {
        damaged.close()
      }
    }, IntegrityError)
  })

  test('whose pages were overwritten is found by check', t => {
    const path = join(scratch(t), 'a.db')
    const database = withTable(path)
    for (let i = 0; i < 500; i++) database.db.prepare('INSERT INTO t VALUES (?, ?)').run(i, 'x'.repeat(200))
    database.close()
    const bytes = readFileSync(path)
    bytes.fill(0x55, 8_192, 8_192 + 4_096)
    writeFileSync(path, bytes)
    const damaged = openSqlite({ path })
    let found: unknown
    try {
      found = damaged.check()
    } catch (error) {
      found = error
    }
    assert.ok(found instanceof IntegrityError || (Array.isArray(found) && found.length > 0))
    damaged.close()
  })

  test('in a read-only directory, or read-only itself, is refused on opening and not under the first request', t => {
    const directory = scratch(t)
    const path = join(directory, 'a.db')
    withTable(path).close()
    chmodSync(directory, 0o555)
    const refused = (error: unknown): boolean =>
      error instanceof StoreError && !error.retryable && /cannot be written to/.test(error.message)
    unprivileged(() => assert.throws(() => openSqlite({ path }), refused))
    unprivileged(() => assert.throws(() => openSqlite({ path: join(directory, 'new.db') }), refused))
    chmodSync(directory, 0o777)
    chmodSync(path, 0o444)
    unprivileged(() => assert.throws(() => openSqlite({ path }), refused))
    chmodSync(directory, 0o700)
  })
})

describe('a full disk', () => {
  const fill = (database: SqliteDatabase): unknown => {
    const insert = database.db.prepare('INSERT INTO t VALUES (?, ?)')
    try {
      for (let i = 0; i < 10_000; i++) database.transaction(() => insert.run(i, 'x'.repeat(4_000)))
    } catch (error) {
      return error
    }
    return undefined
  }
  const isFull = (error: unknown): boolean =>
    error instanceof StoreError && error.retryable && /disk is full/.test(error.message)

  test('fails the write, loses nothing that was acknowledged, and works again once there is space', t => {
    const path = join(scratch(t), 'a.db')
    const database = openSqlite({ path, maxSize: '256kb' })
    database.db.exec('CREATE TABLE t (x UNIQUE, filler)')
    assert.ok(isFull(fill(database)))
    assert.equal(database.health().ok, false)
    const kept = rows(database)
    assert.ok(kept > 10)
    assert.deepEqual(database.check(), [])
    database.db.exec('DELETE FROM t WHERE x < 10')
    database.transaction(() => database.db.prepare('INSERT INTO t VALUES (?, ?)').run('again', 'x'))
    assert.equal(database.health().ok, true)
    database.close()
  })

  test('undoes the whole transaction, and what is tried in it afterwards', t => {
    const database = openSqlite({ path: join(scratch(t), 'a.db'), maxSize: '64kb' })
    database.db.exec('CREATE TABLE t (x UNIQUE, filler)')
    const insert = database.db.prepare('INSERT INTO t VALUES (?, ?)')
    assert.throws(() =>
      database.transaction(() => {
        for (let i = 0; i < 100; i++) {
          try {
            database.transaction(() => insert.run(i, 'x'.repeat(4_000)))
          } catch {
            // As careless work would.
          }
        }
      }),
    )
    const kept = rows(database)
    assert.ok(kept === 0, `${kept} rows of a transaction that failed`)
    assert.equal(database.db.isTransaction, false)
    database.close()
    assert.throws(() => database.transaction(() => 1), /was closed/)
    assert.throws(() => database.tryTransaction(() => 1), /was closed/)
  })

  test('of a real file system says the same', t => {
    const directory = scratch(t)
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', directory])
    if (mount.status !== 0) {
      t.diagnostic(
        'mounting a small file system needs root; the size limit of the test before is the same error of SQLite',
      )
      return
    }
    try {
      const database = withTable(join(directory, 'a.db'))
      const error = fill(database)
      assert.ok(isFull(error), String(error))
      assert.deepEqual(database.check(), [])
      database.close()
      writeFileSync(join(directory, 'ballast'), '')
      assert.throws(() => {
        writeFileSync(join(directory, 'ballast'), 'x'.repeat(600_000))
      })
      rmSync(join(directory, 'ballast'))
      const again = withTable(join(directory, 'a.db'))
      assert.ok(rows(again) > 10)
      again.close()
    } finally {
      spawnSync('umount', [directory])
    }
  })
})
