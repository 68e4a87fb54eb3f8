import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { IntegrityError, StoreError, systemClock, systemRandom } from '@postern/core'
import { type PostgresDatabase, PostgresError } from '@postern/store'
import { HOSTILE_OPERATORS } from '../../../test/hostile-operators.ts'
import { until } from '../../../test/until.ts'
import { parseSignerKey, parseVerifierKey } from '../src/format/note-key.ts'
import {
  type Anchor,
  exportTenant,
  generateNoteKey,
  type PostgresAuditLog,
  type Problem,
  rebuildPostgresIndex,
  verifyStore,
} from '../src/index.ts'
import { UNREADABLE } from '../src/postgres/inbox-event.ts'
import { Sequencer } from '../src/postgres/sequencer.ts'
import { collect, requestEvent } from './support/events.ts'
import { database, openInstance, origin, pair } from './support/postgres.ts'

const verifierKeys = [pair.verifierKey]

async function write(log: PostgresAuditLog, from: number, to: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, i) => log.commit(requestEvent(from + i))))
  await log.checkpoint()
}

const TABLES = [
  'audit_state',
  'audit_entries',
  'audit_tiles',
  'audit_tenants',
  'audit_subjects',
  'audit_addresses',
]

/** Copies every table of the log; gives how to put the copies back. */
async function backup(db: PostgresDatabase): Promise<() => Promise<void>> {
  for (const table of TABLES) await db.query(`CREATE TABLE copy_of_${table} AS TABLE ${table}`)
  return () =>
    db.transaction(async client => {
      for (const table of TABLES) {
        await client.query(`DELETE FROM ${table}`)
        await client.query(`INSERT INTO ${table} SELECT * FROM copy_of_${table}`)
      }
    })
}

async function signedSize(db: PostgresDatabase): Promise<number> {
  const { rows } = await db.query<{ size: string }>('SELECT checkpoint_size::text AS size FROM audit_state')
  return Number(rows[0]?.size)
}

describe('a row of the log that somebody changed in the database', () => {
  test('is named, whichever table it stands in', async t => {
    const db = await database(t)
    const log = await openInstance(db)
    await write(log, 0, 300)
    const problems = async (): Promise<readonly Problem[]> =>
      (await verifyStore(log.reader.store, { verifierKeys })).problems
    assert.deepEqual(await problems(), [])
    const restore = await backup(db)
    const changes: readonly (readonly [string, RegExp])[] = [
      [
        `UPDATE audit_entries SET leaf = set_byte(leaf, 40, get_byte(leaf, 40) # 1) WHERE idx = 7`,
        /entry 7 /,
      ],
      ['DELETE FROM audit_entries WHERE idx = 260', /entry 260 /],
      ['DELETE FROM audit_entries', /is missing/],
      [
        `UPDATE audit_entries a SET leaf = b.leaf FROM audit_entries b
         WHERE (a.idx, b.idx) IN ((3, 4), (4, 3))`,
        /entry 3 /,
      ],
      [
        `UPDATE audit_entries SET leaf = leaf || decode(repeat('00', 70000), 'hex') WHERE idx = 0`,
        /entry 0 /,
      ],
      [
        'UPDATE audit_tiles SET hashes = set_byte(hashes, 33, 255 - get_byte(hashes, 33)) WHERE level = 0 AND tile = 1',
        /hash of entry 257 /,
      ],
      [
        'UPDATE audit_tiles SET hashes = set_byte(hashes, 0, 255 - get_byte(hashes, 0)) WHERE level = 1',
        /hash 0 of level 1 /,
      ],
      ['DELETE FROM audit_tiles WHERE level = 0 AND tile = 0', /is missing|hash of entry 0 /],
      [`UPDATE audit_state SET checkpoint = replace(checkpoint, E'\\n300\\n', E'\\n299\\n')`, /signature/],
      [`UPDATE audit_state SET minimum_index = 256`, /retention never removes/],
    ]
    for (const [sql, expected] of changes) {
      await db.query(sql)
      const found = await problems()
      assert.match(found[0]?.message ?? 'nothing', expected, sql)
      await restore()
    }
    assert.deepEqual(await problems(), [])
    await log.close()
  })

  test('attack: a mark of retention beyond the end hides every entry from a rebuild and from exports', async t => {
    const db = await database(t)
    const log = await openInstance(db)
    await write(log, 0, 300)
    await log.checkpoint()
    for (const mark of [256, 100, 301, 512, 1_000_000, -256]) {
      await db.query('UPDATE audit_state SET minimum_index = $1', [mark])
      await assert.rejects(rebuildPostgresIndex(db), IntegrityError, `${mark}`)
      await assert.rejects(collect(exportTenant(log.reader, 'acme')), IntegrityError, `${mark}`)
      await assert.rejects(collect(log.reader.query({ order: 'oldest' })), IntegrityError, `${mark}`)
    }
    await log.close()
  })

  test('is found by a rebuild, and put right, where it only kept entries from being found', async t => {
    const db = await database(t)
    const log = await openInstance(db)
    await write(log, 0, 300)
    await log.eraseSubject('user-1', { tenant: 'acme' })
    await log.checkpoint()
    assert.deepEqual(await rebuildPostgresIndex(db), { size: 301, identical: true })
    for (const sql of [
      `UPDATE audit_entries SET action = 'nothing.happened' WHERE idx = 17`,
      `UPDATE audit_entries SET time = 0, decision = NULL WHERE idx = 299`,
      `UPDATE audit_entries SET subject = NULL WHERE idx = 40`,
      `DELETE FROM audit_addresses WHERE subject = (SELECT subject FROM audit_entries WHERE idx = 5)`,
      `UPDATE audit_tenants SET number = 1 WHERE tenant = 'acme'`,
      `UPDATE audit_tenants SET number = number + 10 WHERE tenant = 'acme'`,
      `DELETE FROM audit_tenants`,
    ]) {
      await db.query(sql)
      assert.equal((await rebuildPostgresIndex(db)).identical, false, sql)
      assert.equal((await rebuildPostgresIndex(db, { mode: 'replace' })).identical, false, sql)
      assert.equal((await rebuildPostgresIndex(db)).identical, true, sql)
    }
    assert.deepEqual((await verifyStore(log.reader.store, { verifierKeys })).problems, [])
    await log.close()
  })

  for (const isSame of [true, false])
    test(`gives no entry a wrong number, on ${isSame ? 'the instance that gave out the last' : 'another instance'}`, async t => {
      const db = await database(t)
      const first = await openInstance(db, { commitTimeout: '2s' })
      await write(first, 0, 20)
      if (!isSame) await first.close()
      for (const sql of [
        `UPDATE audit_tenants SET number = number + 10 WHERE tenant = 'acme'`,
        `UPDATE audit_tenants SET number = 1 WHERE tenant = 'acme'`,
        'DELETE FROM audit_tenants',
      ]) {
        await db.query(sql)
        const log = isSame ? first : await openInstance(db, { commitTimeout: '2s' })
        await assert.rejects(log.commit(requestEvent(21)), /no instance numbers entries/, sql)
        assert.match(log.health().detail ?? '', /number .*audit rebuild --replace/)
        assert.equal((await rebuildPostgresIndex(db, { mode: 'replace' })).identical, false)
        // What waited is entered now, with what comes.
        await log.commit(requestEvent(24))
        await log.checkpoint()
        assert.deepEqual((await verifyStore(log.reader.store, { verifierKeys })).problems, [])
        if (!isSame) await log.close()
      }
      await first.close()
    })

  test('gets no signature, even when entry, hash and state were made to fit each other', async t => {
    const db = await database(t)
    const log = await openInstance(db)
    await write(log, 0, 20)
    await log.close()
    // Another log of the same name, by somebody who can write to the database and has another key.
    const other = await database(t)
    const forged = await openInstance(other, { signerKeys: [generateNoteKey(origin).signerKey] })
    await write(forged, 100, 120)
    await forged.close()
    const { rows } = await other.query<{ hashes: Buffer }>('SELECT hashes FROM audit_tiles WHERE level = 0')
    await db.query('UPDATE audit_tiles SET hashes = $1 WHERE level = 0', [rows[0]?.hashes])
    const leaves = await other.query<{ idx: string; leaf: Buffer }>(
      'SELECT idx::text, leaf FROM audit_entries',
    )
    for (const { idx, leaf } of leaves.rows)
      await db.query('UPDATE audit_entries SET leaf = $2 WHERE idx = $1', [idx, leaf])
    const again = await openInstance(db, { commitTimeout: '2s' })
    await assert.rejects(again.commit(requestEvent(20)), /no instance numbers entries/)
    assert.match(again.health().detail ?? '', /are not those that were signed/)
    assert.equal(await signedSize(db), 20)
    await again.close()
  })

  test('is no reason to begin a new log, when the state was removed', async t => {
    const db = await database(t)
    const log = await openInstance(db)
    await write(log, 0, 5)
    await log.close()
    await db.query('DELETE FROM audit_state')
    await assert.rejects(openInstance(db), /whose state was removed/)
  })

  test('gets no signature when a checkpoint is said to be of more entries than it is', async t => {
    const db = await database(t)
    const log = await openInstance(db, { commitTimeout: '2s' })
    await write(log, 0, 5)
    await db.query('UPDATE audit_state SET checkpoint_size = 1000000')
    await assert.rejects(log.commit(requestEvent(5)).then(() => log.commit(requestEvent(6))))
    assert.equal(log.health().ok, false)
    await log.close()
  })
})

describe('a database that was put back to an older state', () => {
  test('gets nothing more from an instance that saw the newer one', async t => {
    const db = await database(t)
    const log = await openInstance(db, { commitTimeout: '2s' })
    await write(log, 0, 10)
    const restore = await backup(db)
    await write(log, 10, 20)
    await restore()
    await assert.rejects(log.commit(requestEvent(20)), /no instance numbers entries/)
    assert.match(log.health().detail ?? '', /had 20: it was put back to an older state/)
    assert.equal(await signedSize(db), 10)
    await log.close()
  })

  test('is in trouble all the time, also while events are stored that nobody numbers', async t => {
    const db = await database(t)
    const log = await openInstance(db, { commitTimeout: '2s', pollInterval: '1h' })
    await write(log, 0, 10)
    const restore = await backup(db)
    await write(log, 10, 20)
    await restore()
    const details: string[] = []
    const query = db.query.bind(db)
    t.mock.method(db, 'query', async (...given: Parameters<typeof query>) => {
      const answer = await query(...given)
      // Once the log has seen that its row is stored.
      if (given[0].includes('INSERT INTO audit_inbox'))
        setImmediate(() => details.push(log.health().detail ?? 'well'))
      return answer
    })
    for (let i = 20; i < 25; i++) {
      log.record(requestEvent(i))
      await until(() => details.length === i - 19)
      await until(() => log.health().ok === false)
    }
    // The first row is stored before the log has looked.
    for (const detail of details.slice(1)) assert.match(detail, /it was put back to an older state/)
    await log.close()
  })

  test('is not gone on with when it has grown other entries meanwhile', async t => {
    const db = await database(t)
    const log = await openInstance(db, { commitTimeout: '2s', pollInterval: '1h' })
    await write(log, 0, 10)
    const restore = await backup(db)
    await write(log, 10, 20)
    await restore()
    // An instance started after the restore knows no better, and signs another tree of more entries.
    const newcomer = await openInstance(db)
    await write(newcomer, 50, 80)
    await newcomer.close()
    const waiting = log.commit(requestEvent(99))
    waiting.catch(() => {})
    await until(() => log.health().ok === false)
    assert.match(
      log.health().detail ?? '',
      /first 20 entries of the audit log are not those that were signed/,
    )
    await log.close()
    await assert.rejects(waiting)
  })

  test('is not opened where an anchor remembers more, until an operator says that it is meant', async t => {
    const db = await database(t)
    let kept: string | undefined
    const anchor: Anchor = {
      name: 'memory',
      latest: async () => kept,
      push: async checkpoint => {
        kept = checkpoint
      },
    }
    const log = await openInstance(db, { anchors: [anchor] })
    await write(log, 0, 10)
    const restore = await backup(db)
    await write(log, 10, 20)
    await until(() => kept?.split('\n')[1] === '20')
    await log.close()
    await restore()
    await assert.rejects(
      openInstance(db, { anchors: [anchor] }),
      (error: unknown) => error instanceof IntegrityError && error.message.includes('rolled back'),
    )
    const accepted = await openInstance(db, { anchors: [anchor], acceptRollback: true })
    const [entry] = await collect(accepted.query({ type: 'audit.rollback.accepted' }))
    assert.equal(entry?.index, 10n)
    await accepted.close()
  })
})

describe('an instance', () => {
  test('and another, stepping at the same time, give no number out twice', async t => {
    const db = await database(t)
    const log = await openInstance(db, { pollInterval: '1h' })
    const { rows } = await db.query<{ search_key: Buffer }>('SELECT search_key FROM audit_state')
    const sequencers = ['one', 'two', 'three'].map(
      holder =>
        new Sequencer({
          database: db,
          origin,
          signers: [parseSignerKey(pair.signerKey)],
          verifiers: [parseVerifierKey(pair.verifierKey)],
          clock: systemClock,
          random: systemRandom,
          holder,
          searchKey: rows[0]?.search_key ?? new Uint8Array(0),
        }),
    )
    const numbers: number[] = []
    for (let round = 0; round < 30; round++) {
      await db.transaction(async tx => {
        for (let i = 0; i < 5; i++) await log.appendIn(tx, requestEvent(round * 5 + i))
      })
      for (const done of await Promise.all(sequencers.map(sequencer => sequencer.step())))
        numbers.push(...done.map(({ index }) => index))
    }
    for (const sequencer of sequencers)
      for (let done = await sequencer.step(); done.length > 0; done = await sequencer.step())
        numbers.push(...done.map(({ index }) => index))
    assert.deepEqual(
      numbers.sort((a, b) => a - b),
      Array.from({ length: 150 }, (_, i) => i),
    )
    assert.deepEqual((await verifyStore(log.reader.store, { verifierKeys })).problems, [])
    await log.close()
  })

  test('with a retired key enters and signs nothing, and says how keys are rotated', async t => {
    const db = await database(t)
    const fresh = generateNoteKey(origin)
    // None of the three polls: who asks for an entry is then the one that enters and signs it.
    const pollInterval = '1h'
    const old = await openInstance(db, { pollInterval })
    await write(old, 0, 5)
    const both = await openInstance(db, { signerKeys: [fresh.signerKey, pair.signerKey], pollInterval })
    await write(both, 5, 10)
    // While both sign, who has the old key alone goes on.
    assert.equal((await old.commit(requestEvent(10))).index, 10n)
    await old.checkpoint()
    await write(both, 11, 15)
    await both.close()
    const renewed = await openInstance(db, { signerKeys: [fresh.signerKey], pollInterval })
    await write(renewed, 15, 20)
    const term = async (): Promise<string> =>
      (await db.query<{ term: string }>('SELECT term::text FROM audit_state')).rows[0]?.term ?? ''
    const before = await term()
    const waiting = old.commit(requestEvent(20))
    waiting.catch(() => {})
    await until(() => old.health().ok === false)
    assert.match(old.health().detail ?? '', /not signed with the keys of this instance.*to rotate keys/)
    assert.equal(await term(), before)
    await assert.rejects(openInstance(db), IntegrityError)
    const named = await renewed.reader.verifierKeys()
    assert.deepEqual(named, [pair.verifierKey, fresh.verifierKey])
    assert.deepEqual(
      (await verifyStore(renewed.reader.store, { verifierKeys: [fresh.verifierKey] })).problems,
      [],
    )
    await old.close()
    // What it could not enter waits for one who can.
    await renewed.checkpoint()
    assert.equal((await collect(renewed.query({}))).length, 21)
    await renewed.close()
  })
})

describe('the inbox', () => {
  test('takes anything, and nothing that it takes stops what comes behind', async t => {
    const db = await database(t)
    const log = await openInstance(db, { pollInterval: '1h' })
    const event = (changes: object): string => JSON.stringify({ type: 'x', time: 1, actor: {}, ...changes })
    const rows: readonly (readonly [string, string])[] = [
      ['event', 'not JSON'],
      ['event', 'null'],
      ['event', '[]'],
      ['event', '{}'],
      ['event', event({ type: 7 })],
      ['event', event({ time: null })],
      ['event', event({ time: '2026-01-01T00:00:00Z' })],
      ['event', event({ actor: 'alice' })],
      ['event', event({ actor: { tenant: { a: 1 } } })],
      ['event', event({ actor: { address: 7 } })],
      ['event', event({ request: { id: 1 } })],
      ['event', event({ resource: 'order' })],
      ['event', event({ reasons: [null] })],
      ['erasure', 'x'],
      ['erasure', '{"key":"no such key","tenant":"","time":1}'],
      ['erasure', '{"key":"00000000000000000000000000000000","tenant":"","time":null}'],
      ['event', event({ action: 'a\0b', resource: { type: 'r\0', id: '\0' }, type: 't\0' })],
      ['event', event({ action: 'a'.repeat(9_000), actor: { tenant: 't'.repeat(9_000) } })],
      ['event', event({ actor: { tenant: 't'.repeat(9_000) } })],
      ['event', event({ actor: { tenant: 'nul\0', principal: 'p\0', address: '\0' } })],
      ['event', event({ data: { text: '\ud800 alone' } })],
      ['event', event({ data: { text: 'x'.repeat(60_000) } })],
      ['event', event({ type: 'audit.subject.erased', data: { key: '0'.repeat(32) } })],
      ['event', event({ __proto__: null, toString: 1 })],
    ]
    for (const [kind, text] of rows)
      await db.query('INSERT INTO audit_inbox (kind, event) VALUES ($1, $2)', [kind, text])
    await assert.rejects(
      db.query('INSERT INTO audit_inbox (event) VALUES ($1)', [
        event({ data: { text: 'x'.repeat(70_000) } }),
      ]),
      (error: unknown) => error instanceof PostgresError && error.constraint === 'audit_inbox_event_size',
    )
    await log.commit(requestEvent(1))
    const entries = await collect(log.query({ order: 'oldest' }))
    assert.equal(entries.length, rows.length + 1)
    assert.equal(entries.filter(entry => entry.event.type === UNREADABLE).length, 17)
    assert.match(String(entries[6]?.event.data?.['problem']), /time is not a number of milliseconds/)
    assert.equal((await collect(log.query({ action: 'a\0b' }))).length, 1)
    const tenant = await collect(log.query({ tenant: 't'.repeat(9_000), order: 'oldest' }))
    assert.deepEqual(
      tenant.map(({ number }) => number),
      [1, 2],
    )
    assert.deepEqual((await verifyStore(log.reader.store, { verifierKeys })).problems, [])
    await log.close()
  })

  test('keeps tenants apart whose names are one in UTF-8, in one batch and after each other', async t => {
    const db = await database(t)
    const log = await openInstance(db, { commitTimeout: '5s' })
    const stored = `a\ufffd... sha256 ${createHash('sha256').update('a\0').digest('hex')}`
    const tenants = ['a\0', 'a\ufffd', 'a\ud800', 'a\ud801', 'a\udfff', stored]
    const commitAll = (): Promise<unknown> =>
      Promise.all(
        tenants.map((tenant, i) => log.commit(requestEvent(i, { actor: { principal: 'p', tenant } }))),
      )
    await commitAll()
    await commitAll()
    for (const tenant of tenants) await log.commit(requestEvent(9, { actor: { principal: 'p', tenant } }))
    await log.checkpoint()
    assert.deepEqual((await verifyStore(log.reader.store, { verifierKeys })).problems, [])
    for (const tenant of tenants) {
      const found = await collect(log.query({ tenant, order: 'oldest' }))
      assert.deepEqual(
        found.map(entry => [entry.tenant, entry.number]),
        [1, 2, 3].map(number => [tenant, number]),
      )
    }
    assert.deepEqual(await rebuildPostgresIndex(db), { size: 18, identical: true })
    await log.close()
  })

  test('is not stopped by a row that the database refuses for a reason nobody foresaw', async t => {
    const db = await database(t)
    const log = await openInstance(db, { pollInterval: '1h' })
    await db.query(`ALTER TABLE audit_entries ADD CONSTRAINT unforeseen CHECK (type <> 'poison')`)
    await db.transaction(async tx => {
      for (const type of ['a', 'poison', 'b', 'poison', 'c'])
        await log.appendIn(tx, { type, time: 1, actor: {} })
    })
    await log.commit({ type: 'last', time: 1, actor: {} })
    assert.deepEqual(
      (await collect(log.query({ order: 'oldest' }))).map(({ event }) => event.type),
      ['a', UNREADABLE, 'b', UNREADABLE, 'c', 'last'],
    )
    await log.close()
  })

  test('gives numbers out again after a restore, and no entry is refused for it', async t => {
    const db = await database(t)
    const log = await openInstance(db)
    await write(log, 0, 5)
    await db.query('ALTER SEQUENCE audit_inbox_id_seq RESTART')
    await write(log, 5, 10)
    assert.equal((await collect(log.query({}))).length, 10)
    await log.close()
  })

  test('is not replaced by what somebody left in the session of the application', async t => {
    const db = await database(t)
    const log = await openInstance(db)
    const shadows = [
      'CREATE TEMP TABLE audit_inbox (event text)',
      'CREATE TEMP VIEW audit_inbox AS SELECT 1 AS n; CREATE RULE r AS ON INSERT TO audit_inbox DO INSTEAD NOTHING',
      'CREATE SCHEMA own; CREATE TABLE own.audit_inbox (event text); SET LOCAL search_path = own, public',
    ]
    for (const [index, shadow] of shadows.entries())
      await db.transaction(async tx => {
        for (const sql of shadow.split('; ')) await tx.query(sql)
        await log.appendIn(tx, requestEvent(index + 1))
        if (index < 2) await tx.query(`DROP ${index === 0 ? 'TABLE' : 'VIEW'} pg_temp.audit_inbox`)
      })
    await log.checkpoint()
    assert.equal((await collect(log.query({}))).length, shadows.length)
    await log.close()
  })

  test('can be opened to an application without letting it read, erase or remove', async t => {
    const db = await database(t)
    const log = await openInstance(db)
    const role = `app_${process.pid}`
    await db.query(`CREATE ROLE ${role}`)
    await db.query(`GRANT INSERT (event) ON audit_inbox TO ${role}`)
    await db.query(`GRANT USAGE ON SEQUENCE audit_inbox_id_seq TO ${role}`)
    const as = (sql: string): Promise<unknown> =>
      db.transaction(async tx => {
        await tx.query(`SET LOCAL ROLE ${role}`)
        await tx.query(sql)
      })
    await db.transaction(async tx => {
      await tx.query(`SET LOCAL ROLE ${role}`)
      await log.appendIn(tx, requestEvent(1))
    })
    await log.checkpoint()
    assert.equal((await collect(log.query({}))).length, 1)
    const refused: string[] = []
    const attempts = [
      `INSERT INTO audit_inbox (kind, event) VALUES ('erasure', '{}')`,
      `INSERT INTO audit_inbox (id, event) VALUES (1, '{}')`,
      `INSERT INTO audit_inbox (writer, event) VALUES ('postgres', '{}')`,
      'SELECT * FROM audit_inbox',
      'DELETE FROM audit_inbox',
      'SELECT * FROM audit_subjects',
      'UPDATE audit_state SET size = 0',
    ]
    for (const sql of attempts)
      await as(sql).catch((error: unknown) => {
        if (error instanceof PostgresError && error.state === '42501') refused.push(sql)
      })
    await db.query(`DROP OWNED BY ${role}`)
    await db.query(`DROP ROLE ${role}`)
    assert.deepEqual(refused, attempts)
    await log.close()
  })

  test('enters its own rows beside those that an application has put in front of them, and those beside its own', async t => {
    const db = await database(t)
    const log = await openInstance(db, { pollInterval: '1h' })
    const role = `flood_${process.pid}`
    await db.query(`CREATE ROLE ${role}`)
    await db.query(`GRANT INSERT (event) ON audit_inbox TO ${role}`)
    await db.query(`GRANT USAGE ON SEQUENCE audit_inbox_id_seq TO ${role}`)
    const insert = (rows: number, id: string): Promise<unknown> =>
      db.transaction(async tx => {
        await tx.query(`SET LOCAL ROLE ${role}`)
        const event = JSON.stringify({ ...requestEvent(1), type: id })
        await tx.query('INSERT INTO audit_inbox (event) SELECT $1 FROM generate_series(1, $2)', [event, rows])
      })
    await insert(5_000, 'flood')
    assert.equal((await db.query('SELECT FROM audit_inbox')).rowCount, 5_000)
    const { index } = await log.commit(requestEvent(2))
    assert.ok(index < 2_000n, `entered as ${index}`)
    await log.checkpoint()
    await insert(1, 'late')
    const own = await Promise.all(Array.from({ length: 3_000 }, (_, i) => log.commit(requestEvent(i))))
    assert.equal(own.length, 3_000)
    await log.checkpoint()
    const { rows } = await db.query<{ idx: string }>(
      "SELECT idx::text FROM audit_entries WHERE type = 'late'",
    )
    assert.ok(Number(rows[0]?.idx) < 5_001 + 2_000, `entered as ${rows[0]?.idx}`)
    await db.query(`DROP OWNED BY ${role}`)
    await db.query(`DROP ROLE ${role}`)
    await log.close()
  })

  test('goes on while a role that may only connect holds the lock that instances once took turns by', async t => {
    const db = await database(t)
    const log = await openInstance(db, { commitTimeout: '2s' })
    const { index } = await db.transaction(async tx => {
      await tx.query('SET LOCAL ROLE pg_monitor')
      await tx.query('SELECT pg_advisory_xact_lock($1)', [0x706f737461756469n.toString()])
      return await log.commit(requestEvent(1))
    })
    assert.equal(index, 0n)
    await log.close()
  })

  test('shows in health when an instance has the state and enters nothing', async t => {
    const db = await database(t)
    const log = await openInstance(db, { commitTimeout: '100ms' })
    await db.transaction(async tx => {
      await tx.query('SELECT FROM audit_state FOR UPDATE')
      log.record(requestEvent(1))
      await until(() => !log.health().ok)
      assert.match(log.health().detail ?? '', /another instance has begun to number entries and does not end/)
    })
    await until(() => log.health().ok)
    assert.equal((await collect(log.query({}))).length, 1)
    await log.close()
  })

  test('that drops events by a trigger or a rule acknowledges none of them', async t => {
    for (const drop of [
      `CREATE FUNCTION drop_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         RETURN CASE WHEN NEW.event LIKE '%r2%' THEN NULL ELSE NEW END; END $$;
       CREATE TRIGGER drops BEFORE INSERT ON audit_inbox FOR EACH ROW EXECUTE FUNCTION drop_it()`,
      `CREATE RULE drops AS ON INSERT TO audit_inbox WHERE NEW.event LIKE '%r2%' DO INSTEAD NOTHING`,
    ]) {
      const db = await database(t)
      const log = await openInstance(db, { commitTimeout: '1s' })
      await db.query(drop)
      const event = { ...requestEvent(2), action: 'r2' }
      const outcomes = await Promise.allSettled([log.commit(event), log.commit(requestEvent(3))])
      assert.equal(outcomes[0]?.status, 'rejected', drop)
      await assert.rejects(
        db.transaction(tx => log.appendIn(tx, event)),
        StoreError,
        drop,
      )
      await log.close()
    }
  })
})

test('a log in PostgreSQL runs no operator of whoever may create in the schema of its tables', async t => {
  const db = await database(t)
  await db.query(HOSTILE_OPERATORS)
  const log = await openInstance(db, { forgetAnonymousAfter: '30d' })
  await log.commit({ ...requestEvent(1), actor: { principal: 'alice', address: '192.0.2.1' } })
  const cursor = log.cursor('shipper')
  assert.equal(await cursor.take(), 0n)
  await cursor.advance(1n)
  assert.equal((await collect(log.query({ principal: 'alice', address: '192.0.2.1' }))).length, 1)
  await log.eraseSubject('alice')
  assert.deepEqual((await verifyStore(log.reader.store, { verifierKeys })).problems, [])
  await log.close()
})
