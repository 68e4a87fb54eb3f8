import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LONG } from '../src/matching/rule-candidates.ts'
import { RuleSet } from '../src/matching/rule-set.ts'
import { TextFilter } from '../src/matching/text-filter.ts'
import { ANYWHERE } from '../src/rule/required-list.ts'
import { ExpressionReader } from '../src/rule/required-text.ts'
import type { Span } from '../src/rule/rule.ts'
import { PartSearch, type Parts, shiftOf } from '../src/rule/searched-parts.ts'
import { ownRules } from '../src/rules/own-rules.ts'
import { type Reading, readingOf } from '../src/value/reading.ts'

const attacks = ownRules.flatMap(rule => rule.attacks)
const FILLER = [
  'The chair is oak. ',
  '<td>12</td>\n',
  'x',
  ' or and select from ',
  "it's ",
  '/* */ ',
  '../',
  'é',
]

/** Attacks on all rules with much between them, up to the length of a window. */
const longText = fc
  .array(
    fc.oneof(
      fc.constantFrom(...attacks),
      fc
        .tuple(fc.constantFrom(...FILLER), fc.integer({ min: 1, max: 90 }))
        .map(([text, n]) => text.repeat(n)),
    ),
    { minLength: 2, maxLength: 12 },
  )
  .map(parts => parts.join('\n').padEnd(LONG, ' ').slice(0, 8_192))

function hitsOf(rules: RuleSet, reading: Reading): string[] {
  const hits: string[] = []
  rules.run(reading, ({ rule, span }) => hits.push(`${rule.id} ${span.start}-${span.end}`))
  return hits
}

describe('searching a long text in parts', () => {
  test('finds what a search of the whole text finds, whatever the rule', () => {
    let inParts = 0
    const divided = new RuleSet(
      ownRules.map(rule => ({
        ...rule,
        find(reading: Reading, parts?: Readonly<Parts>): Span | undefined {
          if (parts !== undefined) inParts++
          return rule.find(reading, parts)
        },
      })),
    )
    const whole = new RuleSet(
      ownRules.map(rule => ({ ...rule, find: (reading: Reading) => rule.find(reading) })),
    )
    let hits = 0
    fc.assert(
      fc.property(longText, text => {
        const head = { place: 'body', fromStart: true, isPiece: false, isEscaped: false } as const
        const expected = hitsOf(whole, readingOf(text, { name: 'note' }, head))
        assert.deepEqual(hitsOf(divided, readingOf(text, { name: 'note' }, head)), expected)
        hits += expected.length
      }),
      { numRuns: 250, seed: 11 },
    )
    assert.ok(hits > 500 && inParts > 4_000, `${hits} hits, ${inParts} searches in parts`)
  })

  test('sees what stands ahead, behind, and at both ends', () => {
    const expressions = [
      /^ab/,
      /ab$/,
      /(?:^|\n)ab\b/,
      /\bab\b(?!\s{0,8}cd)/,
      /(?<=cd\s{0,6})ab/,
      /ab(?=.{0,12}ef$)/,
      /ab.{0,20}cd|ef[^\n]{0,9}ab/,
      /(ef|gh)ab\1/,
      /ab\\$/,
      /[$]ab/,
    ]
    const parts = ['ab', 'ab', ' ', '\n', 'cd', 'ef', 'gh', '-'.repeat(7), 'x'.repeat(40), '\\', '$']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 60 }), pieces => {
        const text = pieces.join('').padEnd(40, '.')
        for (const expression of expressions) {
          const filter = new TextFilter([new ExpressionReader().read(expression.source).requires])
          filter.read(text, true)
          const where = { bits: 0, shift: 0 }
          assert.ok(filter.locate(0, where))
          const search = new PartSearch(expression)
          const found = search.first(text, where)
          assert.deepEqual(found && [found.index, found[0]], firstOf(expression, text), `${expression}`)
        }
      }),
      { numRuns: 600, seed: 3 },
    )
  })

  test('divides a text of any length in 32 parts at most', () => {
    for (const length of [1, 2, 31, 32, 33, LONG, 8_192, 8_193, 16_384, 100_000]) {
      const last = (length - 1) >> shiftOf(length)
      assert.ok(last < 32 && (last >= 16 || length <= 32), `${length}: ${last}`)
    }
  })

  test('is not done where nobody knows where to look', () => {
    const filter = new TextFilter([[[{ texts: ['select'], within: ANYWHERE }]], undefined])
    const where = { bits: 0, shift: 0 }
    filter.read('select', false)
    assert.equal(filter.locate(0, where), false)
    filter.read('select', true)
    assert.equal(filter.locate(1, where), false)
    assert.ok(filter.locate(0, where) && where.bits === 1)
  })
})

function firstOf(expression: RegExp, text: string): [number, string] | null {
  const found = expression.exec(text)
  return found && [found.index, found[0]]
}
