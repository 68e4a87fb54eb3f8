import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Access, AccessGuard, foreignRecordDetector, recordsIssued } from '@postern/access'
import {
  Engine,
  type Event,
  type EventRecorder,
  type Principal,
  RouteTable,
  VirtualClock,
} from '@postern/core'
import { Log } from '../support/log.ts'
import { shopPolicies } from '../support/shop.ts'

const ANN: Principal = { kind: 'user', id: 'ann' }
const BOB: Principal = { kind: 'user', id: 'bob' }
const SUE: Principal = { kind: 'user', id: 'sue', roles: ['support'] }

function setting() {
  const clock = new VirtualClock()
  const log = new Log()
  const engine = new Engine({
    clock,
    guards: [new AccessGuard(new Access({ policies: shopPolicies, clock }))],
    detectors: [foreignRecordDetector()],
    recorder: log satisfies EventRecorder,
    routes: new RouteTable({
      'GET /orders/:id': {
        policy: {
          action: 'order.read',
          load: id => ({ id: Number(id), customer: id === '1' ? 'ann' : 'bob' }),
        },
      },
      'GET /invoices/:id': { owned: { type: 'invoice', except: ['support'] } },
    }),
  })
  const ask = async (principal: Principal, target: string, status = 200): Promise<void> => {
    const exchange = engine.open({
      ...{
        method: 'GET',
        target,
        headers: ['Host', 'shop.example'],
        peer: '192.0.2.1',
        secure: true,
        httpVersion: '1.1',
      },
      ...{ body: undefined, native: undefined },
    })
    exchange.principal = principal
    const said = await engine.decide(exchange)
    engine.settle(exchange, {
      status: said.effect === 'allow' ? status : said.status,
      duration: 1,
      bytes: 0,
      aborted: false,
    })
  }
  const findings = (): readonly unknown[] =>
    log.events
      .filter(({ type }: Event) => type === 'finding')
      .map(({ data }) => [data?.['scenario'], data?.['actorValue']])
  return { ask, findings, clock, log }
}

test('who is refused ten different records within ten minutes is searching, whatever the ids look like', async () => {
  const { ask, findings } = setting()
  for (let i = 0; i < 9; i++) await ask(ANN, `/orders/${(i * 7_919 + 2) % 1_000}`)
  // The same record again is not a tenth, nor is one's own.
  await ask(ANN, '/orders/2')
  await ask(ANN, '/orders/1')
  assert.deepEqual(findings(), [])
  await ask(ANN, '/orders/abc')
  assert.deepEqual(findings(), [['access/foreign-refused', 'ann']])
  for (let i = 0; i < 20; i++) await ask(ANN, `/orders/x${i}`)
  assert.equal(findings().length, 1)
})

test('a refusal now and then is not a search', async () => {
  const { ask, findings, clock } = setting()
  for (let i = 0; i < 30; i++) {
    await ask(ANN, `/orders/${i + 2}`)
    clock.advance(120_000)
  }
  assert.deepEqual(findings(), [])
})

test('a record of somebody that is answered to another is shown to people', async () => {
  const { ask, findings } = setting()
  await ask(ANN, '/invoices/7')
  await ask(ANN, '/invoices/7')
  await ask(SUE, '/invoices/7')
  await ask(BOB, '/invoices/7', 404)
  assert.deepEqual(findings(), [])
  await ask(BOB, '/invoices/7')
  await ask(BOB, '/invoices/7')
  assert.deepEqual(findings(), [['access/foreign-served', 'bob']])
})

test('events carry what the request is about, for whoever watches ids', async () => {
  const { ask, log } = setting()
  await ask(ANN, '/orders/2')
  assert.deepEqual(log.events[0]?.resource, { type: 'order', id: '2' })
  assert.deepEqual(recordsIssued(ANN, 'order', [1, 2n, 'x'], 5), {
    type: 'records.issued',
    time: 5,
    actor: { principal: 'ann' },
    resource: { type: 'order' },
    data: { ids: ['1', '2', 'x'] },
  })
})
