import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { inspect } from '../src/inspect.ts'
import { requiredBy } from '../src/matching/rule-candidates.ts'
import { RuleSet } from '../src/matching/rule-set.ts'
import { SignFilter } from '../src/matching/sign-filter.ts'
import { TextFilter } from '../src/matching/text-filter.ts'
import { ANYWHERE, type Requirement } from '../src/rule/required-list.ts'
import { ExpressionReader, type RequiredOfText } from '../src/rule/required-text.ts'
import type { Rule } from '../src/rule/rule.ts'
import { ownRules } from '../src/rules/own-rules.ts'
import { scanFeatures, seen } from '../src/value/features.ts'

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
  /\b(?:or|cd|x)\b/,
  /\bor\s{0,2}(?:a\b|\bb)/,
  /e\b|(?:b|c)\b=|\bq/,
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
  'é',
  '\u212a',
  '1',
  '_',
  'y',
  '\n',
]

/** Each asked with a reader that has read others before. */
const reader = new ExpressionReader()
const requiredText = (source: string): RequiredOfText['requires'] => reader.read(source).requires
/** The same, without how far from the start of a match the texts stand. */
const textsOf = (source: string): readonly (readonly (readonly string[])[])[] | undefined =>
  requiredText(source)?.map(lists => lists.map(({ texts }) => texts))
/** A requirement of one list, wherever its texts stand. */
const listed = (...texts: string[]): Requirement => [{ texts, within: ANYWHERE }]
const requiredSigns = (source: string): RequiredOfText['signs'] => reader.read(source).signs
const leastLength = (source: string): number => reader.read(source).least

function mayMatch(source: string, text: string): boolean {
  return isLetThrough(new TextFilter([requiredText(source)]), text)
}

/** Whether a filter lets one of its rules through, by default the first. */
function isLetThrough(filter: TextFilter, text: string, rule = 0): boolean {
  return (((filter.read(text)[rule >> 5] as number) >>> (rule & 31)) & 1) === 1
}

describe('what an expression requires of a text', () => {
  test('is read from its source', () => {
    assert.deepEqual(textsOf('select\\s{1,8}from'), [[['select'], ['from']]])
    assert.deepEqual(textsOf('\\b(?:union|except)\\b'), [[['\bunion\b', '\bexcept\b']]])
    assert.deepEqual(textsOf('\\bid(?:;|x)\\b|ab\\b='), [[['\bid;', '\bidx\b']], [['ab=']]])
    assert.deepEqual(textsOf('\\b\\.ab|ab\\(\\b|\\babc\\w'), [[['.ab']], [['ab(']], [['\babc']]])
    assert.deepEqual(textsOf('ab\\x08c|[\\b]de|[\x08]fg'), [[['ab']], [['de']], [['fg']]])
    assert.deepEqual(textsOf('abc|x[yz]w{0,4}'), [[['abc']], [['xy', 'xz']]])
    assert.deepEqual(textsOf('a(?:bc)?d'), [[['ad', 'abcd']]])
    assert.deepEqual(textsOf('(?!abc)def(?<=xyz)'), [[['def']]])
    assert.deepEqual(textsOf('(?:abc){2}'), [[['abc']]])
  })

  test('is nothing where one alternative requires nothing', () => {
    assert.equal(textsOf('abc|[^x]{3}'), undefined)
    assert.equal(textsOf('(?:abc)?'), undefined)
    assert.equal(textsOf('a|b'), undefined)
    assert.equal(textsOf('\\w\\s'), undefined)
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
    const filter = new TextFilter(ownRules.map(rule => requiredBy(rule, reader).requires))
    const filtered = ownRules.filter(rule => requiredBy(rule, reader).requires !== undefined)
    for (const rule of filtered) {
      for (const attack of rule.attacks) {
        for (const text of [attack, `é ${attack} x`, `${attack}\n`])
          assert.ok(isLetThrough(filter, text.toLowerCase(), ownRules.indexOf(rule)), `${rule.id}: ${text}`)
      }
    }
    assert.ok(filtered.length > 100, `${filtered.length} rules require something`)
  })
})

describe('the least length that an expression matches', () => {
  test('is read from its source', () => {
    for (const [source, least] of [
      ['select\\s{1,8}from', 11],
      ['abc|x[yz]w{0,4}', 2],
      ['a(?:bc)?d', 2],
      ['(?!abc)def(?<=xyz)', 3],
      ['(?:abc){2,9}', 6],
      ['(?:ab|c)+\\b$', 1],
      ['([a-z]{3})\\1', 3],
      ['\\u0041\\x41\\d.', 4],
      ['^a*$', 0],
    ] as const)
      assert.equal(leastLength(source), least, source)
  })

  test('is no longer than what it matches in the attacks that its rule lists', () => {
    for (const rule of ownRules) {
      if (!('expression' in rule && rule.expression instanceof RegExp)) continue
      for (const attack of rule.attacks) {
        const found = rule.expression.exec(attack.toLowerCase()) ?? rule.expression.exec(attack)
        if (found !== null)
          assert.ok(requiredBy(rule, reader).least <= found[0].length, `${rule.id}: ${attack}`)
      }
    }
  })

  test('is no longer than any text that the expression matches', () => {
    const text = fc.array(fc.constantFrom(...PARTS, ...MORE), { maxLength: 6 }).map(parts => parts.join(''))
    fc.assert(
      fc.property(text, sent => {
        for (const expression of EXPRESSIONS) {
          const found = expression.exec(sent)
          if (found !== null) assert.ok(leastLength(expression.source) <= found[0].length, `${expression}`)
        }
      }),
      { numRuns: 400, seed: 6 },
    )
  })
})

describe('the filter of a text', () => {
  test('says no where a required text is not there', () => {
    const filter = new TextFilter([[[...listed('select'), ...listed('from')], listed('${')]])
    assert.equal(isLetThrough(filter, 'choose from the menu'), false)
    assert.equal(isLetThrough(filter, 'select one from the menu'), true)
    assert.equal(isLetThrough(filter, 'costs ${x}'), true)
    assert.equal(isLetThrough(filter, 'costs $ {x}'), false)
  })

  test('lets through the rules that require nothing, and tells the others apart', () => {
    const requirements = Array.from({ length: 70 }, (_, i) => (i === 40 ? undefined : [listed(`text${i}.`)]))
    const filter = new TextFilter(requirements)
    const letThrough = (text: string): readonly number[] =>
      requirements.flatMap((_, i) => (isLetThrough(filter, text, i) ? [i] : []))
    assert.deepEqual(letThrough(''), [40])
    assert.deepEqual(letThrough('text3. text33. text69'), [3, 33, 40])
    assert.deepEqual(letThrough('text69.text31.'), [31, 40, 69])
  })

  test('lets through exactly the rules of which a text stands in what is read', () => {
    // Texts that share characters, of all lengths, with signs and letters beyond ASCII among them.
    const texts = [
      'or',
      '$(',
      '://',
      'x://',
      'data://',
      'a://b',
      '://a',
      'union',
      'onion',
      'éa',
      'aé',
      '日本語',
      '0x2e',
    ]
    const filter = new TextFilter(texts.map(text => [listed(text)]))
    const pieces = [...texts, 'o', 'r', '/', ':', 'u', 'a', 'b', 'é', ' ', '0', 'P', 'X://', '日', '本']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), parts => {
        const sent = parts.join('')
        texts.forEach((text, rule) => {
          assert.equal(
            isLetThrough(filter, sent, rule),
            sent.toLowerCase().includes(text),
            `${text}: ${sent}`,
          )
        })
      }),
      { numRuns: 2_000, seed: 7 },
    )
  })

  test('lets a whole word through, and no longer one that holds it', () => {
    const filter = new TextFilter([
      requiredText('\\bor\\b'),
      requiredText('\\bunion'),
      requiredText('from\\b'),
    ])
    const letThrough = (text: string): readonly number[] =>
      [0, 1, 2].filter(rule => isLetThrough(filter, text, rule))
    for (const [text, rules] of [
      ['or', [0]],
      ['a or b', [0]],
      ['(OR)', [0]],
      // As in an expression, what is not ASCII ends a word.
      ['éoré', [0]],
      ['for', []],
      ['order', []],
      ['1or', []],
      ['or_', []],
      ['unions', [1]],
      ['reunion', []],
      ['reunion union', [1]],
      ['wherefrom', [2]],
      ['fromage', []],
      ['fromage from', [2]],
    ] as const)
      assert.deepEqual(letThrough(text), rules, text)
  })

  test('remembers nothing of the text before', () => {
    const filter = new TextFilter([[listed('select')]])
    assert.equal(isLetThrough(filter, 'select'), true)
    assert.equal(isLetThrough(filter, 'sel'), false)
    assert.equal(isLetThrough(filter, 'ect'), false)
    assert.equal(isLetThrough(filter, 'select'), true)
  })
})

/** Whether a filter lets the only rule of a set through. */
function holdsSigns(filter: SignFilter, text: string): boolean {
  scanFeatures(text, 0, text.length)
  const rows = Int32Array.of(1)
  filter.keepMet(rows, seen.chars, seen.holds)
  return rows[0] === 1
}

describe('the kinds of characters that an expression requires', () => {
  test('are read from its source', () => {
    for (const [source, text, isMet] of [
      ['select\\s{1,8}from', 'molest frc', true],
      ['select\\s{1,8}from', 'select_from', false],
      ['(?:\\{\\{|\\[)\\d{1,4}[*+-]\\d', '{{1', false],
      ['(?:\\{\\{|\\[)\\d{1,4}[*+-]\\d', '1+[', true],
      ['abc|x[yz]w{0,4}', 'xa', false],
      ['abc|x[yz]w{0,4}', 'zX', true],
      ['a(?:bc)?d', 'da', true],
      ['(?!abc)d(?<=xyz)', 'd', true],
      ['[a-f\\d]{2}', 'xyz', false],
      ['[a-f\\d]{2}', '7', true],
      ['[^a]b', 'b', true],
      ['\\x27or', "ro'", true],
      ['\\u00acx', 'x', false],
      ['\\u00acx', 'xé', true],
      ['A', 'a', true],
    ] as const) {
      assert.equal(holdsSigns(new SignFilter([requiredSigns(source)]), text), isMet, `${source} in ${text}`)
    }
    assert.equal(requiredSigns('a|\\b'), undefined)
    assert.equal(requiredSigns('(?:abc)?'), undefined)
    assert.equal(requiredSigns('(x)|\\1'), undefined)
  })

  test('stand in every text that the expression matches', () => {
    const text = fc.array(fc.constantFrom(...PARTS, ...MORE), { maxLength: 10 }).map(parts => parts.join(''))
    const filters = EXPRESSIONS.map(({ source }) => new SignFilter([requiredSigns(source)]))
    fc.assert(
      fc.property(text, sent => {
        const lower = sent.toLowerCase()
        for (const [index, expression] of EXPRESSIONS.entries())
          if (expression.test(lower))
            assert.ok(holdsSigns(filters[index] as SignFilter, lower), `${expression} in ${lower}`)
      }),
      { numRuns: 400, seed: 7 },
    )
  })

  test('stand in every attack of any rule that the expression of a rule matches', () => {
    const attacks = ownRules.flatMap(rule => rule.attacks).filter(text => text.length < 512)
    let met = 0
    for (const rule of ownRules) {
      if (!('expression' in rule && rule.expression instanceof RegExp)) continue
      assert.equal(rule.expression.flags, '', `${rule.id} is read as an expression without flags`)
      const filter = new SignFilter([requiredBy(rule, reader).signs])
      for (const attack of attacks) {
        for (const text of [attack, attack.toLowerCase()]) {
          if (!rule.expression.test(text)) continue
          assert.ok(holdsSigns(filter, attack.toLowerCase()), `${rule.id}: ${attack}`)
          met++
        }
      }
    }
    assert.ok(met > 2_000, `${met} of them match`)
  })

  test('change nothing of what is found, wherever an attack stands', () => {
    const all = new RuleSet(ownRules.map(unfiltered))
    const wraps = [
      (text: string) => text,
      (text: string) => `"${text}"`,
      (text: string) => `# ${text}`,
      (text: string) => `good morning\n${text}`,
      (text: string) => `<b>${text}</b>`,
      (text: string) => `(${text})`,
    ]
    let found = 0
    for (const [index, attack] of ownRules.flatMap(rule => rule.attacks).entries()) {
      const text = wraps[index % wraps.length]?.(attack) ?? ''
      for (const request of [
        { type: 'application/json', body: JSON.stringify({ q: text, [text.slice(0, 200)]: 1 }) },
        { type: 'application/x-www-form-urlencoded', body: `q=${encodeURIComponent(text.toWellFormed())}` },
      ]) {
        const sent = {
          method: 'POST',
          target: '/',
          headers: ['content-type', request.type],
          body: Buffer.from(request.body),
        }
        const matches = inspect(sent).matches.map(({ rule, location }) => `${rule} ${location}`)
        const unfilteredMatches = inspect(sent, { rules: all }).matches.map(
          ({ rule, location }) => `${rule} ${location}`,
        )
        // Without filters a long text spends more, and once something was found in it not all of its
        // parts are looked at.
        if (text.length > 1_024) assert.ok(unfilteredMatches.every(match => matches.includes(match)))
        else assert.deepEqual(matches, unfilteredMatches, text)
        found += matches.length
      }
    }
    assert.ok(found > 2_000, `${found} matches`)
  })
})

/** A rule that looks at every text that its gates let through. */
function unfiltered(rule: Rule): Rule {
  const { needs: _, signs: __, ...rest } = rule
  return { ...rest, find: reading => rule.find(reading) }
}
