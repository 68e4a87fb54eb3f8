import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isTargetClear } from '../src/clearance/target-clearance.ts'
import { inspect, ownRuleSet } from '../src/inspect.ts'
import { ownRules } from '../src/rules/own-rules.ts'

const CLEAR = [
  '/',
  '/api/items?page=2',
  '/api/items?page=2&&q=oak',
  '/a/b/c?x=',
  '/search?q=oak+chair&page=3',
]
const OPEN = [
  '/?a=1&&q=%3Cscript%3E',
  '/?q=<script>',
  '/?<script>',
  '/?a=1&<script>',
  '/?a=1&b',
  '/?a=1&=<svg/onload=x>',
  '/?<svg/onload=x>=1',
  '/a;b?q=$(id)',
  '/.git/config?a=1',
  '/?a=b=1%27',
  `/?${'a=1&'.repeat(70)}`,
  '/?sessionid=1',
]

describe('a target that needs no look', () => {
  for (const target of CLEAR) test(`is ${target}`, () => assert.ok(isTargetClear(target, ownRuleSet)))

  for (const target of OPEN)
    test(`is not ${target.slice(0, 40)}`, () => assert.ok(!isTargetClear(target, ownRuleSet)))

  test('has no value under no name that was seen as the name of a parameter', () => {
    for (let times = 0; times < 3; times++)
      assert.equal(inspect({ method: 'GET', target: '/s?phpinfo=1', headers: [] }).verdict, 'pass')
    assert.equal(inspect({ method: 'GET', target: '/s?=phpinfo', headers: [] }).verdict, 'block')
  })

  test('holds no attack of any rule, wherever in it the attack stands', () => {
    const attack = fc.constantFrom(...ownRules.flatMap(rule => rule.attacks))
    const pair = fc.constantFrom('a=1', 'page=2', '', 'q=oak+chair', 'sort=price', 'x', '=')
    const place = fc.constantFrom<(text: string) => string>(
      text => `q=${text}`,
      text => `${text}=1`,
      text => text,
      text => `=${text}`,
    )
    fc.assert(
      fc.property(
        attack,
        fc.array(pair, { maxLength: 3 }),
        fc.array(pair, { maxLength: 3 }),
        place,
        (text, before, behind, put) => {
          const target = `/s?${[...before, put(encodeURIComponent(text)), ...behind].join('&')}`
          // The reference: with a type for another parameter, no target is cleared by one scan.
          const whole = inspect(
            { method: 'GET', target, headers: [] },
            { types: { typeOf: () => undefined, declares: () => false } },
          )
          if (whole.verdict !== 'pass') assert.ok(!isTargetClear(target, ownRuleSet), target)
        },
      ),
      { numRuns: 300 },
    )
  })
})
