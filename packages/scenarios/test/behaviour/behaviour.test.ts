import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Detector, Event } from '@postern/core'
import { idWalkDetector } from '../../src/behaviour/id-walk-detector.ts'
import { sessionDriftDetector } from '../../src/behaviour/session-drift-detector.ts'
import { type Coordinates, travelDetector } from '../../src/behaviour/travel-detector.ts'
import { volumeDetector } from '../../src/behaviour/volume-detector.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

interface Act {
  readonly time?: number
  readonly principal?: string
  readonly address?: string
  readonly agent?: string
  readonly method?: string
  readonly path?: string
  readonly status?: number
  readonly bytes?: number
  readonly rows?: number
  readonly type?: string
  readonly data?: Event['data']
  readonly resource?: Event['resource']
}

const act = (one: Act): Event => ({
  type: one.type ?? 'http',
  time: one.time ?? 0,
  actor: {
    address: one.address ?? '192.0.2.7',
    principal: one.principal ?? 'alice',
    agent: one.agent ?? 'Firefox',
  },
  request: { id: 'r', method: one.method ?? 'GET', host: 'h', path: one.path ?? '/', query: '' },
  outcome: {
    status: one.status ?? 200,
    duration: 1,
    bytes: one.bytes ?? 0,
    aborted: false,
    ...(one.rows !== undefined && { rows: one.rows }),
  },
  ...(one.data !== undefined && { data: one.data }),
  ...(one.resource !== undefined && { resource: one.resource }),
})

const found = (detector: Detector, ...acts: readonly Act[]): readonly string[] =>
  acts.flatMap(one => (detector.observe(act(one)) ?? []).map(finding => finding.scenario))

describe('volume against the actor’s own history', () => {
  test('a hundred deletions are much for one who makes three a day, and nothing for one who makes thousands', () => {
    const detector = volumeDetector({ rows: 50 })
    for (let hour = 0; hour < 20; hour++) {
      assert.deepEqual(
        found(detector, { principal: 'clerk', method: 'DELETE', rows: 3, time: hour * HOUR }),
        [],
      )
      assert.deepEqual(
        found(detector, { principal: 'batch', method: 'DELETE', rows: 500, time: hour * HOUR }),
        [],
      )
    }
    assert.deepEqual(found(detector, { principal: 'clerk', method: 'DELETE', rows: 100, time: 21 * HOUR }), [
      'bulk-change',
    ])
    assert.deepEqual(
      found(detector, { principal: 'batch', method: 'DELETE', rows: 900, time: 21 * HOUR }),
      [],
    )
  })

  test('is reported once an hour, and does not become a habit at once', () => {
    const detector = volumeDetector({ rows: 50 })
    for (let hour = 0; hour < 5; hour++) found(detector, { method: 'PUT', time: hour * HOUR })
    const flood = (hour: number): readonly string[] =>
      found(detector, ...Array.from({ length: 500 }, () => ({ method: 'DELETE', time: hour * HOUR })))
    assert.deepEqual(flood(6), ['bulk-change'])
    assert.deepEqual(flood(7), ['bulk-change'])
  })

  test('an export shows in its bytes; refused requests do not count', () => {
    const detector = volumeDetector({ bytes: '1mb', factor: 5 })
    for (let hour = 0; hour < 5; hour++) found(detector, { bytes: 10_000, time: hour * HOUR })
    assert.deepEqual(found(detector, { bytes: 9_000_000, status: 403, time: 6 * HOUR }), [])
    assert.deepEqual(found(detector, { bytes: 9_000_000, time: 6 * HOUR }), ['bulk-export'])
  })

  test('somebody new is held to the floor times the factor', () => {
    const detector = volumeDetector({ rows: 50, factor: 10 })
    assert.deepEqual(found(detector, { method: 'PUT', rows: 400 }), [])
    assert.deepEqual(found(detector, { method: 'PUT', rows: 200 }), ['bulk-change'])
  })
})

describe('a walk through ids', () => {
  const walk = (make: (n: number) => Act) =>
    Array.from({ length: 60 }, (_, n) => act({ path: `/api/notes/${n + 1}`, time: n * 100, ...make(n) }))
  const responses = (events: readonly Event[]) => {
    const detector = idWalkDetector()
    return events.flatMap(event => detector.observe(event) ?? []).map(finding => finding.respond?.measure)
  }

  test('whose records are all given is reported and bans nobody: one’s own notes are read so', () =>
    assert.deepEqual(responses(walk(() => ({}))), [undefined]))
  test('that is mostly refused is held back', () =>
    assert.deepEqual(responses(walk(n => ({ status: n % 4 === 0 ? 200 : 403 }))), ['throttle']))
  test('is not made of requests that Postern refused itself', () =>
    assert.deepEqual(
      responses(walk(() => ({ status: 403 })).map(event => ({ ...event, decision: 'deny' }))),
      [],
    ))
})

describe('ids that were never issued to whoever asks for them', () => {
  test('are found also after thousands of others have asked for records', () => {
    const detector = idWalkDetector({ unissued: 10 })
    const ask = (principal: string, id: number): Act => ({
      principal,
      resource: { type: 'order', id: `order-${id}` },
    })
    detector.observe({
      type: 'records.issued',
      time: 0,
      actor: { principal: 'alice' },
      resource: { type: 'order' },
      data: { ids: ['order-1'] },
    })
    const crowd = Array.from({ length: 3_000 }, (_, n) => ask(`guest-${n}`, n))
    assert.deepEqual(found(detector, ...crowd), [])
    const search = Array.from({ length: 12 }, (_, n) => ask('alice', 100 + n * 50))
    assert.deepEqual(found(detector, ...search), ['id-unissued'])
  })
})

describe('session drift', () => {
  const from = (address: string, agent: string): Act => ({ address, agent, data: { session: 's1' } })
  const settled = (): Detector => {
    const detector = sessionDriftDetector()
    found(detector, ...Array.from({ length: 5 }, () => from('192.0.2.7', 'Firefox')))
    return detector
  }
  test('another network and another agent at once are reported, once', () => {
    const detector = settled()
    assert.deepEqual(found(detector, from('203.0.113.9', 'curl')), ['session-drift'])
    assert.deepEqual(found(detector, from('203.0.113.9', 'curl')), [])
    assert.deepEqual(found(detector, from('192.0.2.7', 'Firefox')), [])
  })
  test('a phone that changes networks and a browser that is updated are not', () => {
    assert.deepEqual(
      found(
        settled(),
        from('203.0.113.9', 'Firefox'),
        from('203.0.113.9', 'Firefox 2'),
        from('192.0.2.9', 'Firefox 2'),
      ),
      [],
    )
  })
  test('without a session nothing is said', () => {
    const detector = sessionDriftDetector()
    assert.deepEqual(
      found(detector, { agent: 'a' }, { agent: 'a' }, { agent: 'b', address: '203.0.113.9' }),
      [],
    )
  })
})

describe('impossible travel', () => {
  const places: Readonly<Record<string, Coordinates>> = {
    '192.0.2.1': { latitude: 41.9, longitude: 12.5 },
    '192.0.2.2': { latitude: 40.7, longitude: -74 },
    '192.0.2.3': { latitude: 45.5, longitude: 9.2 },
  }
  const detector = (): Detector => travelDetector({ locate: address => places[address] })
  test('Rome and New York within an hour are reported, and nothing more', () => {
    const watch = detector()
    watch.observe(act({ address: '192.0.2.1' }))
    const [finding] = watch.observe(act({ address: '192.0.2.2', time: HOUR })) ?? []
    assert.match(JSON.stringify(finding), /"impossible-travel".*km away/)
    assert.doesNotMatch(JSON.stringify(finding), /respond/)
  })
  test('the same with a night between, a neighbouring city, and an unknown address are not', () => {
    assert.deepEqual(
      found(detector(), { address: '192.0.2.1' }, { address: '192.0.2.2', time: 10 * HOUR }),
      [],
    )
    assert.deepEqual(found(detector(), { address: '192.0.2.1' }, { address: '192.0.2.3', time: MINUTE }), [])
    assert.deepEqual(
      found(detector(), { address: '192.0.2.1' }, { address: '198.51.100.1', time: MINUTE }),
      [],
    )
  })
})

describe('walks through ids', () => {
  const walk = (path: (n: number) => string, count: number, every = 1_000): readonly Act[] =>
    Array.from({ length: count }, (_, n) => ({ path: path(n), time: n * every }))
  test('counting upwards, downwards, and with gaps is found, whatever the answers', () => {
    assert.deepEqual(found(idWalkDetector(), ...walk(n => `/orders/${100 + n}`, 41)), ['id-walk'])
    // An attack: far ids between the steps.
    const far = (n: number): string => `/orders/${5e5 + ((n * 7919) % 1e5) * 10}`
    const mixed = walk(n => (n % 4 === 0 ? `/orders/${100 + n / 4}` : far(n)), 170)
    assert.deepEqual(found(idWalkDetector(), ...mixed.map(one => ({ ...one, status: 404 }))), ['id-walk'])
    const own = mixed.map((one, n) => ({ ...one, status: n % 4 === 0 ? 403 : 200 }))
    assert.deepEqual(found(idWalkDetector(), ...own), ['id-walk'])
    assert.deepEqual(found(idWalkDetector(), ...walk(n => `/orders/${900 - 3 * n}/invoice`, 41)), ['id-walk'])
  })
  test('people who open records here and there, page through lists, or are slow are not', () => {
    assert.deepEqual(found(idWalkDetector(), ...walk(n => `/orders/${(n * 7919) % 10_000}`, 200)), [])
    assert.deepEqual(found(idWalkDetector(), ...walk(n => `/list/page/${n}`, 100)), [])
    const missing = walk(n => `/orders/${(n * 7919) % 10_000}`, 200).map(one => ({ ...one, status: 404 }))
    assert.deepEqual(found(idWalkDetector(), ...missing), [])
    assert.deepEqual(found(idWalkDetector(), ...walk(n => `/orders/${n}`, 100, MINUTE)), [])
    assert.deepEqual(found(idWalkDetector(), ...walk(() => '/orders/7', 100)), [])
  })
  test('ids that were never issued to the actor are found, where the application says which were', () => {
    const ask = (id: string): Act => ({ resource: { type: 'order', id } })
    const silent = idWalkDetector()
    assert.deepEqual(found(silent, ...Array.from({ length: 50 }, (_, n) => ask(`x${n}`))), [])
    const told = idWalkDetector()
    found(told, { type: 'records.issued', resource: { type: 'order' }, data: { ids: ['a', 'b'] } })
    assert.deepEqual(
      found(told, ask('a'), ask('b'), ...Array.from({ length: 9 }, (_, n) => ask(`x${n}`))),
      [],
    )
    assert.deepEqual(found(told, ask('x9')), ['id-unissued'])
  })
})
