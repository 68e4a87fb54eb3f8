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

/** Groups of an expression that may be repeated often, and how often. */
function* repeatedGroups(source: string): Iterable<readonly [group: string, most: number]> {
  const open: number[] = []
  const masked = source.replace(/\\[\s\S]|\[(?:[^\]\\]|\\[\s\S])*\]/g, text => 'x'.repeat(text.length))
  for (let at = 0; at < source.length; at++) {
    if (masked[at] === '(') open.push(at)
    if (masked[at] !== ')') continue
    const group = source.slice(open.pop(), at + 1)
    const most = Number(/^\{(?:\d{1,5},)?(\d{1,5})\}/.exec(source.slice(at + 1))?.[1] ?? 0)
    if (most >= 8 && !/\(\?<?[=!]|\\[1-9]/.test(group)) yield [group, most]
  }
}

/** Whether some texts of a repeated group can be read in so many ways that nobody tries all of them. */
function isAmbiguous(group: string, most: number): boolean {
  const expression = new RegExp(`^${group}{0,${most}}\u0001$`)
  const texts = fc.sample(fc.stringMatching(new RegExp(`^${group}$`)), { numRuns: 40, seed: 1 })
  return texts.some(text => {
    const sent = text.repeat(24)
    // In one way only, it takes some microseconds; in two ways each time, 16 million steps. The quickest of
    // several counts, so that a machine that pauses says nothing.
    for (let tries = 0; tries < 5; tries++) {
      const start = performance.now()
      expression.test(sent)
      if (performance.now() - start < 40) return false
    }
    return true
  })
}

test('no repeated group of an expression can be read in two ways each time', () => {
  assert.deepEqual([...repeatedGroups('a(?:%0?\\d{0,2}x){3,64}$')], [['(?:%0?\\d{0,2}x)', 64]])
  assert.equal(isAmbiguous('(?:%0?\\d{0,2}x)', 64), true)
  assert.equal(isAmbiguous('(?:%\\d{0,3}x)', 64), false)
  let groups = 0
  for (const { id, needs = [] } of ownRules)
    for (const { source } of needs)
      for (const [group, most] of repeatedGroups(source)) {
        groups++
        assert.equal(isAmbiguous(group, most), false, `${id}: ${group}`)
      }
  assert.ok(groups > 20, `${groups} groups`)
})

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
