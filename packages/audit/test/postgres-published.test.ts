import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { describe, type TestContext, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { connectPostgres } from '@postern/store'
import { freshDatabase } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { parseWitnessKey } from '../src/format/cosignature.ts'
import { verifyNote } from '../src/format/note.ts'
import { parseVerifierKey } from '../src/format/note-key.ts'
import {
  type Anchor,
  COSIGNATURE_V1,
  checkExport,
  type Entry,
  exportTenant,
  generateNoteKey,
  logHandler,
  type PostgresAuditLog,
  readPostgresAuditLog,
  removeEntriesBefore,
  Shipper,
  type Sink,
  verifyStore,
  verifyTlogProof,
  Witness,
  witnessHandler,
} from '../src/index.ts'
import { verifyLog } from '../src/verifier.ts'
import { collect, freshDirectory, requestEvent } from './support/events.ts'
import { database, openInstance, origin, pair } from './support/postgres.ts'

async function serve(t: TestContext, handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  return `http://127.0.0.1:${address.port}`
}

async function write(log: PostgresAuditLog, from: number, to: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, i) => log.commit(requestEvent(from + i))))
  await log.checkpoint()
}

/** Looks again until it holds; the test's own time limit ends it. */
/** Keeps the numbers of what it is sent. */
class MemorySink implements Sink {
  readonly name = 'memory'
  readonly received: number[] = []

  async send(entries: readonly Entry[]): Promise<'taken'> {
    await Promise.resolve()
    this.received.push(...entries.map(({ index }) => Number(index)))
    return 'taken'
  }

  close(): void {}
}

describe('a log in PostgreSQL over HTTP', () => {
  test('is verified by the offline verifier reading C2SP paths, partial tiles of older sizes too', async t => {
    const log = await openInstance(await database(t))
    await write(log, 0, 300)
    await write(log, 300, 600)
    const url = await serve(t, logHandler(log.reader, '/log'))
    const report = await verifyLog({
      verifierKeys: [pair.verifierKey],
      origin,
      read: async path => {
        const response = await fetch(`${url}/log/${path}`)
        return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined
      },
    })
    assert.deepEqual([report.problems, report.entries], [[], 600])
    const length = async (path: string): Promise<number> =>
      (await (await fetch(`${url}/log/${path}`)).arrayBuffer()).byteLength
    assert.equal(await length('tile/0/001.p/44'), 44 * 32)
    assert.equal(await length('tile/1/000.p/1'), 32)
    for (const path of [
      'tile/0/002.p/89',
      'tile/0/003',
      'tile/entries/002',
      'tile/2/000.p/1',
      'audit_subjects',
    ])
      assert.equal((await fetch(`${url}/log/${path}`)).status, 404, path)
    await log.close()
  })

  test('answers 500, and tells nothing, while its database is gone', async t => {
    const db = connectPostgres({ url: await freshDatabase(t) })
    const log = await openInstance(db)
    await write(log, 0, 3)
    const url = await serve(t, logHandler(log.reader))
    await log.close()
    await db.close()
    const response = await fetch(`${url}/checkpoint`)
    assert.deepEqual([response.status, await response.text()], [500, ''])
  })
})

describe('shippers of a log in PostgreSQL', () => {
  test('send each entry once and in order, though every instance has one', async t => {
    const db = await database(t)
    const logs = await Promise.all([openInstance(db), openInstance(db), openInstance(db)])
    const sink = new MemorySink()
    const shippers = logs.map(
      log => new Shipper({ reader: log.reader, sink, cursor: log.cursor('siem'), batch: 7 }),
    )
    for (let round = 0; round < 4; round++) {
      const writing = write(logs[0] as PostgresAuditLog, round * 50, (round + 1) * 50)
      await Promise.all(shippers.map(shipper => shipper.ship()))
      await writing
    }
    await Promise.all(shippers.map(shipper => shipper.ship()))
    assert.deepEqual(
      sink.received,
      Array.from({ length: 200 }, (_, i) => i),
    )
    assert.equal(shippers.filter(shipper => shipper.next === 200n).length, 1)
    for (const shipper of shippers) await shipper.close()
    for (const log of logs) await log.close()
  })

  test('go on where one stopped, at once when it was closed and after its hold when it died', async t => {
    const db = await database(t)
    const [first, second] = [await openInstance(db), await openInstance(db)]
    const sink = new MemorySink()
    const shipper = (log: PostgresAuditLog): Shipper =>
      new Shipper({ reader: log.reader, sink, cursor: log.cursor('siem', { hold: '1h' }) })
    const [one, two] = [shipper(first), shipper(second)]
    await write(first, 0, 10)
    await one.ship()
    await write(first, 10, 20)
    await two.ship()
    assert.equal(sink.received.length, 10)
    await one.close()
    await two.ship()
    assert.equal(sink.received.length, 20)
    // The second dies without a word: only time, on the database's clock, ends its hold.
    await write(first, 20, 30)
    const third = shipper(first)
    await third.ship()
    assert.equal(sink.received.length, 20)
    await db.query(`UPDATE audit_cursors SET held_until = clock_timestamp() - interval '1ms'`)
    await third.ship()
    assert.deepEqual(
      sink.received,
      Array.from({ length: 30 }, (_, i) => i),
    )
    // Back from the dead it does not move what another holds now.
    await two.ship()
    assert.deepEqual([sink.received.length, two.health().ok], [30, true])
    await third.close()
    for (const log of [first, second]) await log.close()
  })

  test('that hang keep no connection from those who commit', async t => {
    const db = connectPostgres({ url: await freshDatabase(t), max: 2 })
    t.after(() => db.close())
    const log = await openInstance(db)
    await write(log, 0, 1)
    let isAsked = 0
    const hung: Sink = {
      name: 'hung',
      close() {},
      send: () => {
        isAsked++
        return new Promise(() => {})
      },
    }
    const shippers = Array.from(
      { length: 5 },
      (_, i) =>
        new Shipper({ reader: log.reader, sink: hung, cursor: log.cursor(`siem ${i}`), timeout: '2s' }),
    )
    const shipping = shippers.map(shipper => shipper.ship())
    await until(() => isAsked === 5)
    await write(log, 1, 50)
    await Promise.all(shipping)
    assert.match(shippers[0]?.health().detail ?? '', /does not answer within 2000 ms; waits at entry 0/)
    for (const shipper of shippers) await shipper.close()
    await log.close()
  })
})

describe('those who vouch for a log in PostgreSQL', () => {
  test('receive newer checkpoints only, whichever instance signed them, and proofs carry cosignatures', async t => {
    const db = await database(t)
    const witness = Witness.open({
      directory: freshDirectory(),
      signerKey: generateNoteKey('witness.example/w1', COSIGNATURE_V1).signerKey,
      logs: [{ origin, verifierKeys: [pair.verifierKey] }],
    })
    t.after(() => witness.close())
    const url = await serve(t, witnessHandler(witness))
    const sizes: number[] = []
    const anchor: Anchor = {
      name: 'memory',
      latest: async () => undefined,
      push: async checkpoint => {
        const size = Number(checkpoint.split('\n')[1])
        // One that answers late must not let an older checkpoint pass a newer one.
        await new Promise(resolve => setTimeout(resolve, size % 3))
        sizes.push(size)
      },
    }
    const errors: unknown[] = []
    const options = {
      anchors: [anchor],
      witnesses: [{ url, verifierKey: witness.verifierKey }],
      onOutsideError: (error: unknown) => errors.push(error),
    }
    const logs = await Promise.all([openInstance(db, options), openInstance(db, options)])
    for (let round = 0; round < 10; round++)
      await Promise.all(logs.map((log, i) => write(log, round * 20 + i * 10, round * 20 + i * 10 + 10)))
    await until(() => sizes.at(-1) === 200)
    assert.deepEqual(
      sizes,
      [...new Set(sizes)].sort((a, b) => a - b),
    )
    const reader = (logs[0] as PostgresAuditLog).reader
    await until(async () => (await reader.store.witnessedCheckpoint())?.split('\n')[1] === '200')
    const proof = await (logs[1] as PostgresAuditLog).proof(150n)
    const cosigned = proof.split('\n\n').slice(1).join('\n\n')
    assert.equal(verifyNote(cosigned, [parseWitnessKey(witness.verifierKey)]).signatures.length, 1)
    assert.deepEqual(errors, [])
    for (const log of logs) await log.close()
  })

  test('hold up nobody by hanging or failing', async t => {
    const db = await database(t)
    const errors: string[] = []
    const failing: Anchor = {
      name: 'failing',
      latest: async () => undefined,
      push: () => Promise.reject(new Error('no room')),
    }
    const log = await openInstance(db, {
      anchors: [failing],
      onOutsideError: error => errors.push(error instanceof Error ? error.message : ''),
    })
    await write(log, 0, 5)
    await until(() => errors.includes('no room'))
    assert.equal(log.health().ok, true)
    await log.close()
  })
})

describe('retention of a log in PostgreSQL', () => {
  test('removes old entries in whole bundles, keeps every proof, and goes on numbering', async t => {
    const db = await database(t)
    const log = await openInstance(db)
    await write(log, 0, 1_000)
    const early = await log.reader.entry(100n)
    const proofBefore = await log.proof(100n)
    const cut = requestEvent(1_000).time
    const [first, second] = await Promise.all([
      removeEntriesBefore(log.reader, cut),
      removeEntriesBefore(await readPostgresAuditLog(db), cut),
    ])
    assert.equal(first.bundles + second.bundles, 2)
    assert.equal(await log.reader.minimumIndex(), 512)
    await assert.rejects(log.reader.entry(100n), /removed by retention/)
    const verifiers = [parseVerifierKey(pair.verifierKey)]
    verifyTlogProof(proofBefore, early.bytes, verifiers, origin)
    verifyTlogProof(await log.proof(100n), early.bytes, verifiers, origin)
    assert.equal((await collect(log.reader.entries(0n)))[0]?.index, 512n)
    assert.equal((await collect(log.query({ order: 'oldest', limit: 1 })))[0]?.index, 512n)
    await write(log, 1_000, 1_010)
    const report = await verifyStore(log.reader.store, { verifierKeys: [pair.verifierKey] })
    assert.deepEqual([report.problems, report.size, report.entries], [[], 1_010, 1_010 - 512])
    const { rows } = await db.query<{ left: string }>(
      `SELECT count(*) AS left FROM audit_addresses WHERE NOT EXISTS (
         SELECT FROM audit_entries e WHERE e.subject = audit_addresses.subject AND e.address = audit_addresses.address)`,
    )
    assert.equal(Number(rows[0]?.left), 0)
    const url = await serve(t, logHandler(log.reader))
    assert.equal((await fetch(`${url}/tile/entries/000`)).status, 404)
    assert.equal((await fetch(`${url}/tile/0/000`)).status, 200)
    await log.close()
  })

  test('shows in a complete export, which says from which number on it is whole', async t => {
    const log = await openInstance(await database(t))
    await write(log, 0, 700)
    await removeEntriesBefore(log.reader, Number.MAX_SAFE_INTEGER)
    const lines = await collect(exportTenant(log.reader, 'acme'))
    const verifiers = [parseVerifierKey(pair.verifierKey)]
    const { first, count } = await checkExport(lines, verifiers)
    assert.ok(first > 1 && count > 0)
    await assert.rejects(checkExport(lines.toSpliced(1, 1), verifiers), /lacks entry|entries, but states/)
    await assert.rejects(checkExport(lines.toSpliced(3, 1), verifiers), /lacks entry/)
    await log.close()
  })

  test('forgets anonymous traffic a day at a time', async t => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1, 12))
    const log = await openInstance(await database(t), { clock, forgetAnonymousAfter: '10d' })
    const anonymous = requestEvent(1, { time: clock.now(), actor: { address: '192.0.2.1' } })
    await log.commit(anonymous)
    const found = async (): Promise<number> => (await collect(log.query({ address: '192.0.2.1' }))).length
    assert.equal(await found(), 1)
    clock.advance(12 * 86_400_000)
    await until(async () => (await found()) === 0)
    assert.equal((await log.reader.entry(0n)).personal, 'erased')
    assert.deepEqual((await verifyStore(log.reader.store)).problems, [])
    await log.close()
  })
})
