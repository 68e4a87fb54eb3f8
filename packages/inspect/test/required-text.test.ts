import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { requiredText } from '../src/required-text.ts'
import { ownRules } from '../src/rules/own-rules.ts'
import { compileRequirements, TextFilter } from '../src/text-filter.ts'

const EXPRESSIONS = [
  /select\s{1,8}from/,
  /\b(?:union|except)\s{0,4}select\b/,
  /a(?:b|cd){0,3}ef/,
  /x?yz(?=ab)/,
  /(?<!q)ab[cd]e/,
  /(?:\.\.[/\\]){2}etc/,
  /['"]or['"]=/,
  /\$\{[^{}]{0,8}jndi:/,
  /(ab)\1cd/,
  /\u0041bc|\x41bd/,
  /ab{2}c|a\{2\}/,
  /(?:abc|x).y/s,
]
const PARTS = [
  'select',
  ' ',
  'from',
  'union',
  'except',
  'a',
  'b',
  'cd',
  'ef',
  'x',
  'yz',
  'ab',
  'c',
  'e',
  'q',
  '../',
]
const MORE = [
  '..\\',
  'etc',
  "'",
  '"',
  'or',
  '=',
  '${',
  'jndi:',
  'abab',
  'cd',
  'Abc',
  'bd',
  'abbc',
  'a{2}',
  'y',
  '\n',
]

function mayMatch(source: string, text: string): boolean {
  const required = requiredText(source)
  if (required === undefined) return true
  const filter = new TextFilter()
  filter.read(text)
  return filter.mayMeet(compileRequirements(required))
}

describe('what an expression requires of a text', () => {
  test('is read from its source', () => {
    assert.deepEqual(requiredText('select\\s{1,8}from'), [[['select'], ['from']]])
    assert.deepEqual(requiredText('\\b(?:union|except)\\b'), [[['union', 'except']]])
    assert.deepEqual(requiredText('abc|x[yz]w{0,4}'), [[['abc']], [['xy', 'xz']]])
    assert.deepEqual(requiredText('a(?:bc)?d'), [[['ad', 'abcd']]])
    assert.deepEqual(requiredText('(?!abc)def(?<=xyz)'), [[['def']]])
    assert.deepEqual(requiredText('(?:abc){2}'), [[['abc']]])
  })

  test('is nothing where one alternative requires nothing', () => {
    assert.equal(requiredText('abc|[^x]{3}'), undefined)
    assert.equal(requiredText('(?:abc)?'), undefined)
    assert.equal(requiredText('a|b'), undefined)
    assert.equal(requiredText('\\w\\s'), undefined)
  })

  test('stands in every text that the expression matches', () => {
    const text = fc.array(fc.constantFrom(...PARTS, ...MORE), { maxLength: 10 }).map(parts => parts.join(''))
    fc.assert(
      fc.property(text, sent => {
        const lower = sent.toLowerCase()
        for (const expression of EXPRESSIONS)
          if (expression.test(lower))
            assert.ok(mayMatch(expression.source, lower), `${expression} in ${lower}`)
      }),
      { numRuns: 400, seed: 5 },
    )
  })

  test('stands in every attack that a rule lists, whatever is written around it', () => {
    let filtered = 0
    for (const rule of ownRules) {
      if (rule.requires === undefined) continue
      filtered++
      const requirements = compileRequirements(rule.requires)
      const filter = new TextFilter()
      for (const attack of rule.attacks) {
        for (const text of [attack, `é ${attack} x`, `${attack}\n`]) {
          filter.read(text.toLowerCase())
          assert.ok(filter.mayMeet(requirements), `${rule.id}: ${text}`)
        }
      }
    }
    assert.ok(filtered > 100, `${filtered} rules require something`)
  })
})

describe('the filter of a text', () => {
  test('says no where a required text is not there', () => {
    const filter = new TextFilter()
    const requirements = compileRequirements([[['select'], ['from']], [['${']]])
    filter.read('choose from the menu')
    assert.equal(filter.mayMeet(requirements), false)
    filter.read('select one from the menu')
    assert.equal(filter.mayMeet(requirements), true)
    filter.read('costs ${x}')
    assert.equal(filter.mayMeet(requirements), true)
    filter.read('costs $ {x}')
    assert.equal(filter.mayMeet(requirements), false)
  })

  test('remembers nothing of a text when its numbers begin anew', () => {
    const filter = new TextFilter()
    const requirements = compileRequirements([[['select']]])
    filter.read('select')
    for (let i = 0; i < 65_534; i++) filter.read('')
    assert.equal(filter.mayMeet(requirements), false)
    filter.read('')
    assert.equal(filter.mayMeet(requirements), false)
    filter.read('select')
    assert.equal(filter.mayMeet(requirements), true)
  })
})
