import assert from 'node:assert/strict'
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { type Event, IntegrityError } from '@postern/core'
import {
  openAuditLog,
  readAuditLog,
  rebuildIndex,
  removeEntriesBefore,
  verifyDirectory,
} from '../src/index.ts'
import { collect, freshDirectory, requestEvent } from './support/events.ts'

const origin = 'shop.example.com/audit'

async function write(directory: string, from: number, to: number): Promise<void> {
  const log = await openAuditLog({ directory, origin })
  for (let i = from; i < to; i++) log.record(requestEvent(i))
  await log.commit(requestEvent(to))
  await log.close()
}

const written = new Map<number, Promise<string>>()

async function firstLog(entries: number): Promise<string> {
  const directory = freshDirectory()
  await write(directory, 0, entries - 1)
  return directory
}

/** A copy of a log of so many entries, which is written once. */
async function writtenLog(entries: number): Promise<string> {
  const first = written.get(entries) ?? firstLog(entries)
  written.set(entries, first)
  const directory = freshDirectory()
  for (const suffix of ['', '-keys'])
    cpSync(`${await first}${suffix}`, `${directory}${suffix}`, { recursive: true })
  return directory
}

function edit(directory: string, sql: string): void {
  const database = new DatabaseSync(join(directory, 'index.db'))
  database.exec(sql)
  database.close()
}

async function problems(directory: string): Promise<readonly string[]> {
  return (await verifyDirectory(directory)).problems.map(({ message }) => message)
}

describe('attack: somebody edits the index of a log, which is not signed', () => {
  for (const sql of [
    "UPDATE tenants SET number = number + 10 WHERE tenant = 'acme'",
    "UPDATE tenants SET number = number - 10 WHERE tenant = 'acme'",
    'DELETE FROM tenants',
    "UPDATE entries SET number = 7, tenant = 'acme'",
  ])
    test(`the log that goes on numbers as before: ${sql}`, async () => {
      const directory = await writtenLog(300)
      edit(directory, sql)
      await write(directory, 300, 320)
      assert.deepEqual(await problems(directory), [])
    })

  const damages: readonly (readonly [string, string])[] = [
    ['UPDATE position SET size = size - 5', 'UNIQUE'],
    ['UPDATE position SET size = size + 5', 'knows 305 entries, and the log has 300: the log lost entries'],
    ['UPDATE position SET size = -5', 'how many'],
    ['DELETE FROM position', 'how many'],
    ['DROP TABLE entries', 'no such table'],
    ['ALTER TABLE entries RENAME TO other; CREATE VIEW entries AS SELECT * FROM other', 'view entries'],
    ['CREATE TRIGGER hide BEFORE INSERT ON entries BEGIN SELECT RAISE(IGNORE); END', 'trigger hide'],
  ]
  for (const [sql, found] of damages)
    test(`is an error that says what puts it right: ${sql}`, async () => {
      const directory = await writtenLog(300)
      edit(directory, sql)
      await assert.rejects(openAuditLog({ directory, origin }), (error: Error) => {
        assert.ok(error instanceof IntegrityError)
        assert.match(error.message, new RegExp(`search index.*${found}.*audit rebuild --replace`))
        return true
      })
      // Who does not search needs no index.
      readAuditLog(directory).close()
      assert.deepEqual(await problems(directory), [])
      assert.equal(rebuildIndex(directory).identical, false)
      rebuildIndex(directory, { mode: 'replace' })
      await write(directory, 300, 310)
      assert.deepEqual(rebuildIndex(directory), { size: 311, identical: true })
      assert.deepEqual(await problems(directory), [])
    })

  test('is such an error, too, where its file is not a database', async () => {
    const directory = await writtenLog(3)
    for (const suffix of ['-wal', '-shm']) rmSync(join(directory, `index.db${suffix}`), { force: true })
    writeFileSync(join(directory, 'index.db'), Buffer.alloc(9_000, 7))
    await assert.rejects(openAuditLog({ directory, origin }), /search index.*audit rebuild --replace/)
    const reader = readAuditLog(directory)
    assert.equal((await collect(reader.entries(0n))).length, 3)
    await assert.rejects(collect(reader.query({})), /search index.*audit rebuild --replace/)
    reader.close()
    assert.equal(rebuildIndex(directory, { mode: 'replace' }).identical, false)
    assert.equal(rebuildIndex(directory).identical, true)
  })

  for (const [sql, query] of [
    ['subject = (SELECT subject FROM entries WHERE idx = 3)', { principal: 'user-3' }],
    ["action = 'orders.read'", { action: 'orders.read' }],
    ["tenant = 'zoo'", { tenant: 'zoo' }],
    ["decision = 'deny'", { decision: 'deny' }],
    ['time = 5', { to: 6 }],
  ] as const)
    test(`a search shows nobody else’s entry: ${sql}`, async () => {
      const directory = await writtenLog(10)
      edit(directory, `UPDATE entries SET ${sql} WHERE idx = 2`)
      const reader = readAuditLog(directory)
      await assert.rejects(collect(reader.query(query)), /names entry 2, whose .* is another/)
      reader.close()
    })

  test('no key is destroyed because the index calls an entry an erasure', async () => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin })
    await log.commit(requestEvent(0, { actor: { principal: 'alice', tenant: 'acme' } }))
    await log.checkpoint()
    const [alice] = await collect(log.query({ principal: 'alice' }))
    const sealed = JSON.parse(Buffer.from(alice?.bytes ?? []).toString('utf8')) as object
    const key = /"([0-9a-f]{32})"/.exec(JSON.stringify(sealed))?.[1] ?? ''
    assert.notEqual(key, '')
    const claim: Event = { type: 'note', time: 1, actor: {}, data: { key } }
    await log.commit(claim)
    await log.close()
    edit(directory, "UPDATE entries SET type = 'audit.erased' WHERE idx = 1")
    await (await openAuditLog({ directory, origin })).close()
    const reader = readAuditLog(directory)
    assert.equal((await reader.entry(0n)).event.actor.principal, 'alice')
    reader.close()
  })
})

describe('the snapshot of the tenants’ numbers', () => {
  const last = async (directory: string): Promise<number | undefined> => {
    const reader = readAuditLog(directory)
    try {
      return (await collect(reader.entries(0n))).at(-1)?.number
    } finally {
      reader.close()
    }
  }

  for (const [name, change] of [
    ['is missing', (path: string) => rmSync(path)],
    [
      'is changed',
      (path: string) => writeFileSync(path, readFileSync(path, 'utf8').replace('"acme",', '"acme",9')),
    ],
    ['is cut short', (path: string) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, -20))],
    ['is empty', (path: string) => writeFileSync(path, '')],
  ] as const)
    test(`that ${name} is made again from the entries`, async () => {
      const directory = await writtenLog(300)
      const path = join(directory, 'numbers')
      const before = readFileSync(path, 'utf8')
      change(path)
      await (await openAuditLog({ directory, origin })).close()
      assert.equal(readFileSync(path, 'utf8'), before)
      await write(directory, 300, 320)
      assert.deepEqual(await problems(directory), [])
    })

  test('of an earlier size is gone on from', async () => {
    const directory = await writtenLog(300)
    const path = join(directory, 'numbers')
    copyFileSync(path, `${path}.old`)
    await write(directory, 300, 600)
    copyFileSync(`${path}.old`, path)
    await write(directory, 600, 620)
    assert.deepEqual(await problems(directory), [])
  })

  test('of another tree, as after a rollback that was accepted, is not used', async () => {
    const directory = await writtenLog(300)
    const other = await writtenLog(5)
    const path = join(directory, 'numbers')
    // Another log with the same key, which is longer for other tenants.
    for (const name of ['signing-keys', 'subjects.db'])
      copyFileSync(join(`${directory}-keys`, name), join(`${other}-keys`, name))
    rmSync(other, { recursive: true })
    const log = await openAuditLog({ directory: other, origin })
    for (let i = 0; i < 250; i++) log.record(requestEvent(i, { actor: { principal: 'p', tenant: 'acme' } }))
    await log.close()
    copyFileSync(join(other, 'numbers'), path)
    await write(directory, 300, 320)
    assert.deepEqual(await problems(directory), [])
  })

  test('goes on after retention removed what it counts, also when it is lost', async () => {
    for (const isLost of [false, true]) {
      const directory = await writtenLog(900)
      const reader = readAuditLog(directory)
      await removeEntriesBefore(reader, Number.MAX_SAFE_INTEGER)
      reader.close()
      if (isLost) rmSync(join(directory, 'numbers'))
      assert.equal(existsSync(join(directory, 'numbers')), !isLost)
      await write(directory, 900, 901)
      assert.deepEqual(await problems(directory), [])
      assert.ok(((await last(directory)) ?? 0) > 250)
    }
  })
})
