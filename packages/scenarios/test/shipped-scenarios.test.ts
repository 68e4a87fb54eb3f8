import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { testScenarioCases } from '../src/scenario-cases.ts'
import { loadScenarioCases, loadScenarios } from '../src/scenario-files.ts'

const scenarios = loadScenarios()

describe('the scenarios that come with Postern', () => {
  for (const result of testScenarioCases(scenarios, loadScenarioCases())) {
    test(`${result.scenario}: ${result.name}`, () => assert.deepEqual(result.found, result.wanted))
  }

  test('each says what it finds, and each ban ends', () => {
    const list = scenarios.list()
    assert.ok(list.length >= 25)
    for (const { rule } of [...scenarios.detections, ...scenarios.correlations]) {
      assert.ok(rule.title.length > 5, rule.id)
      const { respond } = rule
      if (respond === undefined || respond.action === 'alert') continue
      assert.ok(respond.duration > 0 && respond.duration <= 86_400_000, rule.id)
    }
  })

  test('no scenario reports that has no response of its own', () => {
    for (const { rule, reports } of [...scenarios.detections, ...scenarios.correlations])
      assert.ok(!reports || rule.respond !== undefined, rule.id)
  })
})
