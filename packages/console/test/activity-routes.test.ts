import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '@postern/core'
import { schemaOfShape } from '../src/api/api-shape.ts'
import { matchApi } from '../src/api/console-api.ts'
import type { ConsoleParts } from '../src/api/console-parts.ts'
import type { StoredEvent } from '../src/traffic/traffic-event.ts'
import type { FalsePositive } from '../src/traffic/traffic-store.ts'
import { NO_TRAFFIC, testParts } from './support/console-parts.ts'
import { refusal, request } from './support/events.ts'
import { misfits } from './support/fits-schema.ts'

type Answer = Readonly<Record<string, unknown>>

async function call(
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  given: Partial<ConsoleParts>,
  { query = '', body = {} }: { readonly query?: string; readonly body?: Answer } = {},
): Promise<{ readonly answer: Answer; readonly acts: readonly string[] }> {
  const { parts, acts, close } = await testParts(given)
  try {
    const matched = matchApi(method, path)
    assert.ok(matched !== undefined, path)
    const session = { name: 'ann', roles: new Set(['viewer', 'operator'] as const) }
    const asked = { parts, session, path: matched.path, query: new URLSearchParams(query), body }
    const answer = JSON.parse(JSON.stringify(await matched.route.handle(asked))) as Answer
    assert.deepEqual(misfits(answer, schemaOfShape(matched.route.shape ?? {})), [])
    return { answer, acts: acts.map(({ action }) => action) }
  } finally {
    await close()
  }
}

const NOW = 1_800_000_000_000
const HOUR = Math.floor(NOW / 3_600_000)

test('the heat map has every hour of its span, and countries by what was refused', async () => {
  const traffic = {
    ...NO_TRAFFIC,
    places: async () => [
      { hour: HOUR, country: 'DE', requests: 10, refused: 1 },
      { hour: HOUR, country: 'BR', requests: 3, refused: 3 },
      { hour: HOUR - 23, country: '', requests: 5, refused: 2 },
      { hour: HOUR - 999, country: 'FR', requests: 5, refused: 2 },
    ],
  }
  const { answer } = await call('GET', '/activity', { traffic }, { query: 'days=1' })
  const hours = answer['hours'] as readonly { readonly requests: number; readonly refused: number }[]
  assert.equal(hours.length, 24)
  assert.deepEqual([hours[0]?.refused, hours[23]?.requests, hours[23]?.refused], [2, 13, 4])
  assert.deepEqual(
    (answer['countries'] as readonly { readonly country: string }[]).map(({ country }) => country),
    ['BR', 'DE'],
  )
  assert.equal((await call('GET', '/activity', {})).answer['known'], false)
})

test('the graph joins actors with what they touched, and says what found no room', async () => {
  const touched = (principal: string, id: string, more: Partial<Event> = {}): Event => ({
    type: 'act',
    time: NOW,
    actor: { principal },
    action: 'orders.read',
    resource: { type: 'order', id },
    ...more,
  })
  const events = [
    touched('alice', '7'),
    touched('alice', '7', { decision: 'deny', action: 'orders.delete' }),
    touched('bob', '7'),
    {
      type: 'http',
      time: NOW,
      actor: { address: '192.0.2.1' },
      request: { id: '1', method: 'GET', host: '', path: '/x', query: '', route: 'GET /x' },
    },
    { type: 'http', time: NOW, actor: {} },
    ...Array.from({ length: 130 }, (_, i) => touched('mallory', `m${i}`)),
  ]
  const asked: unknown[] = []
  const audit = async () =>
    ({
      async *query(query: unknown) {
        asked.push(query)
        yield* events.map((event, index) => ({ event, index: BigInt(index) }))
      },
    }) as unknown as Awaited<ReturnType<NonNullable<ConsoleParts['audit']>>>
  const { answer } = await call('GET', '/graph', { audit }, { query: 'type=order&id=7' })
  const edges = answer['edges'] as readonly Readonly<Record<string, unknown>>[]
  const alice = edges.find(({ from, to }) => from === 'principal alice' && to === 'order/7')
  assert.deepEqual(
    [alice?.['touches'], alice?.['refused'], alice?.['actions']],
    [2, 1, ['orders.read', 'orders.delete']],
  )
  assert.equal((answer['nodes'] as readonly unknown[]).length, 120)
  assert.equal(answer['left'], 16)
  assert.deepEqual((asked[0] as { readonly resource: unknown }).resource, { type: 'order', id: '7' })
  await assert.rejects(call('GET', '/graph', { audit }, { query: 'id=7' }), { status: 400 })
  await assert.rejects(call('GET', '/graph', {}), { status: 404 })
})

test('a false positive is counted by its rule, and proposes the narrowest exception without writing it', async () => {
  const marks: FalsePositive[] = []
  let isWritten = false
  const exception = { changes: [{ path: ['routes'], value: {} }] } as unknown as NonNullable<
    NonNullable<Event['reasons']>[number]['exception']
  >
  const refused: StoredEvent = {
    id: 1,
    event: { ...refusal(1), reasons: [{ rule: 'inspect/sqli/union', message: 'refused', exception }] },
    weight: 1,
    guardTimes: undefined,
    erased: false,
  }
  const parts: Partial<ConsoleParts> = {
    traffic: {
      ...NO_TRAFFIC,
      ofRequest: async id => (id.startsWith('r') ? [refused] : [{ ...refused, event: request(1) }]),
      mark: async mark => void marks.push(mark),
      marks: async () => marks,
      counts: async () => [
        {
          minute: 1,
          verdict: 'deny',
          route: '',
          rule: 'inspect/sqli/union',
          requests: 9,
          layer: 0,
          total: 0,
        },
      ],
      unmark: async () => marks.pop() !== undefined,
    },
    settings: {
      describe: () => ['except inspect/sqli/union for q'],
      edited: () => ({ path: 'postern.config.yaml', before: 'a\n', after: 'b\n' }),
      file: () => ({ path: '', text: '' }),
      write: async () => {
        isWritten = true
        return []
      },
      history: () => [],
      preview: { start: () => undefined, state: () => ({ state: 'none' }), cancel: () => undefined },
    },
  }
  const id = 'r0000000000000000001'
  const { answer, acts } = await call('POST', `/requests/${id}/false-positive`, parts, {
    body: { note: 'a book' },
  })
  assert.deepEqual(
    [answer['rule'], answer['marked'], acts],
    ['inspect/sqli/union', 1, ['false-positive.mark']],
  )
  assert.deepEqual((answer['exception'] as Answer)['lines'], ['except inspect/sqli/union for q'])
  assert.equal(isWritten, false)
  const listed = await call('GET', '/false-positives', parts)
  assert.deepEqual(listed.answer['rules'], [
    { rule: 'inspect/sqli/union', marked: 1, refused: 9, lastAt: NOW },
  ])
  const why = await call('GET', `/requests/${id}`, parts)
  assert.equal((why.answer['falsePositive'] as Answer)['note'], 'a book')
  assert.equal((await call('DELETE', `/requests/${id}/false-positive`, parts)).answer['removed'], true)
  await assert.rejects(call('POST', '/requests/a0000000000000000001/false-positive', parts), { status: 409 })
})
