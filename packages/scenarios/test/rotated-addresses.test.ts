// Whoever has one address of IPv6 has billions, and may take another for each request.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Event } from '@postern/core'
import { idWalkDetector } from '../src/behaviour/id-walk-detector.ts'
import { scenarioDetector } from '../src/scenario-detector.ts'
import { loadScenarios } from '../src/scenario-files.ts'
import { ScenarioSet } from '../src/scenario-set.ts'

const START = 1_700_000_000_000

/** The nth address of a customer: in one /64, and then over the /56. */
const rotated = (n: number, network = '2001:db8:1:20'): string =>
  `${network}${(n % 256).toString(16).padStart(2, '0')}::${(n + 1).toString(16)}`

const missing = (n: number, address: string, change: Partial<Event> = {}): Event => ({
  type: 'http',
  time: START + n * 1_000,
  actor: { address },
  request: { id: `r${n}`, method: 'GET', host: 'h', path: `/old/${n}.php`, query: '' },
  outcome: { status: 404, duration: 1, bytes: 0, aborted: false },
  ...change,
})

const BASE = `
---
title: A
name: a
logsource: { category: webserver }
detection: { s: { sc-status: 404 }, condition: s }
`
const grouped = (by: string, field = ''): ScenarioSet =>
  ScenarioSet.parse([
    {
      place: 't.yml',
      text: `title: T\nname: t\ncorrelation: { type: ${field === '' ? 'event_count' : 'value_count'}, rules: [a], group-by: [${by}], timespan: 5m, condition: { ${field}gte: 20 } }\nrespond: { action: block, for: 10m, silence: 5m }${BASE}`,
    },
  ])

describe('a client that takes another IPv6 address of its network for each request', () => {
  for (const by of ['c-ip', 'actor.address', 'actor.client', 'actor.address, request.host'])
    for (const field of ['', 'field: request.path, '])
      test(`attack: is counted as one by ${by}, ${field === '' ? 'each event' : 'each page'}`, () => {
        const detector = scenarioDetector({ scenarios: grouped(by, field) })
        const found = Array.from({ length: 20 }, (_, n) =>
          (detector.observe(missing(n, rotated(n))) ?? []).map(({ scenario }) => scenario),
        )
        assert.deepEqual(found.flat(), ['t'])
        assert.equal(found.at(-1)?.length, 1)
        const others = Array.from({ length: 40 }, (_, n) =>
          detector.observe(missing(n, rotated(0, `2001:db8:${n}:30`))),
        )
        assert.deepEqual(others.filter(Boolean), [], 'other networks are other clients')
      })

  test('attack: probes for pages, and the shipped scenarios see one client', async () => {
    const detector = scenarioDetector({ scenarios: await loadScenarios() })
    const found = new Set<string>()
    for (let n = 0; n < 100; n++)
      for (const { scenario } of detector.observe(missing(n, rotated(n))) ?? []) found.add(scenario)
    assert.ok(found.has('http-probing-long'), [...found].join())
  })

  test('attack: is reported once, and not for each address', () => {
    const scenarios = ScenarioSet.parse([
      {
        place: 'd.yml',
        text: 'title: D\nname: d\nlogsource: { category: webserver }\ndetection: { s: { sc-status: 404 }, condition: s }\nlevel: low\nrespond: { action: alert, silence: 5m }\n',
      },
    ])
    const detector = scenarioDetector({ scenarios })
    let findings = 0
    for (let n = 0; n < 50; n++) findings += detector.observe(missing(n, rotated(n)))?.length ?? 0
    assert.equal(findings, 1)
  })

  test('attack: walks through ids', () => {
    const detector = idWalkDetector()
    let findings = 0
    for (let n = 0; n < 60; n++) {
      const request = { id: `r${n}`, method: 'GET', host: 'h', path: `/invoices/${1_000 + n}`, query: '' }
      findings += detector.observe(missing(n, rotated(n), { request }))?.length ?? 0
    }
    assert.equal(findings, 1)
  })

  test('attack: asks for ids that it was never given', () => {
    const detector = idWalkDetector()
    const resource = { type: 'invoice', id: 'a' }
    detector.observe(missing(0, rotated(0), { type: 'records.issued', data: { ids: ['a'] }, resource }))
    let findings = 0
    for (let n = 1; n < 20; n++)
      findings +=
        detector.observe(missing(n, rotated(n), { resource: { type: 'invoice', id: `b${n}` } }))?.length ?? 0
    assert.equal(findings, 1)
  })
})
