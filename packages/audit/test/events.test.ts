import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConfigError, Engine, type Event, type Guard, VirtualClock } from '@postern/core'
import fc from 'fast-check'
import { composeLeaf } from '../src/entry/compose-leaf.ts'
import { joinEvent, splitEvent } from '../src/entry/entry.ts'
import { eventText } from '../src/entry/event-text.ts'
import { openEntry } from '../src/entry/open-entry.ts'
import { openAuditLog, readAuditLog, verifyDirectory } from '../src/index.ts'
import { FloodCounter } from '../src/log/flood.ts'
import { collect, freshDirectory, requestEvent } from './support/events.ts'

const refusal = (address: string, time: number): Event =>
  requestEvent(1, {
    time,
    actor: { address },
    decision: 'deny',
    guard: 'inspect',
    reasons: [{ rule: 'inspect/sqli', message: 'No.', evidence: { location: 'query.id' } }],
  })

const PATH = refusal('192.0.2.1', 0).request?.path ?? ''

function requestOf({ request }: Event): NonNullable<Event['request']> {
  assert.ok(request !== undefined)
  return request
}

describe('a flood of the same refused request', () => {
  test('is entered a few times and then counted, one entry a window', () => {
    const clock = new VirtualClock(0)
    const emitted: Event[] = []
    const floods = new FloodCounter({ clock, each: 3, window: 1_000, emit: event => emitted.push(event) })
    const admitted = Array.from({ length: 100 }, (_, i) => floods.admits(refusal('192.0.2.1', i))).filter(
      Boolean,
    )
    assert.equal(admitted.length, 3)
    assert.equal(floods.admits(refusal('192.0.2.2', 5)), true)
    clock.advance(1_001)
    floods.tick()
    assert.deepEqual(
      emitted.map(({ type, data, guard }) => ({ type, data, guard })),
      [
        {
          type: 'audit.coalesced',
          guard: 'inspect',
          data: { of: 'http', count: 97, from: 0, to: 99, ids: emitted[0]?.data?.['ids'], paths: [PATH] },
        },
      ],
    )
    assert.equal([emitted[0]?.data?.['ids']].flat().length, 20)
    assert.equal(floods.coalesced, 97)
    assert.equal(floods.admits(refusal('192.0.2.1', 2_000)), true)
  })

  test('of requests that an engine refuses is in the log: with the first, and with the count of the rest', async () => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin: 'floods.example/log' })
    const reasons = [{ rule: 'shut/door', message: 'No.' }] as const
    const shut: Guard = {
      name: 'shut',
      failure: 'closed',
      decide: () => ({ effect: 'deny', guard: 'shut', status: 403, reasons }),
    }
    const engine = new Engine({ guards: [shut], recorder: log })
    for (let i = 0; i < 25; i++) {
      const exchange = engine.open({
        method: 'GET',
        target: '/door',
        headers: ['host', 'h'],
        peer: '192.0.2.7',
        secure: false,
        httpVersion: '1.1',
        body: undefined,
        native: undefined,
      })
      await engine.decide(exchange)
      engine.settle(exchange, { status: 403, duration: 1, bytes: 0, aborted: false })
    }
    await log.close()
    const reader = await readAuditLog(directory)
    const events = (await collect(reader.query({}))).map(({ event }) => event)
    await reader.close()
    const counted = events.filter(({ type }) => type === 'audit.coalesced')
    assert.deepEqual(
      counted.map(({ actor, request, decision, data }) => [
        actor.address,
        request?.path,
        decision,
        data?.['count'],
      ]),
      [['192.0.2.7', '/door', 'deny', 15]],
    )
    assert.equal(events.filter(({ type }) => type === 'http').length, 10)
    assert.equal(log.counts().lost, 0)
  })

  const different: readonly (readonly [string, (event: Event) => Event])[] = [
    ['another path', event => ({ ...event, request: { ...requestOf(event), path: '/admin/export' } })],
    ['another method', event => ({ ...event, request: { ...requestOf(event), method: 'PUT' } })],
    ['another action', event => ({ ...event, action: 'invoices.purge' })],
    ['another resource', event => ({ ...event, resource: { type: 'order', id: '7' } })],
    ['another principal', event => ({ ...event, actor: { ...event.actor, principal: 'mallory' } })],
    ['another rule', event => ({ ...event, reasons: [{ rule: 'inspect/xss/element', message: 'no' }] })],
    [
      'a second rule',
      event => ({
        ...event,
        reasons: [...(event.reasons ?? []), { rule: 'inspect/rce/shell', message: 'no' }],
      }),
    ],
    [
      'another part that matched',
      event => ({
        ...event,
        reasons: [{ rule: 'inspect/sqli', message: 'no', evidence: { location: 'query.id', span: 'UNION' } }],
      }),
    ],
  ]
  for (const [what, change] of different)
    test(`does not hide a refusal with ${what}`, () => {
      const floods = new FloodCounter({ clock: new VirtualClock(0), each: 3, emit: () => undefined })
      const noise = {
        ...refusal('192.0.2.1', 1),
        request: { ...requestOf(refusal('192.0.2.1', 1)), route: '/**' },
      }
      for (let i = 0; i < 10; i++) floods.admits(noise)
      assert.equal(floods.admits(noise), false)
      assert.equal(floods.admits(change(noise)), true)
    })

  test('of one limit counts by route, whatever the path, and keeps a sample of the paths', () => {
    const emitted: Event[] = []
    const floods = new FloodCounter({
      clock: new VirtualClock(0),
      each: 3,
      emit: event => emitted.push(event),
    })
    for (let i = 0; i < 100; i++) {
      const { request: _, ...rest } = refusal('192.0.2.1', i)
      const request = { id: `r${i}`, method: 'GET', host: 'h', path: `/p/${i}`, query: '', route: '/p/*' }
      floods.admits({ ...rest, decision: 'throttle', guard: 'limit', request })
    }
    floods.flush()
    assert.equal(emitted.length, 1)
    assert.deepEqual(
      emitted[0]?.data?.['paths'],
      Array.from({ length: 10 }, (_, i) => `/p/${i + 3}`),
    )
  })

  test('from endlessly many addresses fills no memory, and loses no count', () => {
    const emitted: Event[] = []
    const floods = new FloodCounter({
      clock: new VirtualClock(0),
      each: 1,
      kinds: 10,
      emit: event => emitted.push(event),
    })
    let admitted = 0
    for (let i = 0; i < 3_000; i++)
      if (floods.admits(refusal(`192.0.2.${Math.floor(i / 3) % 250}`, i))) admitted++
    floods.flush()
    const counted = emitted.reduce((total, { data }) => total + Number(data?.['count']), 0)
    assert.equal(admitted + counted, 3_000)
    assert.equal(counted, floods.coalesced)
  })

  test('does not swallow what was allowed, or anything that is not a request', () => {
    const floods = new FloodCounter({ clock: new VirtualClock(0), each: 1, emit: () => assert.fail() })
    for (let i = 0; i < 50; i++) {
      assert.equal(floods.admits(requestEvent(1)), true)
      assert.equal(floods.admits({ type: 'login.failed', time: 0, actor: {}, decision: 'deny' }), true)
    }
  })
})

describe('an event', () => {
  const wrong: readonly (readonly [string, object])[] = [
    ['a Date for a time', { time: new Date(0) }],
    ['no time', { time: Number.NaN }],
    ['no actor', { actor: undefined }],
    ['a number for a principal', { actor: { principal: 7 } }],
    ['an object for an action', { action: { name: 'x' } }],
    ['a number for an id', { resource: { type: 'order', id: 7 } }],
    ['a type without letters', { type: '' }],
    ['reasons without rules', { reasons: [{}] }],
    ['half a request', { request: { id: 'x' } }],
  ]

  test('that is invalid is refused, or lost and counted, and keeps nothing behind it from being published', async () => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin: 'shop.example.com/audit' })
    for (const [name, changes] of wrong) {
      const event: Event = { ...requestEvent(1), ...changes }
      await assert.rejects(log.commit(event), ConfigError, name)
      log.record(event)
    }
    assert.equal(log.counts().lost, wrong.length)
    assert.equal((await log.append(requestEvent(2))).index, 0n)
    assert.equal(log.health().ok, true)
    await log.close()
    const { ok, size } = await verifyDirectory(directory)
    assert.deepEqual([ok, Number(size)], [true, 2])
  })

  test('keeps nothing readable that a caller chose: host, method, path, query, evidence and exception', () => {
    const secret = 'alice:hunter2'
    const event: Event = {
      type: 'http',
      time: 0,
      actor: { address: '192.0.2.1' },
      request: {
        id: 'r',
        method: `X-${secret}`,
        host: `${secret}@shop`,
        path: `/u/${secret}`,
        query: `t=${secret}`,
      },
      decision: 'deny',
      reasons: [
        {
          rule: 'inspect/sqli',
          message: 'no',
          evidence: { location: `body.${secret}`, span: secret },
          exception: { changes: [{ at: ['routes', `GET /u/${secret}`, 'maxBody'], set: 1 }] },
        },
      ],
      data: { note: secret },
    }
    const { open, personal } = splitEvent(event)
    assert.ok(!JSON.stringify(open).includes(secret))
    assert.deepEqual(joinEvent(open, personal ?? {}), event)
  })

  test('of a leaf that was written with its host in the open is read as before', () => {
    const { open, personal } = splitEvent(requestEvent(1))
    const { host: _, ...before } = personal ?? {}
    const old = { ...open, request: { ...requestOf(open), host: 'shop.example' } }
    assert.equal(joinEvent(old, before).request?.host, 'shop.example')
  })

  test('comes back from its parts as it was, and the open part names nobody', () => {
    const text = fc.string({ minLength: 1, maxLength: 12 })
    const event = fc.record(
      {
        type: fc.constant('http'),
        time: fc.integer({ min: 0, max: 4e12 }),
        actor: fc.record(
          { address: text, principal: text, tenant: text, device: text, agent: text },
          { requiredKeys: ['principal'] },
        ),
        request: fc.record({ id: text, method: text, host: text, path: text, query: text }),
        reasons: fc.array(
          fc.record(
            { rule: text, message: text, evidence: fc.record({ location: text }) },
            { requiredKeys: ['rule', 'message'] },
          ),
          { minLength: 1 },
        ),
        data: fc.dictionary(text, text),
      },
      { requiredKeys: ['type', 'time', 'actor'] },
    )
    fc.assert(
      fc.property(event, value => {
        const plain = JSON.parse(JSON.stringify(value)) as Event
        const { open, personal } = splitEvent(plain)
        assert.deepEqual(joinEvent(open, personal ?? {}), plain)
        assert.deepEqual(
          Object.keys(open.actor).filter(key => key !== 'tenant'),
          [],
        )
        assert.equal(open.data, undefined)
        assert.equal(open.request?.path ?? '', '')
      }),
    )
  })

  test('of any size becomes an entry of at most 65,535 bytes; what is too large stands as its hash', () => {
    const key = { id: '00'.repeat(16), key: Buffer.alloc(32, 1) }
    const huge = 'ü'.repeat(100_000)
    const events: readonly Event[] = [
      requestEvent(1, { data: { huge } }),
      requestEvent(1, { data: { fits: 'x'.repeat(44_000) } }),
      requestEvent(1, {
        reasons: Array.from({ length: 500 }, () => ({
          rule: 'r',
          message: huge.slice(0, 900),
          evidence: { location: huge.slice(0, 900) },
        })),
      }),
      requestEvent(1, { action: huge }),
      requestEvent(1, { actor: { principal: huge, tenant: 't' } }),
    ]
    for (const event of events) {
      const text = eventText(event)
      const leaf = composeLeaf({
        event: JSON.parse(text) as Event,
        index: 0,
        number: 1,
        origin: 'o',
        key,
        salt: new Uint8Array(12),
      })
      assert.ok(leaf.length <= 65_535, `${leaf.length} bytes`)
      const { entry } = openEntry(leaf, 0, 'o', { byId: () => key })
      const replaced = entry.event.data?.['replaced']
      if (replaced !== undefined) assert.match(String(entry.event.data?.['sha256']), /^[0-9a-f]{64}$/)
      assert.equal(entry.event.type, 'http')
    }
    assert.equal(JSON.parse(eventText(events[1] as Event)).data.fits.length, 44_000)
  })

  test('that cannot be written down is lost and counted, not thrown at a request', async () => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin: 'log.example' })
    const data: Record<string, unknown> = {}
    data['self'] = data
    log.record({ type: 'x', time: 0, actor: {}, data: data as NonNullable<Event['data']> })
    await log.commit(requestEvent(1))
    assert.equal(log.counts().lost, 1)
    await log.close()
    const reader = readAuditLog(directory)
    assert.deepEqual(
      (await collect(reader.entries(0n))).map(({ event }) => event.type),
      ['http', 'audit.lost'],
    )
    reader.close()
  })
})

describe('the log', () => {
  test('keeps its order when the clock goes backwards, and is still found by time', async () => {
    const directory = freshDirectory()
    const clock = new VirtualClock(Date.UTC(2026, 5, 1))
    const log = await openAuditLog({ directory, origin: 'log.example', clock })
    const times: number[] = []
    for (const step of [0, -86_400_000, -20 * 365 * 86_400_000, 1_000, Number.NaN]) {
      if (!Number.isNaN(step)) clock.step(clock.now() + step)
      times.push(clock.now())
      await log.commit(requestEvent(1, { time: clock.now(), actor: { address: '192.0.2.1' } }))
    }
    const found: number[] = []
    for await (const entry of log.query({ from: times[1] ?? 0, to: (times[0] ?? 0) + 1, order: 'oldest' }))
      found.push(Number(entry.index))
    assert.deepEqual(found, [0, 1])
    await log.close()
    assert.equal((await verifyDirectory(directory)).ok, true)
  })

  test('enters what was meant before it is done, and what came of it after', async () => {
    const directory = freshDirectory()
    const log = await openAuditLog({ directory, origin: 'log.example' })
    const intent = requestEvent(1, { action: 'orders.purge', data: { rows: 500 } })
    let seen = -1
    const result = await log.around(intent, async () => {
      seen = log.counts().durable
      return 'done'
    })
    assert.deepEqual([result, seen], ['done', 1])
    await assert.rejects(
      log.around(intent, async () => {
        throw new RangeError('secret of the database')
      }),
      RangeError,
    )
    await log.close()
    const reader = readAuditLog(directory)
    const facts = (await collect(reader.entries(0n))).map(({ event }) => [
      event.data?.['phase'],
      event.data?.['ok'],
      event.data?.['intent'],
      event.data?.['error'],
    ])
    assert.deepEqual(facts, [
      ['intent', undefined, undefined, undefined],
      ['outcome', true, '0', undefined],
      ['intent', undefined, undefined, undefined],
      ['outcome', false, '2', 'RangeError'],
    ])
    reader.close()
    let acted = false
    await assert.rejects(
      log.around(intent, async () => {
        acted = true
      }),
    )
    assert.equal(acted, false)
  })
})
