import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { LiveFeed, type VerdictCounts } from '../src/api/live-feed.ts'
import type { TrafficEvent } from '../src/traffic/traffic-event.ts'

function request(decision: 'allow' | 'deny', weight: number): TrafficEvent {
  const event = { type: 'http', time: 1, actor: {}, decision }
  return { event, weight, guardTimes: undefined }
}

test('of a flood the newest rows are delivered, and the others are counted by verdict', t => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  const feed = new LiveFeed()
  const got: { rows: number; missed: VerdictCounts }[] = []
  const stop = feed.listen((rows, missed) => got.push({ rows: rows.length, missed }), { name: 'ann' })
  for (let i = 0; i < 5; i++) feed.take(request('allow', 10))
  for (let i = 0; i < 203; i++) feed.take(request('deny', 1))
  mock.timers.tick(200)
  assert.deepEqual(got, [{ rows: 200, missed: { allow: 50, deny: 3 } }])
  feed.take(request('deny', 1))
  mock.timers.tick(200)
  assert.deepEqual(got[1], { rows: 1, missed: {} })
  stop?.()
})
