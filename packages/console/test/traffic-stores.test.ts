import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { connectPostgres, type PostgresDatabase } from '@postern/store'
import { freshDatabase } from '../../../test/services.ts'
import { until } from '../../../test/until.ts'
import { InstanceBoard, OthersFeed, PostgresTraffic, SqliteTraffic, TrafficRecorder } from '../src/index.ts'
import { POSTGRES_TRAFFIC } from '../src/traffic/postgres-traffic.sql.ts'
import type { PagedRequest } from '../src/traffic/request-page.ts'
import type { StoredEvent } from '../src/traffic/traffic-event.ts'
import type { TrafficCount, TrafficStore } from '../src/traffic/traffic-store.ts'
import { kept, NOW, refusal, request } from './support/events.ts'

const DAY = 86_400_000

/** Opens an empty store of one kind. */
type Open = (t: TestContext, maxSize?: number) => Promise<TrafficStore>

const sqlite: Open = async (t, maxSize = 1e9) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-traffic-'))
  const traffic = SqliteTraffic.open({ directory, keep: 7 * DAY, maxSize })
  t.after(async () => {
    await traffic.close()
    rmSync(directory, { recursive: true })
  })
  return traffic
}

async function database(t: TestContext): Promise<PostgresDatabase> {
  const opened = connectPostgres({ url: await freshDatabase(t), max: 4 })
  t.after(() => opened.close())
  return opened
}

const postgres: Open = async (t, maxSize = 1e9) =>
  new PostgresTraffic({ database: await database(t), instance: 'one', keep: 7 * DAY, maxSize })

const count = (change: Partial<TrafficCount>): TrafficCount => ({
  minute: Math.floor(NOW / 60_000),
  verdict: 'allow',
  route: '',
  rule: '',
  requests: 1,
  layer: 1,
  total: 2,
  ...change,
})

async function requestsOf(traffic: TrafficStore, from: number): Promise<readonly PagedRequest[]> {
  const seen: PagedRequest[] = []
  for await (const page of traffic.pages(from, 'whole')) {
    const rows = await page.open(row => (page.head.times[row] ?? 0) >= from)
    seen.push(...rows.flatMap(row => row ?? []))
  }
  return seen
}

for (const [name, open] of Object.entries({ SQLite: sqlite, PostgreSQL: postgres })) {
  describe(`kept traffic in ${name}`, () => {
    test('is found by what people ask for, newest first', async t => {
      const traffic = await open(t)
      await traffic.write([kept(request(1)), kept(refusal(2)), kept(refusal(3), 1)], [])
      const ids = async (
        query: Parameters<TrafficStore['find']>[0],
      ): Promise<readonly (string | undefined)[]> =>
        (await traffic.find(query)).map(({ event }) => event.request?.id.slice(-1))
      assert.deepEqual(await ids({ limit: 10 }), ['3', '2', '1'])
      assert.deepEqual(await ids({ limit: 1 }), ['3'])
      assert.deepEqual(await ids({ limit: 10, verdicts: ['deny', 'throttle'] }), ['3', '2'])
      assert.deepEqual(await ids({ limit: 10, verdicts: ['allow'] }), ['1'])
      const [newest] = await traffic.find({ limit: 1 })
      assert.deepEqual(await ids({ limit: 10, rule: 'inspect/sqli/union', before: newest?.id ?? 0 }), ['2'])
      assert.deepEqual(await ids({ limit: 10, address: '203.0.113.9', from: NOW + 3 }), ['3'])
      assert.deepEqual(await ids({ limit: 10, principal: 'alice' }), ['3', '2', '1'])
      assert.deepEqual(await ids({ limit: 10, principal: '203.0.113.9' }), [])
      assert.deepEqual(await ids({ limit: 10, address: '203.0.113.8' }), [])
      assert.deepEqual(await ids({ limit: 10, type: 'finding' }), [])
      const [whole] = await traffic.ofRequest('r0000000000000000002')
      assert.deepEqual(whole?.event, refusal(2))
    })

    test('is gone through in its order, on pages and off them, since a time', async t => {
      const traffic = await open(t)
      const write = (from: number, count: number): Promise<void> =>
        traffic.write(
          Array.from({ length: count }, (_, i) => kept(request(from + i))),
          [],
        )
      await write(0, 2_100)
      await traffic.write([kept({ type: 'finding', time: NOW + 2_100, actor: {} })], [])
      await write(2_100, 40)
      const seen = await requestsOf(traffic, NOW + 5)
      assert.deepEqual(
        seen.map(({ time }) => time - NOW),
        Array.from({ length: 2_135 }, (_, i) => i + 5),
      )
      const [{ id: _, ...first }] = seen as [PagedRequest]
      assert.deepEqual(first, {
        time: NOW + 5,
        weight: 1,
        refused: false,
        outcome: { status: 200, duration: 4, bytes: 10 },
        method: 'GET',
        host: 'shop.example',
        path: '/private/path',
        query: 'name=private-query',
        address: '203.0.113.9',
        agent: 'secret-agent/7',
        principal: { kind: 'user', id: 'alice' },
        request: 'r0000000000000000005',
      })
      assert.equal(await traffic.requestsFrom(NOW + 5), 2_135)
      const heads: number[] = []
      for await (const { head } of traffic.pages(NOW + 5, 'heads'))
        heads.push(...Array.from(head.times).filter(time => time >= NOW + 5))
      assert.equal(heads.length, 2_135)
    })

    test('what was erased is on its pages without what identifies anybody', async t => {
      const traffic = await open(t)
      await traffic.write(
        Array.from({ length: 2_100 }, (_, i) =>
          kept(request(i, { actor: { address: '203.0.113.9', principal: i % 2 === 0 ? 'alice' : 'bob' } })),
        ),
        [],
      )
      await traffic.erase('alice', '')
      const seen = await requestsOf(traffic, 0)
      assert.equal(seen.length, 1_050)
      assert.ok(seen.every(({ principal }) => principal?.id === 'bob'))
    })

    test('counts add up by minute, and by hour and country', async t => {
      const traffic = await open(t)
      const place = { hour: Math.floor(NOW / 3_600_000), country: 'DE', requests: 2, refused: 1 }
      await traffic.write([], [count({}), count({ verdict: 'deny', rule: 'r' })], [place])
      await traffic.write([], [count({ requests: 4 })], [place, { ...place, country: '', refused: 0 }])
      const counts = await traffic.counts(NOW)
      assert.deepEqual(counts.map(({ verdict, requests, total }) => [verdict, requests, total]).sort(), [
        ['allow', 5, 4],
        ['deny', 1, 2],
      ])
      assert.deepEqual(await traffic.places(NOW), [
        { ...place, country: '', refused: 0 },
        { ...place, requests: 4, refused: 2 },
      ])
      assert.deepEqual(await traffic.places(NOW + 3_600_000), [])
    })

    test('a refusal is marked once, and the mark is taken away', async t => {
      const traffic = await open(t)
      const mark = { request: 'r1', rule: 'a', time: NOW, operator: 'ann', note: 'a search' }
      await traffic.mark(mark)
      await traffic.mark({ ...mark, note: 'a better note' })
      await traffic.mark({ ...mark, request: 'r2', time: NOW + 1 })
      assert.deepEqual(
        (await traffic.marks()).map(({ request: id, note }) => [id, note]),
        [
          ['r2', 'a search'],
          ['r1', 'a better note'],
        ],
      )
      assert.deepEqual([await traffic.unmark('r1'), await traffic.unmark('r1')], [true, false])
      assert.equal((await traffic.marks()).length, 1)
    })

    test('an erased principal is gone from it, and what was done stays', async t => {
      const traffic = await open(t)
      await traffic.write([kept(refusal(1)), kept({ ...refusal(2), actor: { principal: 'bob' } })], [])
      await traffic.erase('alice', '')
      const [bob, alice] = await traffic.find({ limit: 2 })
      assert.equal(bob?.event.actor.principal, 'bob')
      assert.equal(alice?.erased, true)
      assert.equal(JSON.stringify(alice?.event).includes('203.0.113.9'), false)
      assert.equal(alice?.event.reasons?.[0]?.rule, 'inspect/sqli/union')
    })

    test('attack: who was erased cannot be looked up by the name or the address that one remembers', async t => {
      const traffic = await open(t)
      const other = { ...refusal(2), actor: { principal: 'alice', tenant: 'acme', address: '198.51.100.1' } }
      await traffic.write([kept(refusal(1)), kept(other)], [])
      await traffic.erase('alice', '')
      assert.deepEqual(await traffic.find({ limit: 5, address: '203.0.113.9' }), [])
      const found = await traffic.find({ limit: 5, principal: 'alice' })
      assert.deepEqual(
        found.map(({ event }) => event.actor.tenant),
        ['acme'],
      )
      assert.equal((await traffic.refusedActors(0, 5)).length, 1)
      assert.equal((await traffic.find({ limit: 5 })).length, 2, 'what was done stays')
    })

    test('attack: what waits to be written when somebody is erased is not readable afterwards', async t => {
      const traffic = await open(t)
      const recorder = new TrafficRecorder({
        store: traffic,
        clock: new VirtualClock(NOW),
        samplesPerSecond: 10,
      })
      t.after(() => recorder.close())
      recorder.take(refusal(1))
      await recorder.flush()
      recorder.take(refusal(2))
      recorder.take({ ...refusal(3), actor: { principal: 'bob' } })
      await recorder.erase('alice', '')
      recorder.take({ ...refusal(4), actor: { principal: 'bob' } })
      await recorder.flush()
      const events = await traffic.find({ limit: 10 })
      assert.equal(events.length, 4)
      assert.equal(JSON.stringify(events).includes('alice'), false)
    })

    test('ends by age, counts included', async t => {
      const traffic = await open(t)
      const later = NOW + 2 * DAY
      const place = { country: '', requests: 1, refused: 0 }
      await traffic.write(
        [kept(request(1)), kept(request(2 * DAY))],
        [count({}), count({ minute: Math.floor(later / 60_000) })],
        [
          { ...place, hour: Math.floor(NOW / 3_600_000) },
          { ...place, hour: Math.floor(later / 3_600_000) },
        ],
      )
      await traffic.prune(NOW + 8 * DAY)
      assert.equal((await traffic.size()).events, 1)
      assert.equal((await traffic.counts(0)).length, 1)
      assert.equal((await traffic.places(0)).length, 1)
    })

    test('beyond its size plain allowed requests go before refused ones', async t => {
      const traffic = await open(t, 400_000)
      const events = Array.from({ length: 2_400 }, (_, i) => kept(i % 12 === 0 ? refusal(i) : request(i)))
      await traffic.write(events, [])
      await traffic.prune(NOW)
      const left = await traffic.find({ limit: 1_000 })
      assert.equal(left.filter(({ event }) => event.decision === 'deny').length, 200)
      assert.ok(left.length < 1_000, String(left.length))
      assert.ok((await traffic.size()).bytes <= 400_000)
    })

    test('the addresses that most was refused to come first', async t => {
      const traffic = await open(t)
      const from = (address: string, number: number): ReturnType<typeof kept> =>
        kept({ ...refusal(number), actor: { address } })
      await traffic.write([from('192.0.2.1', 1), from('192.0.2.2', 2), from('192.0.2.2', 3)], [])
      assert.deepEqual(
        (await traffic.refusedActors(NOW, 5)).map(({ requests, last }) => [
          requests,
          last.event.actor.address,
        ]),
        [
          [2, '192.0.2.2'],
          [1, '192.0.2.1'],
        ],
      )
    })
  })
}

describe('several instances on one PostgreSQL', () => {
  const pair = async (
    t: TestContext,
  ): Promise<{
    readonly one: PostgresTraffic
    readonly two: PostgresTraffic
    readonly shared: PostgresDatabase
  }> => {
    const shared = await database(t)
    const open = (instance: string): PostgresTraffic =>
      new PostgresTraffic({ database: shared, instance, keep: 7 * DAY, maxSize: 1e9 })
    return { one: open('one'), two: open('two'), shared }
  }

  test('each reads what the other kept, and whose it is', async t => {
    const { one, two } = await pair(t)
    await Promise.all([
      one.write([kept(request(1))], [count({})], []),
      two.write([kept(refusal(2))], [count({})], []),
    ])
    const all = await one.find({ limit: 10 })
    assert.deepEqual(all.map(({ instance }) => instance).sort(), ['one', 'two'])
    assert.ok(all.every(({ event }) => event.actor.principal === 'alice'))
    assert.deepEqual(
      (await one.find({ limit: 10, instance: 'two' })).map(({ event }) => event.decision),
      ['deny'],
    )
    assert.equal((await two.counts(NOW))[0]?.requests, 2)
  })

  test('an erasure on one holds on the other at once', async t => {
    const { one, two } = await pair(t)
    await one.write([kept(refusal(1))], [])
    assert.equal((await two.find({ limit: 1 }))[0]?.erased, false)
    await one.erase('alice', '')
    assert.equal((await two.find({ limit: 1 }))[0]?.erased, true)
  })

  test('writes at the same time lose no count and no number', async t => {
    const { one, two } = await pair(t)
    const batch = (start: number): ReturnType<typeof kept>[] =>
      Array.from({ length: 20 }, (_, i) => kept(request(start + i)))
    await Promise.all(
      [0, 1, 2, 3, 4].flatMap(round => [
        one.write(batch(round * 100), [count({}), count({ route: 'b' })]),
        two.write(batch(round * 100 + 50), [count({ route: 'b' }), count({})]),
      ]),
    )
    const events = await one.find({ limit: 1_000 })
    assert.equal(new Set(events.map(({ id }) => id)).size, 200)
    assert.deepEqual(
      (await one.counts(0)).map(({ requests }) => requests),
      [10, 10],
    )
  })

  test('the database holds nothing personal in the clear but the keys', async t => {
    const { one, shared } = await pair(t)
    await one.write([kept(refusal(1))], [])
    const { rows } = await shared.query('SELECT * FROM postern_traffic')
    const text = JSON.stringify(rows)
    assert.ok(text.includes('inspect/sqli/union'))
    for (const secret of [
      '203.0.113.9',
      'alice',
      'secret-agent',
      'private/path',
      'private-query',
      'private-evidence',
    ])
      assert.equal(text.includes(secret), false, secret)
  })

  test('a box that was moved to another row does not open', async t => {
    const { one, shared } = await pair(t)
    await one.write([kept(request(1)), kept(request(2))], [])
    await shared.query(
      'UPDATE postern_traffic SET box = (SELECT box FROM postern_traffic ORDER BY id LIMIT 1) WHERE id = (SELECT max(id) FROM postern_traffic)',
    )
    await assert.rejects(one.find({ limit: 1 }), { code: 'POSTERN_INTEGRITY' })
  })

  test('live events of the other arrive once each, while somebody watches', async t => {
    const { one, two } = await pair(t)
    await two.write([kept(request(1))], [])
    let isWatched = false
    const seen: StoredEvent[] = []
    const feed = new OthersFeed({
      traffic: one,
      isWatched: () => isWatched,
      onEvent: event => seen.push(event),
    })
    t.after(() => feed.close())
    await feed.ask()
    isWatched = true
    await until(async () => {
      await feed.ask()
      await two.write([kept(request(2 + seen.length))], [])
      return seen.length >= 3
    })
    await one.write([kept(request(99))], [])
    await feed.ask()
    assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length)
    assert.ok(seen.every(({ instance, event }) => instance === 'two' && event.time > NOW + 1))
  })

  test('instances know each other, and whether the same configuration holds', async t => {
    const { one, two } = await pair(t)
    const clock = new VirtualClock(NOW)
    const board = (table: PostgresTraffic, name: string, configuration: string): InstanceBoard =>
      new InstanceBoard({
        table,
        clock,
        own: () => ({ name, gateway: 'http://127.0.0.1', version: '1', configuration, startedAt: NOW }),
      })
    const first = board(one, 'one', 'a')
    const second = board(two, 'two', 'b')
    t.after(() => first.close())
    await first.report()
    await second.report()
    assert.deepEqual(
      (await first.list()).map(({ name, configuration }) => [name, configuration]),
      [
        ['one', 'a'],
        ['two', 'b'],
      ],
    )
    await second.close()
    assert.deepEqual(
      (await first.list()).map(({ name }) => name),
      ['one'],
    )
    await two.report({
      name: 'hung',
      gateway: '',
      version: '1',
      configuration: 'a',
      startedAt: NOW,
      seenAt: NOW,
    })
    clock.advance(60_000)
    assert.deepEqual(
      (await first.list()).map(({ name }) => name),
      ['one'],
    )
  })

  test('a recorder whose database is away keeps what waits, says so, and writes it later', async t => {
    const url = new URL(await freshDatabase(t))
    const away = connectPostgres({ url: `postgres://nobody@127.0.0.1:1/none`, connectTimeout: '1s' })
    const there = connectPostgres({ url: url.href, max: 2 })
    t.after(async () => {
      await away.close()
      await there.close()
    })
    const options = { instance: 'one', keep: 7 * DAY, maxSize: 1e9 }
    const gone = new PostgresTraffic({ ...options, database: away })
    const back = new PostgresTraffic({ ...options, database: there })
    let store: TrafficStore = gone
    const recorder = new TrafficRecorder({
      store: new Proxy(gone, { get: (_, name) => Reflect.get(store, name).bind(store) }),
      clock: new VirtualClock(NOW),
      samplesPerSecond: 10,
    })
    recorder.take(refusal(1))
    await recorder.flush()
    assert.equal(recorder.health().ok, false)
    store = back
    await recorder.close()
    assert.equal(recorder.health().ok, true)
    assert.equal((await back.find({ limit: 5 })).length, 1)
    assert.equal((await back.places(0))[0]?.refused, 1)
  })
})

test('PostgreSQL: ends by age also while a role that may only connect holds advisory locks', async t => {
  const db = await database(t)
  const traffic = new PostgresTraffic({ database: db, instance: 'one', keep: 7 * DAY, maxSize: 1e9 })
  await traffic.write([kept(request(1))], [])
  await db.transaction(async tx => {
    await tx.query('SET LOCAL ROLE pg_monitor')
    await tx.query('SELECT pg_advisory_xact_lock(7060310443)')
    await traffic.prune(NOW + 8 * DAY)
  })
  assert.equal((await traffic.size()).events, 0)
})

test('PostgreSQL: one instance prunes at a time', async t => {
  const db = await database(t)
  const traffic = new PostgresTraffic({ database: db, instance: 'one', keep: 7 * DAY, maxSize: 1e9 })
  await traffic.write([kept(request(1))], [])
  await db.transaction(async tx => {
    await tx.query(POSTGRES_TRAFFIC.pruneLock)
    await traffic.prune(NOW + 8 * DAY)
  })
  assert.equal((await traffic.size()).events, 1)
  await traffic.prune(NOW + 8 * DAY)
  assert.equal((await traffic.size()).events, 0)
})
