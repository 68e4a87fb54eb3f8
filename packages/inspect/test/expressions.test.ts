import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { inspect } from '../src/inspect.ts'
import { shapeOf } from '../src/rule/expression-shape.ts'
import type { PatternRule, Rule } from '../src/rule/rule.ts'
import { ownRules } from '../src/rules/own-rules.ts'

function isPattern(rule: Rule): rule is PatternRule {
  return 'expression' in rule
}

describe('expressions', () => {
  for (const rule of ownRules.filter(isPattern)) {
    test(`${rule.id} takes time linear in the text: every repetition has a bound`, () => {
      const shape = shapeOf(rule.expression.source)
      assert.equal(shape.unbounded, false, 'no *, + or {n,}')
      assert.ok(shape.nesting <= 2, 'repetitions are nested at most twice')
      assert.ok(shape.repetitions <= 4_096, 'and not many times')
    })
  }

  test('the shape of an expression tells unbounded and nested repetitions', () => {
    assert.equal(shapeOf('a+').unbounded, true)
    assert.equal(shapeOf('a{2,}').unbounded, true)
    assert.equal(shapeOf('[a+*]\\+{0,3}').unbounded, false)
    assert.equal(shapeOf('(?:a+b)*').nestedUnbounded, true)
    assert.equal(shapeOf('(a|b)?c+').nestedUnbounded, false)
    assert.deepEqual(shapeOf('(?:x{0,4}y){0,8}').repetitions, 32)
  })

  test('whatever is sent, inspection answers and does not throw', () => {
    const fragments = [
      "'",
      '"',
      '<',
      'a=',
      '(',
      'or 1',
      '%u',
      '&#x',
      '\\u{',
      '--',
      '`',
      '{"',
      '[',
      '$(',
      'union select ',
      '\n',
      '\u0000',
      'é',
      '=',
    ]
    const text = fc
      .array(fc.oneof(fc.constantFrom(...fragments), fc.string({ maxLength: 8 })), { maxLength: 60 })
      .map(parts => parts.join(''))
    fc.assert(
      fc.property(
        text,
        text,
        fc.constantFrom(
          'application/json',
          'text/xml',
          'application/x-www-form-urlencoded',
          'multipart/form-data; boundary=b',
          '',
        ),
        (target, body, type) => {
          const { verdict } = inspect({
            method: 'POST',
            target: `/${target}`,
            headers: ['content-type', type],
            body: Buffer.from(body),
          })
          assert.ok(['pass', 'block', 'too-big'].includes(verdict))
        },
      ),
      { numRuns: 400 },
    )
  })
})
