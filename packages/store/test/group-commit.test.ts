import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { StoreError } from '@postern/core'
import fc from 'fast-check'
import { SOURCE_FLAGS } from '../../../test/source-flags.ts'
import { GroupCommit, isSqliteConstraint, openSqlite, type SqliteDatabase } from '../src/index.ts'
import { scratch } from './scratch.ts'

function prepare(
  path = ':memory:',
  maxSize?: string,
): { database: SqliteDatabase; insert: (x: unknown) => unknown } {
  const database = openSqlite({ path, ...(maxSize !== undefined && { maxSize }) })
  database.db.exec('CREATE TABLE IF NOT EXISTS t (x UNIQUE NOT NULL)')
  const statement = database.db.prepare('INSERT INTO t VALUES (?)')
  return { database, insert: x => statement.run(x as string) }
}

const count = (database: SqliteDatabase): number =>
  Number(database.db.prepare('SELECT count(*) AS n FROM t').get()?.['n'])

describe('group commit', () => {
  test('makes one transaction of all writes of a tick', async () => {
    const { database, insert } = prepare()
    const writer = new GroupCommit(database)
    const changes: boolean[] = []
    const writes = Array.from({ length: 100 }, (_, i) =>
      writer.write(() => {
        changes.push(database.db.isTransaction)
        return insert(`${i}`)
      }),
    )
    assert.equal(count(database), 0, 'nothing ran before its turn')
    await writes[0]
    assert.equal(count(database), 100, 'the first acknowledgement comes after the commit of all')
    await Promise.all(writes)
    assert.deepEqual(new Set(changes), new Set([true]))
    database.close()
  })

  test('acknowledges with the result of the write', async () => {
    const { database, insert } = prepare()
    const writer = new GroupCommit(database)
    const answer = await writer.write(() => {
      insert('a')
      return 42
    })
    assert.equal(answer, 42)
    database.close()
  })

  test('undoes alone a write that fails', async () => {
    const { database, insert } = prepare()
    const writer = new GroupCommit(database)
    const results = await Promise.allSettled([
      writer.write(() => insert('a')),
      writer.write(() => {
        insert('half')
        insert('a')
      }),
      writer.write(() => {
        throw new Error('mine')
      }),
      writer.write(() => insert('b')),
    ])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    )
    assert.ok(results[1]?.status === 'rejected' && isSqliteConstraint(results[1].reason))
    assert.equal(count(database), 2)
    database.close()
  })

  test('acknowledges nothing of a group whose transaction a full disk undid', async t => {
    const { database, insert } = prepare(join(scratch(t), 'a.db'), '64kb')
    const writer = new GroupCommit(database)
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => writer.write(() => insert(`${i}`.padEnd(4_000, 'x')))),
    )
    const acknowledged = results.filter(({ status }) => status === 'fulfilled').length
    assert.equal(count(database), acknowledged)
    assert.ok(results.some(result => result.status === 'rejected' && result.reason instanceof StoreError))
    database.db.exec('DELETE FROM t')
    await writer.write(() => insert('after'))
    assert.equal(count(database), 1)
    database.close()
  })

  test('refuses more writes than may wait, at once and without harm to those that do', async () => {
    const { database, insert } = prepare()
    const writer = new GroupCommit(database, { maxWaiting: 10 })
    const taken = Array.from({ length: 10 }, (_, i) => writer.write(() => insert(`${i}`)))
    assert.equal(writer.health().ok, false)
    await assert.rejects(
      writer.write(() => insert('more')),
      (error: unknown) => error instanceof StoreError && error.retryable,
    )
    await Promise.all(taken)
    assert.equal(writer.health().ok, true)
    assert.equal(count(database), 10)
    database.close()
  })

  test('waits for another process that writes, without blocking the thread, and gives up in the end', async t => {
    const path = join(scratch(t), 'a.db')
    const { database, insert } = prepare(path)
    const other = openSqlite({ path })
    other.db.exec('BEGIN IMMEDIATE')
    const writer = new GroupCommit(database)
    let ticks = 0
    const write = writer.write(() => insert('a'))
    const ticking = setInterval(() => {
      if (++ticks === 10) other.db.exec('COMMIT')
    }, 5)
    await write
    clearInterval(ticking)
    assert.ok(ticks >= 10)
    other.db.exec('BEGIN IMMEDIATE')
    const impatient = new GroupCommit(database, { busyLimit: 0 })
    await assert.rejects(
      impatient.write(() => insert('b')),
      /another process holds the write lock/,
    )
    other.db.exec('ROLLBACK')
    assert.equal(count(database), 1)
    other.close()
    database.close()
  })

  test('commits what waits before it closes, and takes no more', async () => {
    const { database, insert } = prepare()
    const writer = new GroupCommit(database, { maxGroup: 3 })
    const writes = Array.from({ length: 10 }, (_, i) => writer.write(() => insert(`${i}`)))
    await writer.close()
    assert.equal(count(database), 10)
    assert.equal(writer.waiting, 0)
    await Promise.all(writes)
    await assert.rejects(
      writer.write(() => 1),
      /closed/,
    )
    database.close()
  })

  test('keeps exactly what it acknowledged, whatever fails and however it is grouped', async () => {
    const write = fc.record({
      key: fc.integer({ min: 0, max: 15 }),
      throws: fc.boolean(),
      pause: fc.boolean(),
    })
    const grouping = fc.record({
      writes: fc.array(write, { maxLength: 40 }),
      maxGroup: fc.integer({ min: 1, max: 7 }),
    })
    await fc.assert(
      fc.asyncProperty(grouping, async ({ writes, maxGroup }) => {
        const { database, insert } = prepare()
        const writer = new GroupCommit(database, { maxGroup })
        const acknowledged = new Set<unknown>()
        const all: Promise<void>[] = []
        for (const { key, throws, pause } of writes) {
          const one = writer.write(() => {
            insert(`${key}`)
            if (throws) throw new Error('after the insert')
            return `${key}`
          })
          all.push(
            one.then(
              result => void acknowledged.add(result),
              () => {},
            ),
          )
          if (pause) await writer.flush()
        }
        await Promise.all(all)
        const kept = new Set(
          database.db
            .prepare('SELECT x FROM t')
            .all()
            .map(row => row['x']),
        )
        assert.deepEqual(kept, acknowledged)
        assert.equal(writer.waiting, 0)
        database.close()
      }),
      { numRuns: 150 },
    )
  })

  test('loses no acknowledged write when the process is killed', async t => {
    const directory = scratch(t)
    const path = join(directory, 'a.db')
    const script = join(directory, 'writer.ts')
    const source = new URL('../src/index.ts', import.meta.url).href
    writeFileSync(
      script,
      `import { writeSync } from 'node:fs'
       import { GroupCommit, openSqlite } from ${JSON.stringify(source)}
       const database = openSqlite({ path: ${JSON.stringify(path)} })
       database.db.exec('CREATE TABLE IF NOT EXISTS t (x UNIQUE NOT NULL)')
       const insert = database.db.prepare('INSERT INTO t VALUES (?)')
       const writer = new GroupCommit(database)
       let n = 0
       const loop = async () => { for (;;) { const x = process.pid + '-' + n++; await writer.write(() => insert.run(x)); writeSync(1, x + '\\n') } }
       for (let i = 0; i < 20; i++) loop()`,
    )
    const acknowledged: string[] = []
    for (let round = 1; round <= 4; round++) {
      const child = spawn(process.execPath, [...SOURCE_FLAGS, script], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const before = acknowledged.length
      createInterface(child.stdout).on('line', line => {
        acknowledged.push(line)
        if (acknowledged.length - before === round * 100) child.kill('SIGKILL')
      })
      await once(child, 'close')
    }
    const { database } = prepare(path)
    const kept = new Set(
      database.db
        .prepare('SELECT x FROM t')
        .all()
        .map(row => row['x']),
    )
    assert.ok(acknowledged.length >= 1_000)
    // The last line of a killed process may be torn.
    assert.deepEqual(acknowledged.filter(x => /^\d+-\d+$/.test(x) && !kept.has(x)).length, 0)
    assert.deepEqual(database.check(), [])
    database.close()
  })
})
