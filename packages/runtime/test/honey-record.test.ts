import assert from 'node:assert/strict'
import { test } from 'node:test'
import { honeyRecordTouched } from '@postern/remediate'
import { loadScenarios, scenarioDetector } from '@postern/scenarios'

test('a record touched outside of any request is found by the scenario', () => {
  const detector = scenarioDetector({ scenarios: loadScenarios() })
  const findings = detector.observe(
    honeyRecordTouched({
      time: 0,
      actor: { address: '192.0.2.7' },
      resource: { type: 'customer', id: 'c1' },
    }),
  )
  assert.deepEqual(
    findings?.map(finding => [finding.scenario, finding.respond?.measure]),
    [['honey-touched', 'block']],
  )
})
