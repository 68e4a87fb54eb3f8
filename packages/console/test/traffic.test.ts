import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type Event, VirtualClock } from '@postern/core'
import { SqliteTraffic } from '../src/index.ts'
import { TrafficCounter } from '../src/traffic/traffic-counter.ts'
import { TrafficRecorder } from '../src/traffic/traffic-recorder.ts'
import { TrafficSampler } from '../src/traffic/traffic-sampler.ts'
import type { TrafficEvent } from '../src/traffic/traffic-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-traffic-'))
after(() => rmSync(folder, { recursive: true }))

let made = 0
function freshFolder(): string {
  return mkdtempSync(join(folder, `${made++}-`))
}

const NOW = Date.UTC(2026, 0, 2)

function request(number: number, change: Partial<Event> = {}): Event {
  return {
    type: 'http',
    time: NOW + number,
    actor: { address: '203.0.113.9', principal: 'alice', agent: 'secret-agent/7' },
    request: {
      id: `r${String(number).padStart(19, '0')}`,
      method: 'GET',
      host: 'shop.example',
      path: '/private/path',
      query: 'name=private-query',
      route: 'GET /private/:x',
    },
    decision: 'allow',
    outcome: { status: 200, duration: 4, bytes: 10, aborted: false },
    ...change,
  }
}

const refusal = (number: number): Event =>
  request(number, {
    decision: 'deny',
    guard: 'inspect',
    reasons: [
      {
        rule: 'inspect/sqli/union',
        message: 'refused',
        evidence: { location: 'query.name', span: 'private-evidence' },
      },
    ],
  })

const kept = (event: Event, weight = 1): TrafficEvent => ({ event, weight, guardTimes: undefined })

const DAY = 86_400_000
const open = (directory: string, maxSize = 1e9): SqliteTraffic =>
  SqliteTraffic.open({ directory, keep: 7 * DAY, maxSize })

describe('kept traffic', () => {
  test('is found by what people ask for, newest first', async () => {
    const traffic = open(freshFolder())
    await traffic.write([kept(request(1)), kept(refusal(2)), kept(refusal(3), 1)], [])
    const ids = async (
      query: Parameters<SqliteTraffic['find']>[0],
    ): Promise<readonly (string | undefined)[]> =>
      (await traffic.find(query)).map(({ event }) => event.request?.id.slice(-1))
    assert.deepEqual(await ids({ limit: 10 }), ['3', '2', '1'])
    assert.deepEqual(await ids({ limit: 1 }), ['3'])
    assert.deepEqual(await ids({ limit: 10, verdicts: ['deny', 'throttle'] }), ['3', '2'])
    assert.deepEqual(await ids({ limit: 10, verdicts: ['allow'] }), ['1'])
    assert.deepEqual(await ids({ limit: 10, rule: 'inspect/sqli/union', before: 3 }), ['2'])
    assert.deepEqual(await ids({ limit: 10, address: '203.0.113.9', from: NOW + 3 }), ['3'])
    assert.deepEqual(await ids({ limit: 10, principal: 'alice' }), ['3', '2', '1'])
    assert.deepEqual(await ids({ limit: 10, principal: '203.0.113.9' }), [])
    assert.deepEqual(await ids({ limit: 10, address: '203.0.113.8' }), [])
    const [whole] = await traffic.ofRequest('r0000000000000000002')
    assert.deepEqual(whole?.event, refusal(2))
    await traffic.close()
  })

  test('holds nothing personal in the clear', async () => {
    const directory = freshFolder()
    const traffic = open(directory)
    await traffic.write([kept(refusal(1))], [])
    await traffic.close()
    const bytes = ['traffic.db', 'traffic.db-wal']
      .filter(name => existsSync(join(directory, name)))
      .map(name => readFileSync(join(directory, name), 'latin1'))
      .join('')
    assert.ok(bytes.includes('inspect/sqli/union'))
    for (const secret of [
      '203.0.113.9',
      'alice',
      'secret-agent',
      'private/path',
      'private-query',
      'private-evidence',
    ])
      assert.equal(bytes.includes(secret), false, secret)
  })

  test('an erased principal is gone from it, and what was done stays', async () => {
    const traffic = open(freshFolder())
    await traffic.write([kept(refusal(1)), kept({ ...refusal(2), actor: { principal: 'bob' } })], [])
    await traffic.erase('alice', '')
    const [bob, alice] = await traffic.find({ limit: 2 })
    assert.equal(bob?.event.actor.principal, 'bob')
    assert.equal(alice?.erased, true)
    assert.equal(JSON.stringify(alice?.event).includes('203.0.113.9'), false)
    assert.equal(alice?.event.reasons?.[0]?.rule, 'inspect/sqli/union')
    await traffic.close()
  })

  test('a box that was moved to another row does not open', async () => {
    const directory = freshFolder()
    const traffic = open(directory)
    await traffic.write([kept(request(1)), kept(request(2))], [])
    await traffic.close()
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(join(directory, 'traffic.db'))
    database.exec('UPDATE event SET box = (SELECT box FROM event WHERE id = 1) WHERE id = 2')
    database.close()
    const again = open(directory)
    await assert.rejects(again.find({ limit: 1 }), { code: 'POSTERN_INTEGRITY' })
    await again.close()
  })

  test('ends by age, counts included', async () => {
    const traffic = open(freshFolder())
    const count = { verdict: 'allow', route: '', rule: '', requests: 1, layer: 1, total: 2 } as const
    await traffic.write(
      [kept(request(1)), kept(request(2 * DAY))],
      [
        { ...count, minute: Math.floor(NOW / 60_000) },
        { ...count, minute: Math.floor((NOW + 2 * DAY) / 60_000) },
      ],
    )
    await traffic.prune(NOW + 8 * DAY)
    assert.equal((await traffic.size()).events, 1)
    assert.equal((await traffic.counts(0)).length, 1)
    await traffic.close()
  })

  test('beyond its size plain allowed requests go before refused ones', async () => {
    const traffic = open(freshFolder(), 400_000)
    const events = Array.from({ length: 2_400 }, (_, i) => kept(i % 12 === 0 ? refusal(i) : request(i)))
    await traffic.write(events, [])
    await traffic.prune(NOW)
    const left = await traffic.find({ limit: 1_000 })
    assert.equal(left.filter(({ event }) => event.decision === 'deny').length, 200)
    assert.ok(left.length < 1_000, String(left.length))
    assert.ok((await traffic.size()).bytes <= 400_000)
    await traffic.close()
  })

  test('numbers go on where they were after a restart', async () => {
    const directory = freshFolder()
    const first = open(directory)
    await first.write([kept(request(1))], [])
    await first.close()
    const second = open(directory)
    await second.write([kept(request(2))], [])
    assert.deepEqual(
      (await second.find({ limit: 5 })).map(({ id }) => id),
      [2, 1],
    )
    await second.close()
  })
})

describe('the recorder', () => {
  test('counts every request, keeps every refusal, and samples what is allowed', async () => {
    const traffic = open(freshFolder())
    const seen: TrafficEvent[] = []
    const recorder = new TrafficRecorder({
      store: traffic,
      clock: new VirtualClock(NOW),
      samplesPerSecond: 10,
      onEvent: event => seen.push(event),
    })
    for (let i = 0; i < 300; i++) recorder.take(request(i * 10))
    for (let i = 0; i < 50; i++) recorder.take(refusal(i * 10))
    recorder.take({ type: 'limit.refused', time: NOW, actor: {} })
    recorder.take({ type: 'finding', time: NOW, actor: {}, data: { scenario: 'x' } })
    await recorder.close()
    const counts = await traffic.counts(NOW)
    assert.equal(counts.find(({ verdict }) => verdict === 'allow')?.requests, 300)
    assert.equal(counts.find(({ verdict }) => verdict === 'deny')?.requests, 50)
    assert.equal((await traffic.find({ limit: 1_000, verdicts: ['deny'] })).length, 50)
    const allowed = await traffic.find({ limit: 1_000, verdicts: ['allow'], type: 'http' })
    assert.ok(allowed.length <= 40, String(allowed.length))
    assert.equal((await traffic.find({ limit: 5, type: 'finding' })).length, 1)
    assert.equal(seen.length, allowed.length + 51)
    await traffic.close()
  })

  test('a store that fails loses nothing until it works again, and shows in health', async () => {
    const traffic = open(freshFolder())
    let isBroken = true
    const recorder = new TrafficRecorder({
      store: Object.assign(Object.create(traffic) as SqliteTraffic, {
        write: (...rest: Parameters<SqliteTraffic['write']>) =>
          isBroken ? Promise.reject(new Error('disk full')) : traffic.write(...rest),
      }),
      clock: new VirtualClock(NOW),
      samplesPerSecond: 10,
    })
    recorder.take(refusal(1))
    await recorder.flush()
    assert.deepEqual([recorder.health().ok, recorder.health().required], [false, false])
    isBroken = false
    await recorder.close()
    assert.equal(recorder.health().ok, true)
    assert.equal((await traffic.find({ limit: 5 })).length, 1)
    assert.equal((await traffic.counts(0))[0]?.requests, 1)
    await traffic.close()
  })
})

test('samples stand for all requests together, few or many', () => {
  const sampler = new TrafficSampler(10)
  let weights = 0
  let samples = 0
  let skipped = 0
  for (const perSecond of [5, 1_000, 1_000, 100])
    for (let i = 0; i < perSecond; i++) {
      const time = 1_000 * (samples >= 0 ? [5, 1_000, 1_000, 100].indexOf(perSecond) : 0) + 5_000 + i / 1_000
      const weight = sampler.weigh(time)
      weights += weight
      if (weight > 0) samples++
      skipped = weight > 0 ? 0 : skipped + 1
    }
  assert.equal(weights + skipped, 2_105)
  assert.ok(samples <= 65, String(samples))
})

test('more series than there is room for are counted under "other"', () => {
  const counter = new TrafficCounter()
  for (let i = 0; i < 1_200; i++)
    counter.add(NOW, { verdict: 'deny', route: `GET /${i}`, rule: 'r', layer: 1, total: 1 })
  const counts = counter.drain()
  assert.equal(
    counts.reduce((sum, { requests }) => sum + requests, 0),
    1_200,
  )
  assert.equal(counts.find(({ route }) => route === 'other')?.requests, 200)
  assert.deepEqual(counter.drain(), [])
})
