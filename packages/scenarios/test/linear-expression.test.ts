import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { expressionRisk } from '../src/linear-expression.ts'

describe('expressions of users', () => {
  for (const source of [
    '^/admin(?:/|$)',
    'union\\s+select',
    '\\.(?:php|asp|jsp)$',
    '[a-z]{2,8}\\d+',
    'a.*b',
    '^/[^/]*/[^/]*/x$',
    '\\bfoo\\b',
    '(?:ab)+',
    '(?:a|b)+c',
    '(?<year>\\d{4})-\\d\\d',
    '[\\w.-]+@[0-9]+',
  ])
    test(`takes ${source}`, () => assert.equal(expressionRisk(source), undefined))

  for (const source of [
    '(a+)+',
    '(a*)*b',
    '(a|a)*',
    '(a|ab)*c',
    '(\\w+\\s?)*$',
    '.*.*x',
    'a*a*b',
    '\\s+\\s*$',
    'foo.*bar.*baz',
    '(?=a)b',
    '(?<!a)b',
    '(a)\\1',
    '(',
    'a{1,1000}a{1,1000}',
    '(?:|a)+',
    '([a-z]+)*@',
    'x'.repeat(3_000),
  ])
    test(`refuses ${source.slice(0, 40)}`, () => assert.notEqual(expressionRisk(source), undefined))

  test('what it takes stays quick on hostile texts', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      '.',
      '\\w',
      '\\s',
      '[ab]',
      '[^a]',
      '(?:a|b)',
      '(?:ab)',
      '(?:a|ab)',
      '(a)',
      '',
    )
    const sign = fc.constantFrom('', '*', '+', '?', '{2,}', '{1,3}')
    const source = fc
      .array(fc.tuple(piece, sign), { minLength: 1, maxLength: 5 })
      .map(parts => parts.map(([text, repeat]) => (text === '' ? '' : text + repeat)).join(''))
    fc.assert(
      fc.property(source, fc.constantFrom('a', 'ab', ' ', 'aab'), (text, unit) => {
        fc.pre(expressionRisk(text) === undefined)
        // Terminates within the test's patience or not at all: exponential expressions never do on this
        // length.
        new RegExp(text).test(`${unit.repeat(Math.floor(1_000 / unit.length))}!`)
        new RegExp(`${text}$`).test(`${unit.repeat(Math.floor(1_000 / unit.length))}!`)
      }),
      { numRuns: 300 },
    )
  })
})
