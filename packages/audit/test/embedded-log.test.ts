import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError, IntegrityError, StoreError } from '@postern/core'
import { parseVerifierKey } from '../src/format/note-key.ts'
import { type AuditLog, type Entry, openAuditLog, readAuditLog, verifyTlogProof } from '../src/index.ts'
import { freshDirectory, inManyTenants, requestEvent } from './support/events.ts'

const origin = 'shop.example.com/audit'

async function withLog(directory: string, work: (log: AuditLog) => Promise<void>): Promise<void> {
  const log = await openAuditLog({ directory, origin })
  try {
    await work(log)
  } finally {
    await log.close()
  }
}

async function collect(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const all: Entry[] = []
  for await (const entry of entries) all.push(entry)
  return all
}

describe('the embedded log', () => {
  test('finds a principal in whichever tenant, however many there are', async () => {
    const directory = freshDirectory()
    await withLog(directory, async log => {
      await inManyTenants(event => log.commit(event))
      assert.equal((await collect(log.query({ principal: 'mallory' }))).length, 2)
    })
    const reader = readAuditLog(directory)
    assert.equal((await collect(reader.query({ principal: 'mallory' }))).length, 2)
    reader.close()
  })

  test('gives every event a number, and finds and proves it', async () => {
    const directory = freshDirectory()
    await withLog(directory, async log => {
      const receipts = await Promise.all(Array.from({ length: 700 }, (_, i) => log.commit(requestEvent(i))))
      assert.deepEqual(
        receipts.map(({ index }) => Number(index)),
        Array.from({ length: 700 }, (_, i) => i),
      )
      const found = await collect(log.query({ principal: 'user-3', tenant: 'acme', order: 'oldest' }))
      assert.ok(found.length > 20)
      assert.ok(
        found.every(({ event }) => event.actor.principal === 'user-3' && event.actor.tenant === 'acme'),
      )
      assert.equal((await collect(log.query({ address: '203.0.113.5' }))).length, 4)
      assert.equal((await collect(log.query({ principal: 'user-1' }))).length, 100)
      assert.equal((await collect(log.query({ request: requestEvent(77).request?.id ?? '' })))[0]?.index, 77n)
      assert.equal((await collect(log.query({ text: '/API/orders/123' })))[0]?.index, 123n)
      assert.equal((await collect(log.query({ action: 'orders.delete', limit: 5 }))).length, 5)
      const reader = readAuditLog(directory)
      const [key = ''] = await reader.verifierKeys()
      const proof = await log.proof(300n)
      const checkpoint = verifyTlogProof(
        proof,
        (await reader.entry(300n)).bytes,
        [parseVerifierKey(key)],
        origin,
      )
      assert.equal(checkpoint.size, 700n)
      const other = await reader.entry(301n)
      assert.throws(() => verifyTlogProof(proof, other.bytes, [parseVerifierKey(key)]), IntegrityError)
      reader.close()
    })
  })

  test('starts a thread for publishing once there is something to publish, and not before', async () => {
    const directory = freshDirectory()
    const started: unknown[] = []
    const note = (worker: unknown): void => void started.push(worker)
    process.on('worker', note)
    try {
      await withLog(directory, async () => undefined)
      assert.equal(started.length, 0, 'nothing was recorded')
      await withLog(directory, async log => {
        await log.append(requestEvent(1))
        await log.append(requestEvent(2))
        assert.equal(started.length, 1)
      })
      await withLog(directory, async log => {
        assert.equal(started.length, 1, 'resumed on this thread')
        assert.equal((await collect(log.query({}))).length, 2)
        assert.equal((await log.append(requestEvent(3))).index, 2n)
        assert.equal(started.length, 2)
      })
    } finally {
      process.off('worker', note)
    }
  })

  test('gives a complete receipt to who waits for the tree: number and leaf hash', async () => {
    await withLog(freshDirectory(), async log => {
      const receipts = await Promise.all(Array.from({ length: 300 }, (_, i) => log.append(requestEvent(i))))
      const entries = await collect(log.query({ order: 'oldest' }))
      assert.deepEqual(
        receipts,
        entries.map(({ index, leafHash }) => ({ index, leafHash })),
      )
    })
  })

  test('goes on after a restart where it stopped, without a gap in any tenant', async () => {
    const directory = freshDirectory()
    for (let run = 0; run < 3; run++) {
      await withLog(directory, async log => {
        for (let i = 0; i < 100; i++) log.record(requestEvent(run * 100 + i))
        await log.commit(requestEvent(run * 100 + 99, { actor: {} }))
      })
    }
    const reader = readAuditLog(directory)
    const entries = await collect(reader.entries(0n))
    assert.equal(entries.length, 303)
    for (const tenant of ['acme', 'globex', '']) {
      const numbers = entries.filter(entry => entry.tenant === tenant).map(({ number }) => number)
      assert.deepEqual(
        numbers,
        Array.from(numbers, (_, i) => i + 1),
      )
    }
    reader.close()
  })

  test('is opened once at a time, and says who has it', async () => {
    const directory = freshDirectory()
    await withLog(directory, async () => {
      await assert.rejects(
        openAuditLog({ directory, origin }),
        (error: unknown) =>
          error instanceof StoreError && /another Postern of this process/.test(error.message),
      )
    })
    await withLog(directory, async log => {
      assert.equal((await log.commit(requestEvent(1))).index, 0n)
    })
  })

  test('destroys no key because an event says so, now or on opening', async () => {
    const directory = freshDirectory()
    await withLog(directory, async log => {
      await log.commit(requestEvent(3))
      const [entry] = await collect(log.query({}))
      const { sealed } = JSON.parse(Buffer.from(entry?.bytes ?? '').toString()) as {
        readonly sealed: { readonly key: string }
      }
      const forged = { type: 'audit.subject.erased', time: 0, actor: {}, data: { key: sealed.key } }
      await assert.rejects(log.commit(forged), ConfigError)
      log.record(forged)
    })
    await withLog(directory, async log => {
      const entries = await collect(log.query({ order: 'oldest' }))
      assert.equal(entries[0]?.personal, 'open')
      assert.ok(entries.every(({ event }) => event.type !== 'audit.subject.erased'))
    })
  })

  test('erases a subject: what says who they are is gone, every proof still holds', async () => {
    const directory = freshDirectory()
    const event = requestEvent(3, { actor: { principal: 'alice', address: '198.51.100.7' } })
    await withLog(directory, async log => {
      await log.commit(event)
      await log.commit(requestEvent(4))
      const proof = await log.proof(0n)
      const receipt = await log.eraseSubject('alice')
      assert.equal(receipt.index, 2n)
      const [entry] = await collect(log.query({ order: 'oldest' }))
      assert.equal(entry?.personal, 'erased')
      assert.equal(entry?.event.actor.principal, undefined)
      assert.equal(entry?.event.action, 'orders.delete')
      assert.deepEqual(await collect(log.query({ principal: 'alice' })), [])
      assert.deepEqual(await collect(log.query({ address: '198.51.100.7' })), [])
      const [key = ''] = await readAuditLog(directory).verifierKeys()
      verifyTlogProof(proof, entry?.bytes ?? new Uint8Array(0), [parseVerifierKey(key)], origin)
      await assert.rejects(log.eraseSubject('alice'), StoreError)
    })
    for (const folder of [directory, `${directory}-keys`]) {
      for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!name.isFile()) continue
        const bytes = readFileSync(join(name.parentPath, name.name))
        for (const trace of ['alice', '198.51.100.7', '/api/orders/3"'])
          assert.ok(!bytes.includes(trace), `${name.name} still holds ${trace}`)
      }
    }
  })

  test('says what is wrong when its directory cannot be made', async () => {
    const directory = freshDirectory()
    writeFileSync(directory, 'a file, not a directory')
    await assert.rejects(openAuditLog({ directory, origin }), StoreError)
  })
})
