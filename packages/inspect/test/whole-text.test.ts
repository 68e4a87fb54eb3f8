import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { mayHavePieces } from '../src/canonicalise/pieces.ts'
import { isPlainText } from '../src/clearance/unmet-text.ts'
import { ownRuleSet } from '../src/inspect.ts'
import { RuleCandidates } from '../src/matching/rule-candidates.ts'
import { TextFilter } from '../src/matching/text-filter.ts'
import { ANYWHERE } from '../src/rule/required-list.ts'
import { signOf } from '../src/rule/required-signs.ts'
import { ExpressionReader } from '../src/rule/required-text.ts'
import { pattern } from '../src/rule/rule.ts'
import { CHAR, scanFeatures, seen } from '../src/value/features.ts'
import { PlainReading, readingOf } from '../src/value/reading.ts'

const reader = new ExpressionReader()

/** Of a few kinds: anchored or not, closed or not, with parts that may be empty, repeated and referred to. */
const EXPRESSIONS = [
  /^ab/,
  /^\s{0,2}(?:or|and)\b/,
  /^(?:'x|"y)or\s{1,4}and$/,
  /^[\w-]{0,4}['"]\)?\s{1,2}(?:or|and)\b/,
  /^(?:-?\d{1,3}['"]|x)$/,
  /^x?y{0,2}ab\b|^cd{1,3}or/,
  /ab$|^\)?or/,
  /(?:^|\s)and/,
  /^(?!ab)[abx](?:or){0,2}$/,
  /^(x|ab)\1or/,
  /^[^x]{0,3}or(?:and|\d{2})?/,
  /^(?:\bor\b|[;|]{1,2})\s{0,2}ab$/,
  /^a{2}b{1,}or/,
  /^(?:ab|or)?(?=x)x$/,
  /^x*or/,
]
const PIECES = [
  'ab',
  'or',
  'and',
  'cd',
  'd',
  'x',
  'y',
  ' ',
  '  ',
  "'",
  '"',
  ')',
  '-',
  '1',
  '12',
  ';',
  '|',
  'a',
  'b',
  'oror',
]
const text = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 8 }).map(parts => parts.join(''))

/** Where a required text begins first. */
function firstOf(sent: string, texts: readonly string[]): number {
  const found = texts
    .map(each => sent.search(new RegExp(each.replace(/[)|]/g, '\\$&').replaceAll('\b', '\\b'))))
    .filter(at => at >= 0)
  return Math.min(...found)
}

describe('what an expression asks of a text that is matched as a whole', () => {
  test('is read from its source', () => {
    for (const [source, most] of [
      ['^abc$', 3],
      ['^a{2,4}(?:bc|d)?$', 6],
      ['^a|b$', ANYWHERE],
      ['^abc', ANYWHERE],
      ['^(?:a$|bcd$)', 3],
      ['^a*$', ANYWHERE],
      ['^(a)\\1$', 2],
      ['^(?:b|(cd{0,3}))x\\1$', 9],
      ['^\\1(a)$', ANYWHERE],
      ['^(?<n>a)\\k<n>$', ANYWHERE],
      ['^a(?=b)$|^c{0,2}$', 2],
      ['^(?:a|$)', ANYWHERE],
    ] as const)
      assert.equal(reader.read(source).most ?? ANYWHERE, most, source)
    const within = (source: string): unknown =>
      reader.read(source).requires?.map(([list]) => list?.within ?? ANYWHERE)
    assert.deepEqual(within('^\\s{0,4}select|from'), [4, ANYWHERE])
    assert.deepEqual(within('^(?:[ab]{1,3}or){1,2}x'), [3])
    assert.deepEqual(within('^x{0,2}(?:ab|c{3}or)'), [5])
    assert.deepEqual(within('^x*or'), [ANYWHERE])
    const begins = (source: string, character: string): boolean => {
      const { first } = reader.read(source)
      const sign = signOf(character.charCodeAt(0))
      return first === undefined || (first.chars & sign.chars) !== 0 || (first.holds & sign.holds) !== 0
    }
    for (const [source, character, expected] of [
      ['^\\s{0,4}or', 'o', true],
      ['^\\s{0,4}or', ' ', true],
      ['^\\s{0,4}or', 'x', false],
      ['^(?:a|[bc])x|^d', 'c', true],
      ['^(?:a|[bc])x|^d', 'e', false],
      ['^(?:a|[bc])x|d', 'e', true],
      ['^a{0,2}', 'b', true],
      ['^a{0,2}$', 'b', false],
      ['^[^a]b', 'c', true],
      ['^(?!x)(?:a?)b', 'b', true],
    ] as const)
      assert.equal(begins(source, character), expected, `${source} and ${character}`)
  })

  test('holds of every text that it matches', () => {
    let met = 0
    fc.assert(
      fc.property(text, sent => {
        for (const expression of EXPRESSIONS) {
          if (!expression.test(sent)) continue
          met++
          const { requires, least, most = ANYWHERE, first } = reader.read(expression.source)
          assert.ok(least <= sent.length && sent.length <= most, `${expression}: ${sent}`)
          const sign = signOf(sent.charCodeAt(0))
          assert.ok(
            first === undefined || (first.chars & sign.chars) !== 0 || (first.holds & sign.holds) !== 0,
            `${expression} begins like ${sent}`,
          )
          assert.ok(
            requires?.some(lists =>
              lists.every(({ texts, within = ANYWHERE }) => firstOf(sent, texts) <= within),
            ) ?? true,
            `${expression} in ${sent}`,
          )
        }
      }),
      { numRuns: 4_000, seed: 8 },
    )
    assert.ok(met > 1_500, `${met} match`)
  })

  test('keeps no rule from a text that it hits', () => {
    const rules = EXPRESSIONS.map((expression, i) =>
      pattern(`sqli/${i}`, expression, { score: 5, chars: -1, words: 0, attacks: [] }),
    )
    const all = Int32Array.of(-1)
    const candidates = new RuleCandidates(rules)
    let left = 0
    let asked = 0
    fc.assert(
      fc.property(text, sent => {
        scanFeatures(sent, 0, sent.length)
        const features = { ...seen, chars: seen.chars | CHAR.space }
        candidates.open(sent, sent, features, all, true)
        candidates.filter(sent)
        for (const [index, expression] of EXPRESSIONS.entries()) {
          asked++
          const isLeft = (((candidates.rows[0] as number) >> index) & 1) === 1
          if (isLeft) left++
          else assert.ok(!expression.test(sent), `${expression}: ${sent}`)
        }
      }),
      { numRuns: 4_000, seed: 9 },
    )
    assert.ok(left < asked / 4, `${left} of ${asked} are left`)
  })

  test('says nothing of a text of which parts are looked at', () => {
    const filter = new TextFilter([reader.read('^\\s{0,4}select').requires])
    const isLet = (sent: string, isWhole: boolean): boolean => filter.read(sent, false, isWhole)[0] === 1
    assert.equal(isLet('to select', true), true)
    assert.equal(isLet('please select', true), false)
    assert.equal(isLet('please select', false), true)
  })
})

/** What is written around an attack, or instead of its start or end. */
const AROUND = [
  '',
  ' ',
  '  ',
  "'",
  '1',
  'x',
  'a ',
  '(',
  ')',
  ';',
  '|',
  ' or ',
  '--',
  '#',
  '12 ',
  "1' ",
  'id=',
  '{',
  '$',
  '!',
  '=',
  ' is ',
]

test('a text that stands for itself is found alike, read once or in full, whatever stands around it', () => {
  const reading = new PlainReading()
  const meter = { spend: () => false } as never
  const texts = ownRuleSet.rules.flatMap(({ attacks, benign }) => [...attacks, ...benign])
  let hits = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.constantFrom(...AROUND),
      fc.constantFrom(...AROUND),
      fc.nat(12),
      fc.nat(12),
      (inner, before, after, from, left) => {
        const sent = (before + inner.slice(from, inner.length - left) + after).slice(0, 256)
        scanFeatures(sent, 0, sent.length)
        const features = { ...seen }
        if (sent === '' || !isPlainText(sent, features, 'body') || mayHavePieces(sent, features.chars)) return
        const head = { place: 'body', fromStart: true, isPiece: false, isEscaped: false } as const
        let found = 0
        ownRuleSet.run(readingOf(sent, { name: '' }, head, features), () => found++)
        reading.begin(sent, 'body', features)
        assert.equal(ownRuleSet.hitsNothing(reading, meter), found === 0, sent)
        if (found > 0) hits++
      },
    ),
    { numRuns: 20_000, seed: 10 },
  )
  assert.ok(hits > 500, `${hits} hit`)
})
