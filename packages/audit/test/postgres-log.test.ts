import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { IntegrityError, StoreError } from '@postern/core'
import { connectPostgres, type PostgresDatabase } from '@postern/store'
import { freshDatabase } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { parseVerifierKey } from '../src/format/note-key.ts'
import {
  type Entry,
  generateNoteKey,
  openPostgresAuditLog,
  type PostgresAuditLog,
  type PostgresAuditLogOptions,
  verifyTlogProof,
} from '../src/index.ts'
import { inManyTenants, requestEvent } from './support/events.ts'

const origin = 'shop.example.com/audit'
const pair = generateNoteKey(origin)

async function database(t: TestContext): Promise<PostgresDatabase> {
  return databaseAt(t, await freshDatabase(t))
}

function databaseAt(t: TestContext, url: string): PostgresDatabase {
  const connected = connectPostgres({ url })
  t.after(() => connected.close())
  return connected
}

function open(
  db: PostgresDatabase,
  options: Partial<PostgresAuditLogOptions> = {},
): Promise<PostgresAuditLog> {
  const signerKeys = [pair.signerKey]
  return openPostgresAuditLog({ database: db, origin, signerKeys, pollInterval: '20ms', ...options })
}

/** Asks until the answer is not 0. */
async function untilSome(ask: () => Promise<number>): Promise<number> {
  let count = 0
  await until(async () => {
    count = await ask()
    return count > 0
  })
  return count
}

async function all(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const found: Entry[] = []
  for await (const entry of entries) found.push(entry)
  return found
}

describe('the log in PostgreSQL', () => {
  test('finds a principal in whichever tenant, however many there are', async t => {
    const log = await open(await database(t))
    await inManyTenants(event => log.commit(event))
    assert.equal((await all(log.query({ principal: 'mallory' }))).length, 2)
    await log.close()
  })

  test('numbers, finds, proves and erases as the embedded one does', async t => {
    const log = await open(await database(t))
    const receipts = await Promise.all(Array.from({ length: 300 }, (_, i) => log.commit(requestEvent(i))))
    assert.deepEqual(
      receipts.map(({ index }) => Number(index)).sort((a, b) => a - b),
      Array.from({ length: 300 }, (_, i) => i),
    )
    assert.equal((await all(log.query({ principal: 'user-3' }))).length, 43)
    assert.equal((await all(log.query({ address: '203.0.113.5' }))).length, 2)
    assert.equal((await all(log.query({ text: '/api/orders/123', action: 'orders.delete' }))).length, 1)
    const [entry] = await all(log.query({ request: requestEvent(77).request?.id ?? '' }))
    const proof = await log.proof(entry?.index ?? -1n)
    const bytes = entry?.bytes ?? new Uint8Array(0)
    assert.equal(verifyTlogProof(proof, bytes, [parseVerifierKey(pair.verifierKey)], origin).size, 300n)
    await log.commit(requestEvent(1, { actor: { principal: 'alice', address: '198.51.100.7' } }))
    const before = await log.proof(300n)
    await log.eraseSubject('alice')
    const [erased] = await all(log.query({ order: 'oldest', after: 299n }))
    assert.deepEqual([erased?.personal, erased?.event.actor], ['erased', {}])
    assert.deepEqual(await all(log.query({ address: '198.51.100.7' })), [])
    verifyTlogProof(before, erased?.bytes ?? new Uint8Array(0), [parseVerifierKey(pair.verifierKey)], origin)
    await log.close()
  })

  test('loses no event that nobody waits for to a statement that failed: it is inserted again', async t => {
    const db = await database(t)
    const log = await open(db)
    await log.commit(requestEvent(0))
    await db.transaction(async tx => {
      await tx.query('LOCK TABLE audit_inbox IN ACCESS EXCLUSIVE MODE')
      for (let i = 1; i <= 5; i++) log.record(requestEvent(i))
      const waiting = assert.rejects(log.commit(requestEvent(6)), StoreError)
      // Whoever waits for the lock loses its connection in the middle of its statement.
      const ended = await untilSome(async () => {
        const { rows } = await db.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO audit_inbox%'`,
        )
        return rows.length
      })
      assert.ok(ended > 0)
      await waiting
      assert.equal(log.health().ok, false)
    })
    await until(() => log.counts().waiting === 0 && log.health().ok)
    assert.equal((await all(log.query({}))).length, 6)
    assert.deepEqual([log.counts().lost, log.health().ok], [0, true])
    await log.close()
  })

  test('keeps what nobody waits for while an operator must put something right: a right, a table, a password', async t => {
    const url = await freshDatabase(t)
    const db = databaseAt(t, url)
    const role = `log_${new URL(url).pathname.slice(1)}`
    await db.query(`CREATE ROLE ${role} LOGIN PASSWORD 'first'`)
    await db.query(`GRANT CREATE ON SCHEMA public TO ${role}`)
    const own = new URL(url)
    ;[own.username, own.password] = [role, 'first']
    const log = await open(databaseAt(t, own.href))
    await log.commit(requestEvent(0))
    const troubles = [
      [`ALTER TABLE audit_inbox RENAME TO mislaid`, `ALTER TABLE mislaid RENAME TO audit_inbox`],
      [`REVOKE INSERT ON audit_inbox FROM ${role}`, `GRANT INSERT ON audit_inbox TO ${role}`],
      [`ALTER ROLE ${role} PASSWORD 'second'`, `ALTER ROLE ${role} PASSWORD 'first'`],
    ] as const
    for (const [i, [cause, cure]] of troubles.entries()) {
      await db.query(cause)
      await db.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [role])
      log.record(requestEvent(10 + i))
      await until(() => !log.health().ok)
      await assert.rejects(log.commit(requestEvent(20 + i)), StoreError)
      await db.query(cure)
      await until(() => log.counts().waiting === 0 && log.health().ok)
    }
    assert.equal((await all(log.query({}))).length, 4)
    assert.equal(log.counts().lost, 0)
    await log.close()
    await db.query(`DROP OWNED BY ${role}`)
    await db.query(`DROP ROLE ${role}`)
  })

  test('loses an event that the database refuses, and none of those that came with it', async t => {
    const db = await database(t)
    const log = await open(db)
    await db.query(`ALTER TABLE audit_inbox ADD CHECK (event NOT LIKE '%refused-by-a-check%')`)
    for (let i = 0; i < 9; i++) log.record(requestEvent(i))
    log.record(requestEvent(9, { data: { note: 'refused-by-a-check' } }))
    await Promise.all(Array.from({ length: 9 }, (_, i) => log.commit(requestEvent(10 + i))))
    await until(() => log.counts().waiting === 0 && log.health().ok)
    assert.equal(log.counts().lost, 1)
    const types = (await all(log.query({}))).map(({ event }) => event.type)
    assert.deepEqual([types.length, types.filter(type => type === 'audit.lost').length], [19, 1])
    await log.close()
  })

  test('answers a caller whose event could not be numbered at first, without waiting for the next poll', async t => {
    const db = await database(t)
    const log = await open(db, { pollInterval: '1h' })
    await db.query('ALTER TABLE audit_tenants RENAME TO mislaid')
    const receipt = log.commit(requestEvent(1))
    await until(() => !log.health().ok)
    await db.query('ALTER TABLE mislaid RENAME TO audit_tenants')
    assert.equal((await receipt).index, 0n)
    await log.close()
  })

  test('tells a caller in time that nobody numbers entries, however seldom it polls', async t => {
    const db = await database(t)
    const log = await open(db, { pollInterval: '1h', commitTimeout: '200ms' })
    await db.query('ALTER TABLE audit_tenants RENAME TO mislaid')
    await assert.rejects(log.commit(requestEvent(1)), /the event is stored, but no instance numbers entries/)
    await log.close()
  })

  test('enters an event with the transaction of its caller, or not at all, however late it commits', async t => {
    const db = await database(t)
    const log = await open(db)
    await db.query('CREATE TABLE orders (id int)')
    await assert.rejects(
      db.transaction(async tx => {
        await tx.query('INSERT INTO orders VALUES (1)')
        await log.appendIn(tx, requestEvent(1))
        throw new Error('undone')
      }),
    )
    await db.transaction(async tx => {
      await log.appendIn(tx, requestEvent(2))
      // Others are numbered while this transaction, whose row is older, is still open.
      await log.commit(requestEvent(3))
    })
    await log.checkpoint()
    const entries = await all(log.query({ order: 'oldest' }))
    assert.deepEqual(
      entries.map(({ event }) => event.resource?.id),
      ['3', '2'],
    )
    await log.close()
  })

  test('is sequenced by several instances without a gap, a double or a contradiction', async t => {
    const db = await database(t)
    const logs = await Promise.all([open(db), open(db), open(db)])
    const verifiers = [parseVerifierKey(pair.verifierKey)]
    const receipts = await Promise.all(
      Array.from({ length: 240 }, (_, i) => (logs[i % 3] as PostgresAuditLog).commit(requestEvent(i))),
    )
    assert.equal(new Set(receipts.map(({ index }) => index)).size, 240)
    const entries = await all((logs[0] as PostgresAuditLog).query({ order: 'oldest' }))
    // Whoever numbered it: the receipt has the leaf hash too.
    for (const { index, leafHash } of receipts) assert.equal(leafHash, entries[Number(index)]?.leafHash)
    for (const tenant of ['acme', 'globex']) {
      const numbers = entries.filter(entry => entry.tenant === tenant).map(({ number }) => number)
      assert.deepEqual(
        numbers,
        Array.from(numbers, (_, i) => i + 1),
      )
    }
    for (const log of logs) {
      for (const entry of [entries[0], entries[239]]) {
        const proof = await log.proof(entry?.index ?? -1n)
        verifyTlogProof(proof, entry?.bytes ?? new Uint8Array(0), verifiers, origin)
      }
    }
    const { rows } = await db.query<{ term: string }>('SELECT term::text FROM audit_state')
    assert.ok(Number(rows[0]?.term) >= 1)
    for (const log of logs) await log.close()
  })

  test('an instance whose tree is out of date does not move the log on', async t => {
    const db = await database(t)
    const log = await open(db)
    await log.commit(requestEvent(1))
    // As if another instance had won the lock meanwhile and lost its batch: the term is another.
    await db.query(`UPDATE audit_state SET term = term + 5, holder = 'another'`)
    assert.equal((await log.commit(requestEvent(2))).index, 1n)
    await log.close()
    await assert.rejects(
      openPostgresAuditLog({
        database: db,
        origin: 'other.example',
        signerKeys: [generateNoteKey('other.example').signerKey],
      }),
      IntegrityError,
    )
  })
})
