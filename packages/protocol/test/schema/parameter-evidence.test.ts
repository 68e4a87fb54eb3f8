import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  addEvidence,
  learnedType,
  mergeEvidence,
  type ParameterEvidence,
} from '../../src/schema/parameter-evidence.ts'

const DAY = 86_400_000

/** Many networks, on several days. */
function everybody(values: (actor: number) => string, actors = 60): ParameterEvidence {
  const evidence: ParameterEvidence = new Map()
  for (let actor = 0; actor < actors; actor++) {
    for (let day = 0; day < 5; day++) addEvidence(evidence, values(actor), `10.0.${actor}.0/24`, day * DAY)
  }
  return evidence
}

describe('the type of a parameter is learned', () => {
  test('from many networks on several days that agree', () => {
    assert.equal(learnedType(everybody(actor => String(actor))), 'number')
    assert.equal(learnedType(everybody(actor => (actor % 2 === 0 ? String(actor) : `item-${actor}`))), 'id')
    assert.equal(learnedType(everybody(actor => `O'Brien & Sons ${actor}`)), 'word')
    assert.equal(learnedType(everybody(() => 'Hello;\nhow are <b>you</b>?')), 'text')
  })

  test('never from one network, however much it sends', () => {
    const evidence: ParameterEvidence = new Map()
    for (let n = 0; n < 10_000; n++) addEvidence(evidence, String(n), '203.0.113.0/24', n * 600_000)
    assert.equal(learnedType(evidence), undefined)
  })

  test('never on one day', () => {
    const evidence: ParameterEvidence = new Map()
    for (let actor = 0; actor < 200; actor++) addEvidence(evidence, '5', `10.${actor}.0.0/24`, 0)
    assert.equal(learnedType(evidence), undefined)
  })

  test('not to be looser because one network, or a few, sent attacks: the parameter is unknown then, and read as such', () => {
    const evidence = everybody(actor => String(actor))
    for (let n = 0; n < 5; n++) addEvidence(evidence, "1' or '1'='1", `203.0.${n}.0/24`, n * DAY)
    assert.equal(learnedType(evidence), undefined)
  })

  test('the same whatever the order in which threads add what they saw', () => {
    const parts = [everybody(actor => String(actor), 30), everybody(actor => `a-${actor}`, 40)]
    const forth: ParameterEvidence = new Map()
    const back: ParameterEvidence = new Map()
    for (const part of parts) mergeEvidence(forth, part)
    for (const part of parts.toReversed()) mergeEvidence(back, part)
    assert.equal(learnedType(forth), learnedType(back))
    assert.deepEqual([...forth].sort(), [...back].sort())
  })
})
