import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { Event } from '@postern/core'
import {
  type AuditLog,
  type AuditLogOptions,
  openAuditLog,
  readAuditLog,
  removeEntriesBefore,
  verifyDirectory,
  verifyStore,
} from '../src/index.ts'
import { collect, freshDirectory, requestEvent } from './support/events.ts'
import { MemoryKeys } from './support/memory-keys.ts'
import { openModelLog } from './support/model-log.ts'
import { database, openInstance } from './support/postgres.ts'
import { PowerCutFiles, seeded } from './support/power-cut-files.ts'

const origin = 'shop.example.com/audit'

async function opened(t: TestContext, options: Omit<AuditLogOptions, 'origin'>): Promise<AuditLog> {
  const log = await openAuditLog({ ...options, origin })
  t.after(() => log.close())
  return log
}

function ofAlice(number: number, changes: Partial<Event> = {}): Event {
  return requestEvent(number, { actor: { principal: 'alice', address: '198.51.100.7' }, ...changes })
}

/** Every file of a log, its keys and its write-ahead segments included, that holds one of the words. */
function filesWith(directory: string, words: readonly string[]): readonly string[] {
  const found: string[] = []
  for (const folder of [directory, `${directory}-keys`]) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const bytes = readFileSync(join(entry.parentPath, entry.name))
      for (const word of words) if (bytes.includes(word)) found.push(`${entry.name}: ${word}`)
    }
  }
  return found
}

describe('a subject who goes on while being erased', () => {
  test('leaves nothing behind of what was recorded before the erasure', async t => {
    const directory = freshDirectory()
    const log = await opened(t, { directory })
    await log.commit(ofAlice(1))
    await log.checkpoint()
    log.record(ofAlice(2))
    const erased = log.eraseSubject('alice')
    log.record(ofAlice(3))
    await new Promise(resolve => setImmediate(resolve))
    const waiting = [log.commit(ofAlice(4)), log.commit(requestEvent(5))]
    const { index } = await erased
    await Promise.all(waiting)
    await log.checkpoint()
    const before = (await collect(log.query({ order: 'oldest' }))).filter(entry => entry.index < index)
    assert.ok(before.every(({ personal, event }) => personal !== 'open' || event.actor.principal !== 'alice'))
    const still = (await collect(log.query({ principal: 'alice' }))).length
    if (still === 0) assert.deepEqual(filesWith(directory, ['alice', '198.51.100.7']), [])
    else {
      await log.eraseSubject('alice')
      assert.deepEqual(filesWith(directory, ['alice', '198.51.100.7']), [])
    }
    await log.close()
  })

  test('is recorded whole from then on: an act after the erasure is not erased with it', async () => {
    const { log } = await openModelLog({
      files: new PowerCutFiles(seeded(1)),
      keys: new MemoryKeys(seeded(2)),
      random: seeded(3),
    })
    await log.commit(ofAlice(1))
    await log.checkpoint()
    // A group is under way: the erasure and what follows it share the next one.
    const acts: Promise<unknown>[] = [log.commit(requestEvent(0))]
    await Promise.resolve()
    await Promise.resolve()
    let isErased = false
    const erased = log.eraseSubject('alice').finally(() => {
      isErased = true
    })
    for (let turn = 0; turn < 50 || (!isErased && turn < 10_000); turn++) {
      acts.push(log.commit(ofAlice(turn)))
      if (turn % 50 < 49) await Promise.resolve()
      else await new Promise(resolve => setImmediate(resolve))
    }
    const { index } = await erased
    await Promise.all(acts)
    const after = (await collect(log.query({ order: 'oldest' }))).filter(entry => entry.index > index)
    assert.ok(after.length > 0)
    assert.deepEqual(
      after.filter(({ personal }) => personal !== 'open').map(entry => Number(entry.index)),
      [],
    )
    await log.close()
  })
})

/** The same refusal of alice, more often than is logged one by one. */
function refuseOften(log: AuditLog): void {
  for (let number = 0; number < 15; number++)
    log.record(ofAlice(7, { decision: 'deny', guard: 'inspect', reasons: [{ rule: 'r', message: 'm' }] }))
}

describe('what is counted or waits when a subject is erased', () => {
  test('is erased too: a count of refusals does not come afterwards, under a new key', async t => {
    const directory = freshDirectory()
    const log = await opened(t, { directory })
    await log.append(ofAlice(1))
    refuseOften(log)
    const { index } = await log.eraseSubject('alice')
    await log.commit(requestEvent(1))
    await log.close()
    const reader = readAuditLog(directory)
    t.after(() => reader.close())
    const entries = await collect(reader.query({ order: 'oldest' }))
    assert.ok(entries.some(({ event }) => event.type === 'audit.coalesced'))
    assert.deepEqual(
      entries.filter(({ event }) => event.actor.principal === 'alice'),
      [],
    )
    assert.ok(entries.filter(({ personal }) => personal === 'erased').every(entry => entry.index < index))
    assert.deepEqual(filesWith(directory, ['alice', '198.51.100.7']), [])
  })

  test('is found to be erased where it was recorded a moment before', async t => {
    const directory = freshDirectory()
    const log = await opened(t, { directory })
    log.record(ofAlice(1))
    await log.eraseSubject('alice')
    await log.checkpoint()
    assert.deepEqual(
      (await collect(log.query({ order: 'oldest' }))).map(({ personal }) => personal),
      ['erased', 'none'],
    )
    await log.close()
    assert.deepEqual(filesWith(directory, ['alice', '198.51.100.7']), [])
  })

  test('is erased in PostgreSQL too', async t => {
    const log = await openInstance(await database(t))
    refuseOften(log)
    await log.eraseSubject('alice')
    await log.close()
    const entries = await collect(log.reader.query({ order: 'oldest' }))
    assert.ok(entries.some(({ event }) => event.type === 'audit.coalesced'))
    assert.deepEqual(
      entries.filter(({ event }) => event.actor.principal === 'alice'),
      [],
    )
  })
})

describe('a subject who goes on while being erased in PostgreSQL', () => {
  test('is recorded whole from then on', async t => {
    const db = await database(t)
    const log = await openInstance(db)
    t.after(() => log.close())
    await log.commit(ofAlice(1))
    const { rows } = await db.query<{ id: string }>('SELECT id FROM audit_subjects')
    const erasure = JSON.stringify({ key: rows[0]?.id, tenant: '', time: 0 })
    // In one transaction, so that one batch takes them all.
    await db.transaction(async tx => {
      await log.appendIn(tx, ofAlice(2))
      await tx.query("INSERT INTO audit_inbox (kind, event) VALUES ('erasure', $1)", [erasure])
      for (let number = 3; number < 6; number++) await log.appendIn(tx, ofAlice(number))
    })
    await log.checkpoint()
    const entries = await collect(log.query({ order: 'oldest' }))
    assert.deepEqual(
      entries.map(({ personal }) => personal),
      ['erased', 'erased', 'none', 'open', 'open', 'open'],
    )
    assert.deepEqual((await verifyStore(log.reader.store)).problems, [])
  })
})

describe('a process that is killed', () => {
  test('between an erasure and its cleaning leaves nothing of the subject after the next start', async t => {
    const directory = freshDirectory()
    const log = await opened(t, { directory, publishInterval: '1h' })
    await log.commit(requestEvent(0))
    await log.commit(ofAlice(1))
    await log.checkpoint()
    // Copied while the segment that names alice is there, and put back behind the erasure.
    cpSync(join(directory, 'wal'), `${directory}-wal`, { recursive: true })
    await log.eraseSubject('alice')
    await log.close()
    for (const name of readdirSync(`${directory}-wal`))
      cpSync(join(`${directory}-wal`, name), join(directory, 'wal', name), { force: false })
    const again = await opened(t, { directory })
    assert.deepEqual(filesWith(directory, ['alice', '198.51.100.7']), [])
    await again.commit(requestEvent(2))
    await again.checkpoint()
    assert.deepEqual(filesWith(directory, ['alice', '198.51.100.7']), [])
  })

  test('while retention removes entries has them removed the next time, also when nothing else is due', async t => {
    const directory = freshDirectory()
    const log = await opened(t, { directory })
    for (let number = 0; number < 1_100; number++) log.record(requestEvent(number))
    await log.append(requestEvent(1_100))
    const bundles = (): readonly string[] => readdirSync(join(directory, 'tile', 'entries')).sort()
    const kept = `${directory}-kept`
    cpSync(join(directory, 'tile', 'entries'), kept, { recursive: true })
    const reader = readAuditLog(directory)
    t.after(() => reader.close())
    await removeEntriesBefore(reader, requestEvent(800).time)
    assert.deepEqual(bundles(), ['003', '004.p'])
    // As it is when the process dies behind the first of three.
    for (const name of ['001', '002']) cpSync(join(kept, name), join(directory, 'tile', 'entries', name))
    await removeEntriesBefore(reader, requestEvent(800).time)
    assert.deepEqual(bundles(), ['003', '004.p'])
    assert.deepEqual((await verifyDirectory(directory)).problems, [])
  })
})
