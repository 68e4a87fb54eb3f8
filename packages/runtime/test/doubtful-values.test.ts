import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine, type Event, VirtualClock } from '@postern/core'
import type { Inspection } from '@postern/inspect'
import { DoubtfulValues } from '../src/content/doubtful-values.ts'

const passed = (location: string, verdict: Inspection['verdict'] = 'pass'): Inspection => ({
  verdict,
  matches: [
    { rule: 'sqli/look', family: 'sqli', location: 'query.a', score: 4, span: '', exception: '' },
    {
      rule: 'sqli/union',
      family: 'sqli',
      location,
      score: 4,
      span: '',
      exception: 'a setting',
      isDoubted: true,
    },
  ],
})

test('doubts are recorded once an hour, for a thousand places at most; refusals are not among them', () => {
  const clock = new VirtualClock()
  const engine = new Engine({ clock })
  const events: Event[] = []
  const doubts = new DoubtfulValues(event => void events.push(event))
  const tell = (inspection: Inspection): number => {
    const source = { method: 'POST', target: '/posts', headers: ['Host', 'h'], peer: '192.0.2.1' }
    doubts.record(
      engine.open({ ...source, secure: false, httpVersion: '1.1', body: undefined, native: undefined }),
      inspection,
    )
    return events.splice(0).length
  }
  assert.equal(tell(passed('body.text')), 1)
  assert.equal(tell(passed('body.text')), 0)
  assert.equal(tell(passed('body.other')), 1)
  assert.equal(tell(passed('body.third', 'block')), 0)
  clock.advance(3_600_001)
  assert.equal(tell(passed('body.text')), 1)
  for (let i = 0; i < 1_000; i++) assert.equal(tell(passed(`body.f${i}`)), 1)
  assert.equal(tell(passed('body.f999')), 0)
  assert.equal(tell(passed('body.text')), 1)
})
