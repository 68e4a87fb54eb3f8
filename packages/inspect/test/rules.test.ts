import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { visitDecodings } from '../src/canonicalise/decodings.ts'
import { RuleSet } from '../src/matching/rule-set.ts'
import type { Rule } from '../src/rule/rule.ts'
import { ownRules } from '../src/rules/own-rules.ts'
import type { Place } from '../src/value/reading.ts'

const PLACES: readonly Place[] = ['query', 'form', 'body', 'path', 'name', 'header', 'cookie', 'file-name']
/** Rules about where a value stands: their cases are in tests of their own. */
const BY_NAME: readonly string[] = [
  'code/php-hook',
  'ssrf/target',
  'rfi/parameter',
  'probe/option-name',
  'rfi/root',
  'prototype/nested',
  'rce/parameter',
  'rce/short-command',
  'code/name-call',
  'sqli/quote-probe',
  'java/jndi-name',
  'upload/written-page',
  'upload/moved-page',
  'probe/header-form',
  'probe/loader-name',
  'deserialisation/typed-value',
  'java/setting-name',
  'rce/started-transport',
  'traversal/steps-in-name',
  'ssrf/file-target',
  'ssrf/target-host',
  'rce/rpc-method',
  'code/named-function',
  'crlf/field-behind',
  'rce/loading-setting',
  'rce/fetched-item',
  'nosqli/slow-pattern',
  'sqli/lookup-quote',
  'traversal/running-folder',
  'rfi/foreign-part',
  'traversal/named-step',
  'probe/granted-rights',
  'sqli/operand-condition',
  'rce/separator-first',
  'rce/given-program',
  'rfi/network-path',
]

/** @param least the score from which a hit counts */
function hits(rule: Rule, value: string, least: number): boolean {
  const rules = new RuleSet([rule])
  let hit = false
  for (const place of PLACES) {
    visitDecodings(value, place, '', reading => {
      rules.run(reading, ({ span }) => {
        if ((span.score ?? rule.score) >= least) hit = true
      })
      return hit
    })
  }
  return hit
}

describe('every rule', () => {
  test('has an id of its own that starts with its family', () => {
    const ids = ownRules.map(rule => rule.id)
    assert.equal(new Set(ids).size, ids.length)
    for (const rule of ownRules) assert.equal(rule.id.split('/')[0], rule.family)
  })

  for (const rule of ownRules) {
    test(`${rule.id} finds its attacks and leaves its neighbours alone`, () => {
      const isByName = BY_NAME.includes(rule.id)
      assert.ok(
        (rule.attacks.length > 0 || isByName) && rule.benign.length > 0,
        'a rule carries cases of both kinds',
      )
      for (const attack of rule.attacks)
        assert.ok(hits(rule, attack, 1), `should find ${JSON.stringify(attack)}`)
      for (const value of rule.benign)
        assert.ok(!hits(rule, value, Math.min(5, rule.score)), `should leave ${JSON.stringify(value)} alone`)
    })
  }
})
