import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, test } from 'node:test'
import { VirtualClock } from '@postern/core'
import { SqliteTraffic } from '../src/index.ts'
import { TrafficCounter } from '../src/traffic/traffic-counter.ts'
import type { TrafficEvent } from '../src/traffic/traffic-event.ts'
import { TrafficRecorder } from '../src/traffic/traffic-recorder.ts'
import { TrafficSampler } from '../src/traffic/traffic-sampler.ts'
import { kept, NOW, refusal, request } from './support/events.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-traffic-'))
after(() => rmSync(folder, { recursive: true }))

let made = 0
function freshFolder(): string {
  return mkdtempSync(join(folder, `${made++}-`))
}

const DAY = 86_400_000
const open = (directory: string): SqliteTraffic =>
  SqliteTraffic.open({ directory, keep: 7 * DAY, maxSize: 1e9 })

describe('kept traffic in a file', () => {
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

  test('what an earlier version kept, or a killed process left, is read in its order and put on pages', async () => {
    const folder = freshFolder()
    const written = open(folder)
    await written.write(
      Array.from({ length: 1_100 }, (_, i) => kept(request(i))),
      [],
    )
    // As before there were pages; the rest of the tail is lost with the process.
    const file = new DatabaseSync(join(folder, 'traffic.db'))
    file.exec('DELETE FROM page')
    const traffic = open(folder)
    await traffic.write(
      Array.from({ length: 2_100 }, (_, i) => kept(request(1_100 + i))),
      [],
    )
    const times = async (): Promise<readonly number[]> => {
      const seen: number[] = []
      for await (const page of traffic.pages(0, 'whole'))
        for (const row of await page.open(() => true)) seen.push((row?.time ?? 0) - NOW)
      return seen
    }
    const all = Array.from({ length: 3_200 }, (_, i) => i)
    const pages = (): unknown => file.prepare('SELECT count(*) AS pages FROM page').get()?.['pages']
    assert.deepEqual(await times(), all)
    assert.equal(pages(), 1)
    let packed = 0
    while (packed < 10 && (await traffic.pack())) packed++
    assert.deepEqual(await times(), all)
    assert.equal(pages(), 4)
    assert.equal(await traffic.pack(), false)
    file.close()
    await traffic.close()
  })

  test('pages of the first format are read beside those of the present one', async () => {
    const folder = freshFolder()
    const written = open(folder)
    await written.write(
      Array.from({ length: 20 }, (_, i) => kept(request(i))),
      [],
    )
    await written.close()
    // As a version before the packed format left it: a page of six requests, and the keys of two subjects.
    const { page, keys } = JSON.parse(
      readFileSync(new URL('support/json-page.json', import.meta.url), 'utf8'),
    ) as { readonly page: Record<string, string | number>; readonly keys: readonly Record<string, string>[] }
    const file = new DatabaseSync(join(folder, 'traffic.db'))
    file.exec('DELETE FROM page')
    const insert = `INSERT INTO page (${Object.keys(page)}) VALUES (${Object.keys(page).map(() => '?')})`
    file.prepare(insert).run(...Object.values(page))
    file.close()
    const subjects = new DatabaseSync(join(folder, 'traffic-keys', 'subjects.db'))
    for (const { id = '', key = '', day = null, name = '' } of keys)
      subjects
        .prepare('INSERT INTO subjects (id, key, day, name) VALUES (?, ?, ?, ?)')
        .run(id, Buffer.from(key, 'hex'), day, Buffer.from(name, 'hex'))
    subjects.close()
    const traffic = open(folder)
    const seen: object[] = []
    const heads: number[][] = []
    for await (const { head, open: openRows } of traffic.pages(0, 'whole')) {
      heads.push([head.ids.length, head.statuses[5] ?? 0, head.bytes[5] ?? 0])
      seen.push(...(await openRows(() => true)).flatMap(row => row ?? []))
    }
    await traffic.close()
    assert.deepEqual(heads[0], [6, 205, 500])
    assert.equal(seen.length, 6 + 14)
    const start = Date.UTC(2026, 0, 1)
    assert.deepEqual(seen[2], {
      id: 3,
      time: start + 2_000,
      weight: 3,
      refused: false,
      outcome: { status: 202, duration: 2.48, bytes: 200 },
      method: 'GET',
      host: 'shop.example',
      path: '/orders/2',
      query: 'q=ä€😀',
      address: '192.0.2.2',
      agent: 'agent/0',
      principal: undefined,
      request: 'b0000000000000000002',
    })
    assert.deepEqual((seen[3] as { principal: object }).principal, {
      kind: 'user',
      roles: ['support'],
      id: 'alice',
      tenant: 'acme',
    })
  })

  test('a page gives every text back, and one that was changed or moved does not open', async () => {
    const folder = freshFolder()
    const traffic = open(folder)
    const texts = ['', 'a', 'q=ä€😀&x=\u0000', '\ud800', 'x'.repeat(4_000), '__proto__', 'a']
    const events = texts.map((query, i) => {
      const plain = request(i)
      const principal = { actor: { ...plain.actor, principal: query, agent: query } }
      return kept({ ...plain, ...(i % 2 === 0 && principal), request: { ...plain.request, query } as never })
    })
    await traffic.write(events, [])
    await traffic.close()
    const again = open(folder)
    const rows = async (): Promise<readonly unknown[]> => {
      const seen: unknown[] = []
      for await (const page of again.pages(0, 'whole'))
        for (const row of await page.open(() => true)) seen.push(row?.query, row?.agent)
      return seen
    }
    // Half a surrogate pair cannot be written as UTF-8.
    const expected = texts.flatMap((query, i) => [query, i % 2 === 0 ? query : 'secret-agent/7'])
    assert.deepEqual(
      await rows(),
      expected.map(text => text.replace('\ud800', '\ufffd')),
    )
    const file = new DatabaseSync(join(folder, 'traffic.db'))
    const whole = Object.values(file.prepare('SELECT * FROM page').get() ?? {})
    const restore = file.prepare(`INSERT INTO page VALUES (${whole.map(() => '?')})`)
    for (const change of [
      'UPDATE page SET packed_head = substr(packed_head, 1, 40)',
      "UPDATE page SET packed_head = x''",
      'UPDATE page SET packed_boxes = substr(packed_boxes, 1, length(packed_boxes) - 1)',
      'UPDATE page SET first = first + 1',
    ]) {
      file.exec(change)
      await assert.rejects(rows(), { code: 'POSTERN_INTEGRITY' }, change)
      file.exec('DELETE FROM page')
      restore.run(...whole)
    }
    file.close()
    await again.close()
  })

  test('a store that fails loses nothing until it works again, and shows in health', async () => {
    const traffic = open(freshFolder())
    let isBroken = true
    const recorder = new TrafficRecorder({
      store: Object.assign(Object.create(traffic) as SqliteTraffic, {
        write: (...rest: Parameters<SqliteTraffic['write']>) =>
          isBroken ? Promise.reject(new Error('disk full')) : traffic.write(...rest),
        pack: () => traffic.pack(),
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
