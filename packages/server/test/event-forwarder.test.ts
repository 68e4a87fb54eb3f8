import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Event } from '@postern/core'
import type { FromWorker } from '../src/plan/worker-plan.ts'
import { Metrics } from '../src/telemetry/metrics.ts'
import { EventForwarder } from '../src/worker/event-forwarder.ts'

function event(i: number, decision: 'allow' | 'deny'): Event {
  return { type: 'http', time: i, actor: {}, decision }
}

test('lost events are a metric', () => {
  const metrics = new Metrics()
  metrics.count({ type: 'audit.lost', time: 0, actor: {}, data: { count: 7 } })
  metrics.count({ type: 'audit.lost', time: 0, actor: {}, data: { count: 5 } })
  assert.match(metrics.page([]), /^postern_events_lost_total 12$/m)
})

describe('events of a worker', () => {
  test('keep every refusal and lose allowed requests, counted, when the main thread takes nothing', () => {
    const sent: FromWorker[] = []
    const forwarder = new EventForwarder(message => sent.push(message))
    for (let i = 0; i < 30_000; i++) {
      const one = event(i, i % 3 === 0 ? 'deny' : 'allow')
      forwarder.record(one)
      forwarder.observe(one)
    }
    forwarder.flush()
    const batches = sent.flatMap(message => (message.kind === 'events' ? [message] : []))
    const events = batches.flatMap(batch => batch.events)
    const refused = events.filter(one => one.event.decision === 'deny')
    assert.equal(refused.length, 10_000)
    assert.equal(events.length, 10_000 + 8_192)
    assert.equal(
      batches.reduce((sum, { lost }) => sum + lost, 0),
      20_000 - 8_192,
    )
    const times = events.map(one => one.event.time)
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )
    assert.ok(events.every(one => one.record === 'record'))
  })
})
