import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Event } from '@postern/core'
import fc from 'fast-check'
import { ScenarioSet, scenarioDetector } from '../src/index.ts'

const THRESHOLD = 12
const WINDOW = 10_000
const RULES = `
title: Many pages
name: many-pages
correlation:
  type: value_count
  rules: [page]
  group-by: [actor.address]
  timespan: 10s
  condition: { field: request.path, gte: ${THRESHOLD} }
respond: { action: alert, silence: 1s }
---
title: A page
name: page
logsource: { category: webserver }
detection:
  page: { cs-method: GET }
  condition: page
level: informational
`

function visit(address: string, path: string, time: number): Event {
  return {
    type: 'http',
    time,
    actor: { address },
    request: { id: 'r', method: 'GET', host: 'shop.example', path, query: '' },
    decision: 'allow',
    outcome: { status: 200, duration: 1, bytes: 1, aborted: false },
  }
}

function detector(): ReturnType<typeof scenarioDetector> {
  return scenarioDetector({ scenarios: ScenarioSet.parse([{ place: 'test.yml', text: RULES }]) })
}

describe('a count of distinct values', () => {
  test('begins with the first value, although groups of one value are kept apart', () => {
    const { observe } = detector()
    const others = Array.from({ length: 300 }, (_, i) => `198.51.100.${i}`)
    for (let page = 1; page <= THRESHOLD; page++) {
      const found = observe(visit('203.0.113.9', `/page/${page}`, page * 100))
      assert.equal(found?.length ?? 0, page === THRESHOLD ? 1 : 0, `page ${page}`)
      for (const other of others) assert.equal(observe(visit(other, '/', page * 100)), undefined)
    }
  })

  test('finds what a plain count of one client finds, whatever pages it reads and when', () => {
    const steps = fc.array(
      fc.record({ page: fc.integer({ min: 0, max: 20 }), wait: fc.integer({ min: 0, max: 2_500 }) }),
      { minLength: 10, maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, visits => {
        const { observe } = detector()
        const last = new Map<number, number>()
        let time = 0
        for (const { page, wait } of visits) {
          time += wait
          last.set(page, time)
          const within = [...last.values()].filter(seen => time - seen <= WINDOW).length
          const found = (observe(visit('203.0.113.9', `/p/${page}`, time))?.length ?? 0) > 0
          assert.equal(found, within >= THRESHOLD)
          if (found) return
        }
      }),
      { numRuns: 300 },
    )
  })

  test('is not started again by an attacker who returns to the first page', () => {
    const { observe } = detector()
    let found = 0
    for (let page = 1; page <= THRESHOLD; page++) {
      observe(visit('203.0.113.9', '/first', page * 100))
      found += observe(visit('203.0.113.9', `/page/${page}`, page * 100 + 1))?.length ?? 0
    }
    assert.equal(found, 1)
  })
})
