import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event, Finding } from '@postern/core'
import {
  BEHAVIOUR_BOUNDS,
  idWalkDetector,
  loadScenarios,
  RespondingRules,
  scenarioDetector,
  volumeDetector,
} from '../src/index.ts'

const START = Date.UTC(2026, 0, 1)

/** The same numbers at every run (Numerical Recipes' generator). */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 4_294_967_296) * below)
  }
}

const PATHS = [
  '/',
  '/items/1',
  '/wp-login.php',
  '/.env',
  '/admin',
  '/phpmyadmin/',
  '/c99.php',
  '/login',
  '/search',
]
const QUERIES = [
  '',
  'q=shoes',
  'id=1 union select',
  'file=../../etc/passwd',
  'x=${jndi:ldap://x}',
  'a=<script>',
]

function event(time: number, next: (below: number) => number): Event {
  const isRefused = next(12) === 0
  return {
    type: 'http',
    time,
    actor: { address: `192.0.2.${next(4)}`, agent: next(9) === 0 ? 'sqlmap/1.8' : 'Mozilla/5.0' },
    request: {
      id: `r${time}`,
      method: next(5) === 0 ? 'POST' : 'GET',
      host: 'shop.example',
      path: PATHS[next(PATHS.length)] ?? '/',
      query: QUERIES[next(QUERIES.length)] ?? '',
    },
    decision: isRefused ? 'deny' : 'allow',
    ...(isRefused && { guard: 'inspect', reasons: [{ rule: 'inspect/sqli/union', message: 'refused' }] }),
    outcome: {
      status: isRefused ? 403 : ([200, 200, 404, 403, 401, 500][next(6)] ?? 200),
      duration: 3,
      bytes: 10,
      aborted: false,
    },
  }
}

const measuresOf = (findings: readonly Finding[] | undefined): readonly string[] =>
  (findings ?? []).flatMap(({ scenario, actor, respond }) =>
    respond === undefined ? [] : [`${scenario} ${actor.kind} ${actor.value} ${respond.measure}`],
  )

test('events that concern no rule change no remediation of clients who keep within the bounds', () => {
  const set = loadScenarios()
  const rules = new RespondingRules(set)
  let left = 0
  let measures = 0
  for (const seed of [1, 2, 3, 4]) {
    const next = numbers(seed)
    const whole = scenarioDetector({ scenarios: set })
    const part = scenarioDetector({ scenarios: set })
    let time = START
    for (let i = 0; i < 300; i++) {
      // At most one a second of each client: no bound is reached.
      time += 4_000
      const one = event(time, next)
      const expected = measuresOf(whole.observe(one))
      const isConcerned = rules.concern(one)
      if (!isConcerned) left++
      assert.deepEqual(isConcerned ? measuresOf(part.observe(one)) : [], expected)
      measures += expected.length
    }
  }
  assert.ok(left > 100, String(left))
  assert.ok(measures > 10, String(measures))
})

test('an ordinary request concerns no rule, and the bounds are of rules that count ordinary requests', () => {
  const rules = new RespondingRules(loadScenarios())
  const plain: Event = {
    type: 'http',
    time: START,
    actor: { address: '192.0.2.1', agent: 'Mozilla/5.0' },
    request: { id: 'r', method: 'GET', host: 'shop.example', path: '/items/1', query: 'page=2' },
    decision: 'allow',
    outcome: { status: 200, duration: 3, bytes: 10, aborted: false },
  }
  assert.equal(rules.concern(plain), false)
  assert.equal(
    rules.concern({ ...plain, outcome: { status: 404, duration: 3, bytes: 10, aborted: false } }),
    true,
  )
  assert.equal(rules.concern({ ...plain, actor: { ...plain.actor, agent: 'sqlmap/1.8' } }), true)
  assert.ok(rules.bounds.length > 0)
  assert.ok(rules.bounds.every(({ span, most }) => span > 0 && most >= 1))
})

test('the detectors of behaviour set no remediation within their bounds, and do beyond them', () => {
  const { refused, changed, bytes } = BEHAVIOUR_BOUNDS
  const actor = { principal: 'alice', address: '192.0.2.1' }
  const at = (i: number, method: string, outcome: { status: number; bytes: number }): Event => ({
    type: 'http',
    time: START + i,
    actor,
    request: { id: 'r', method, host: 'shop.example', path: `/orders/${i}`, query: '' },
    decision: 'allow',
    outcome: { ...outcome, duration: 1, aborted: false },
  })
  const walk = idWalkDetector()
  const steps = (most: number, start: number): number =>
    Array.from(
      { length: 41 },
      (_, i) =>
        measuresOf(walk.observe(at(start + i, 'GET', { status: i < most ? 404 : 200, bytes: 1 }))).length,
    ).reduce((sum, one) => sum + one, 0)
  assert.equal(steps(refused.most, 0), 0)
  assert.equal(steps(refused.most + 3, 2_000_000), 1)
  const volume = volumeDetector()
  for (let i = 0; i < changed.most; i++)
    assert.equal(volume.observe(at(i, 'DELETE', { status: 200, bytes: 0 })), undefined)
  assert.equal(volume.observe(at(0, 'GET', { status: 200, bytes: bytes.most })), undefined)
  assert.ok(measuresOf(volume.observe(at(0, 'GET', { status: 200, bytes: 20 * bytes.most }))).length > 0)
})
