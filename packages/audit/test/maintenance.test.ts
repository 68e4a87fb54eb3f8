import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { type Event, StoreError, VirtualClock } from '@postern/core'
import { DirectoryStore } from '../src/embedded/directory-store.ts'
import { disk } from '../src/files/file-layer.ts'
import { parseVerifierKey } from '../src/format/note-key.ts'
import {
  openAuditLog,
  readAuditLog,
  rebuildIndex,
  removeEntriesBefore,
  retireSigningKey,
  rotateSigningKey,
  verifyDirectory,
  verifyTlogProof,
} from '../src/index.ts'
import { LogReader } from '../src/reader/log-reader.ts'
import { collect, freshDirectory, requestEvent } from './support/events.ts'
import { withFaults } from './support/with-faults.ts'

const origin = 'shop.example.com/audit'

async function writtenLog(entries: number): Promise<string> {
  const directory = freshDirectory()
  const log = await openAuditLog({ directory, origin })
  for (let i = 0; i < entries; i++)
    log.record(requestEvent(i, i % 5 === 0 ? { actor: { address: '192.0.2.1' } } : {}))
  await log.commit(requestEvent(0, { actor: { principal: 'alice', address: '192.0.2.9' } }))
  await log.eraseSubject('alice')
  await log.close()
  return directory
}

describe('the index', () => {
  test('rebuilt from the log is identical to the one that grew with it, erasures included', async () => {
    const directory = await writtenLog(600)
    assert.deepEqual(rebuildIndex(directory), { size: 602, identical: true })
  })

  test('that somebody changed shows, and can be replaced', async () => {
    const directory = await writtenLog(300)
    const database = new DatabaseSync(join(directory, 'index.db'))
    database.exec("UPDATE entries SET action = 'nothing.happened' WHERE idx = 17")
    database.close()
    assert.equal(rebuildIndex(directory).identical, false)
    assert.equal(rebuildIndex(directory, { mode: 'replace' }).identical, false)
    assert.equal(rebuildIndex(directory).identical, true)
  })

  test('that was deleted comes back on opening', async () => {
    const directory = await writtenLog(300)
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory, `index.db${suffix}`), { force: true })
    await (await openAuditLog({ directory, origin })).close()
    assert.equal(rebuildIndex(directory).identical, true)
  })

  test('is not replaced under an open log', async () => {
    const directory = await writtenLog(3)
    const log = await openAuditLog({ directory, origin })
    assert.throws(() => rebuildIndex(directory, { mode: 'replace' }), StoreError)
    await log.close()
  })
})

describe('retention', () => {
  test('removes old entries in whole bundles, and keeps every proof', async () => {
    const directory = await writtenLog(1_000)
    const reader = readAuditLog(directory)
    const entry = await reader.entry(100n)
    assert.deepEqual(await removeEntriesBefore(reader, requestEvent(600).time), {
      minimumIndex: 512,
      bundles: 2,
    })
    await assert.rejects(reader.entry(100n), /removed by retention/)
    const verifiers = (await reader.verifierKeys()).map(key => parseVerifierKey(key))
    verifyTlogProof(await reader.proof(100n), entry.bytes, verifiers, origin)
    assert.equal((await collect(reader.entries(0n)))[0]?.index, 512n)
    const report = await verifyDirectory(directory)
    assert.deepEqual([report.problems, report.entries], [[], 1_002 - 512])
    reader.close()
    const log = await openAuditLog({ directory, origin })
    assert.equal((await log.commit(requestEvent(1))).index, 1_002n)
    await log.close()
    assert.deepEqual(rebuildIndex(directory), { size: 1_003, identical: true })
  })

  for (const [what, future, minimumIndex] of [
    ['one event', { from: 10, to: 11 }, 768],
    ['the events of more than a bundle', { from: 200, to: 520 }, 768],
    ['what a clock that is ahead makes, with nothing old behind it,', { from: 512, to: 1_000 }, 512],
    ['a bundle that ends where what is young begins', { from: 512, to: 768 }, 512],
  ] as const)
    test(`attack: ${what} from far ahead keeps nothing that is old, and loses nothing that may be young`, async () => {
      const directory = freshDirectory()
      const log = await openAuditLog({ directory, origin })
      const cut = requestEvent(what.startsWith('a bundle') ? 512 : 800).time
      for (let i = 0; i < 1_400; i++)
        log.record(requestEvent(i, i >= future.from && i < future.to ? { time: cut * 2 } : {}))
      await log.close()
      const reader = readAuditLog(directory)
      const clock = new VirtualClock(requestEvent(1_400).time)
      assert.deepEqual(await removeEntriesBefore(reader, cut, { clock }), {
        minimumIndex,
        bundles: minimumIndex / 256,
      })
      reader.close()
      assert.deepEqual((await verifyDirectory(directory)).problems, [])
      await (await openAuditLog({ directory, origin })).close()
      assert.equal(rebuildIndex(directory).identical, true)
    })

  test('that meets another one removes all that it was to remove, and says where the log begins', async () => {
    const directory = await writtenLog(1_500)
    const readers = [readAuditLog(directory), readAuditLog(directory), readAuditLog(directory)] as const
    const cuts = [1_100, 300, 600] as const
    const removed = await Promise.all(
      readers.map((reader, index) => removeEntriesBefore(reader, requestEvent(cuts[index] ?? 0).time)),
    )
    for (const [index, { minimumIndex }] of removed.entries())
      assert.ok(minimumIndex >= Math.floor((cuts[index] ?? 0) / 256) * 256, `${index}: ${minimumIndex}`)
    assert.equal(await readers[0].minimumIndex(), 1_024)
    assert.equal(
      removed.reduce((sum, { bundles }) => sum + bundles, 0),
      4,
    )
    for (const reader of readers) reader.close()
    assert.deepEqual((await verifyDirectory(directory)).problems, [])
  })

  test('waits for another one that is setting the mark, and never puts the beginning of the log back', async () => {
    const directory = await writtenLog(256 * 5)
    const isDone = new Int32Array(new SharedArrayBuffer(4))
    let thread: Worker | undefined
    const files = withFaults(disk, {
      write: (path, bytes) => {
        if (path.endsWith('minimum-index.new') && thread === undefined) {
          const before = requestEvent(256 * 4).time
          thread = new Worker(new URL('support/prune-thread.ts', import.meta.url), {
            workerData: { directory, before, isDone },
          })
          // Long enough for the other one to be done, unless it waits.
          Atomics.wait(isDone, 0, 0, 3_000)
        }
        disk.write(path, bytes)
      },
    })
    const store = new DirectoryStore({ files, directory, keys: undefined, index: undefined })
    const verifiers = (await store.verifierKeys()).map(key => parseVerifierKey(key))
    await removeEntriesBefore(new LogReader(store, verifiers), requestEvent(256 * 2).time)
    assert.ok(thread)
    await once(thread, 'exit')
    assert.equal(isDone[0], 1)
    const { problems, entries } = await verifyDirectory(directory)
    assert.deepEqual([problems, entries], [[], 256 + 2])
  })

  test('lets a tenant of whom nothing is left go on with the next number, even when the index is lost too', async () => {
    const directory = freshDirectory()
    const event = (tenant: string, i: number): Event => requestEvent(i, { actor: { principal: 'p', tenant } })
    const log = await openAuditLog({ directory, origin })
    for (let i = 0; i < 700; i++) log.record(event(i < 5 ? 'gone' : 'acme', i))
    await log.close()
    const reader = readAuditLog(directory)
    await removeEntriesBefore(reader, Number.MAX_SAFE_INTEGER)
    reader.close()
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory, `index.db${suffix}`), { force: true })
    const again = await openAuditLog({ directory, origin })
    await again.commit(event('gone', 1))
    await again.close()
    const after = readAuditLog(directory)
    assert.equal((await collect(after.entries(0n))).at(-1)?.number, 6)
    after.close()
    assert.deepEqual((await verifyDirectory(directory)).problems, [])
  })
})

describe('anonymous traffic', () => {
  test('is forgotten a day at a time, once it is old enough', async () => {
    const directory = freshDirectory()
    const clock = new VirtualClock(Date.UTC(2026, 0, 1, 12))
    const log = await openAuditLog({ directory, origin, clock, forgetAnonymousAfter: '10d' })
    const anonymous = (): Event => requestEvent(1, { time: clock.now(), actor: { address: '192.0.2.1' } })
    await log.commit(anonymous())
    await log.checkpoint()
    clock.advance(9 * 86_400_000)
    await log.commit(anonymous())
    await log.checkpoint()
    const found = async (): Promise<number[]> => {
      const indexes: number[] = []
      for await (const { index } of log.query({ address: '192.0.2.1', order: 'oldest' }))
        indexes.push(Number(index))
      return indexes
    }
    assert.deepEqual(await found(), [0, 1])
    clock.advance(3 * 86_400_000)
    await log.commit(anonymous())
    await log.checkpoint()
    assert.deepEqual(await found(), [1, 2])
    await log.close()
    assert.equal((await verifyDirectory(directory)).ok, true)
    assert.equal(rebuildIndex(directory).identical, true)
  })
})

describe('the signing key', () => {
  test('can be rotated: for a while both sign, and old proofs stay valid', async () => {
    const directory = freshDirectory()
    const first = await openAuditLog({ directory, origin })
    await first.commit(requestEvent(1))
    const oldProof = await first.proof(0n)
    await first.close()
    const [old = ''] = await readAuditLog(directory).verifierKeys()
    rotateSigningKey(`${directory}-keys`, origin)
    const second = await openAuditLog({ directory, origin })
    await second.commit(requestEvent(2))
    await second.close()
    const reader = readAuditLog(directory)
    const [, fresh = ''] = await reader.verifierKeys()
    for (const key of [old, fresh])
      assert.equal((await verifyDirectory(directory, { verifierKeys: [key] })).ok, true)
    retireSigningKey(`${directory}-keys`, origin)
    const third = await openAuditLog({ directory, origin })
    await third.commit(requestEvent(3))
    await third.close()
    assert.equal((await verifyDirectory(directory, { verifierKeys: [old] })).ok, false)
    assert.equal((await verifyDirectory(directory, { verifierKeys: [fresh] })).ok, true)
    verifyTlogProof(oldProof, (await reader.entry(0n)).bytes, [parseVerifierKey(old)], origin)
    reader.close()
  })

  test('is not retired before the new one has signed the log, and any opening is enough for that', async () => {
    const directory = freshDirectory()
    const first = await openAuditLog({ directory, origin })
    await first.commit(requestEvent(1))
    await first.close()
    rotateSigningKey(`${directory}-keys`, origin)
    // A second time in a row: the log knows neither of the new ones.
    rotateSigningKey(`${directory}-keys`, origin)
    assert.throws(() => retireSigningKey(`${directory}-keys`, origin), /open the log once/)
    await (await openAuditLog({ directory, origin })).close()
    assert.equal(retireSigningKey(`${directory}-keys`, origin).signers.length, 1)
    const last = await openAuditLog({ directory, origin })
    await last.commit(requestEvent(2))
    await last.close()
    const keys = await readAuditLog(directory).verifierKeys()
    assert.equal((await verifyDirectory(directory, { verifierKeys: keys.slice(-1) })).ok, true)
  })

  test('is one of eight at most', () => {
    const directory = freshDirectory()
    for (let i = 0; i < 7; i++) rotateSigningKey(`${directory}-keys`, origin)
    assert.throws(() => rotateSigningKey(`${directory}-keys`, origin), /retire the old ones first/)
  })
})
