import assert from 'node:assert/strict'
import { appendFileSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { type Event, type EventRequest, VirtualClock } from '@postern/core'
import { composeLeaf } from '../src/entry/compose-leaf.ts'
import { joinEvent, splitEvent } from '../src/entry/entry.ts'
import { eventText } from '../src/entry/event-text.ts'
import { fileAnchor } from '../src/index.ts'
import { FloodCounter } from '../src/log/flood.ts'
import { InboxWriter } from '../src/postgres/inbox-writer.ts'
import { freshDirectory, requestEvent } from './support/events.ts'

function request(number: number, changes: Partial<EventRequest>): EventRequest {
  return { id: `r${number}`, method: 'GET', host: 'h', path: '/', query: '', ...changes }
}

describe('a client that sends as much as it can', () => {
  test('does not hide who it is, and what it asked for, behind the size of the request', () => {
    const long = '"'.repeat(9_000)
    const event = requestEvent(1, {
      actor: { principal: 'mallory', address: '192.0.2.9', agent: long.repeat(3) },
      request: request(1, { method: 'DELETE', path: `/api/orders/7${long}`, query: long.repeat(3) }),
      decision: 'deny',
      guard: 'budget',
      reasons: [{ rule: 'budget/orders.delete', message: long, evidence: { location: long } }],
    })
    const text = eventText(event)
    assert.ok(Buffer.byteLength(text) <= 45_000)
    const kept = JSON.parse(text) as Event
    assert.deepEqual([kept.actor.principal, kept.actor.address], ['mallory', '192.0.2.9'])
    assert.equal(kept.request?.method, 'DELETE')
    assert.match(kept.request?.path ?? '', /^\/api\/orders\/7/)
    assert.deepEqual([kept.decision, kept.guard, kept.resource?.id], ['deny', 'budget', '1'])
    assert.equal(kept.reasons?.[0]?.rule, 'budget/orders.delete')
    assert.match(String(kept.data?.['sha256']), /^[0-9a-f]{64}$/)
    // The leaf fits, whatever each character takes.
    const worst = '\u0001'.repeat(60_000)
    const actor = { principal: worst, address: worst, tenant: worst, device: worst, agent: worst }
    const all = { path: worst, query: worst, host: worst, route: worst, id: worst, method: worst }
    const reasons = Array.from({ length: 12 }, () => ({ rule: worst, message: worst }))
    const largest = eventText({
      ...event,
      type: worst,
      action: worst,
      guard: worst,
      resource: { type: worst, id: worst },
      actor,
      reasons,
      request: request(1, all),
    })
    const key = { id: '00'.repeat(16), key: Buffer.alloc(32, 1) }
    const salt = new Uint8Array(12)
    const leaf = { event: JSON.parse(largest) as Event, index: 0, number: 1, origin: 'o', key, salt }
    assert.ok(composeLeaf(leaf).length <= 65_535)
  })

  test('fills no memory with refusals that are to be counted', () => {
    const emitted: Event[] = []
    const clock = new VirtualClock(0)
    const floods = new FloodCounter({ clock, each: 1, emit: event => emitted.push(event) })
    const refused = (path: string): boolean =>
      floods.admits(
        requestEvent(1, { decision: 'deny', guard: 'inspect', request: request(1, { path, query: path }) }),
      )
    refused('/first')
    refused('/first')
    for (let number = 0; number < 3_000; number++) refused(`/${number}/${'x'.repeat(16_000)}`)
    assert.deepEqual(
      emitted.map(({ data }) => data?.['paths']),
      [['/first']],
      'the oldest are entered early',
    )
    assert.ok(floods.held <= 16 << 20)
  })

  test('leaves no long paths in the entry that counts them', () => {
    const emitted: Event[] = []
    const floods = new FloodCounter({
      clock: new VirtualClock(0),
      each: 1,
      emit: event => emitted.push(event),
    })
    for (let number = 0; number < 20; number++)
      floods.admits(
        requestEvent(1, {
          decision: 'throttle',
          guard: 'limit',
          request: request(number, { route: '/**', path: `/${number}/${'x'.repeat(9_000)}` }),
        }),
      )
    floods.flush()
    const kept = JSON.parse(eventText(emitted[0] as Event)) as Event
    assert.equal(kept.data?.['count'], 19, 'the count was replaced by a hash')
  })

  test('cannot fill memory with what waits while PostgreSQL is away', async () => {
    const writer = new InboxWriter({
      database: { query: () => new Promise<never>(() => {}) },
      clock: new VirtualClock(0),
      maxWaiting: 16_384,
      onStored: () => {},
      onResult: () => {},
      onAttempt: () => {},
    })
    const event = requestEvent(1, { data: { body: 'x'.repeat(40_000) } })
    for (let number = 0; number < 4_000; number++) writer.offer(event)
    assert.ok(writer.waiting * 40_000 < 80e6, `${writer.waiting} wait`)
    assert.equal(writer.lost + writer.waiting, 4_000)
    await Promise.resolve()
  })
})

describe('a request whose sender has no address', () => {
  test('is sealed as any other: its path and query were sent by somebody', () => {
    const event = requestEvent(1, {
      actor: {},
      request: request(1, { path: '/reset/alice', query: 'email=alice%40example.com' }),
      reasons: [{ rule: 'r', message: 'm', evidence: { location: 'query.email', span: 'alice' } }],
    })
    const { open, personal, subject } = splitEvent(event)
    assert.ok(!JSON.stringify(open).includes('alice'))
    assert.deepEqual(joinEvent(open, personal ?? {}), event)
    assert.equal(subject?.day, '2026-01-01')
  })
})

describe('an anchor in a file', () => {
  const checkpoint = (size: number): string => `shop/audit\n${size}\nroot\n\n— shop/audit signature\n`

  test('still gives its last checkpoint after a push that a crash tore', async () => {
    const path = `${freshDirectory()}-torn`
    const anchor = fileAnchor(path)
    await anchor.push(checkpoint(1))
    appendFileSync(path, checkpoint(2).slice(0, 15))
    assert.equal(await anchor.latest(), checkpoint(1))
    await anchor.push(checkpoint(3))
    assert.equal(await anchor.latest(), checkpoint(3))
    // Torn inside the dashes.
    appendFileSync(path, `${checkpoint(4)}--`)
    await anchor.push(checkpoint(5))
    assert.equal(await anchor.latest(), checkpoint(5))
  })

  test('reads the end of it only: a checkpoint a second makes gigabytes a year', async () => {
    const path = `${freshDirectory()}-long`
    writeFileSync(path, '')
    // Without blocks on the disk.
    truncateSync(path, 3 * 2 ** 30)
    const anchor = fileAnchor(path)
    await anchor.push(checkpoint(9))
    assert.equal(await anchor.latest(), checkpoint(9))
  })
})
