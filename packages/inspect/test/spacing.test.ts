import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { closedUp } from '../src/canonicalise/spacing.ts'
import { inspect } from '../src/inspect.ts'
import { ownRules } from '../src/rules/own-rules.ts'
import { scanFeatures, seen } from '../src/value/features.ts'
import { WORD } from '../src/value/words.ts'

const isRefused = (value: string): boolean =>
  inspect({ method: 'GET', target: `/x?view=${encodeURIComponent(value)}`, headers: [] }).verdict === 'block'

function isSpaced(text: string): boolean {
  scanFeatures(text, 0, text.length)
  return (seen.words & WORD.spaced) !== 0
}

/** What rules of a query find as the whole of a value. */
const attacks = [
  ...new Set(
    ownRules
      .filter(rule => rule.score >= 5 && (rule.places === undefined || rule.places.includes('query')))
      .flatMap(rule => rule.attacks),
  ),
].filter(isRefused)

/** Of all attacks, at least so many are found in such a dress; where space means something, they differ. */
function assertFound(dress: (attack: string) => string, least: number): void {
  const lost = attacks.filter(attack => !isRefused(dress(attack)))
  const found = 1 - lost.length / attacks.length
  assert.ok(found >= least, `${found}: ${JSON.stringify(lost.slice(0, 20))}`)
}

describe('space that only pushes apart', () => {
  test('there are attacks to try', () => assert.ok(attacks.length > 1_500))

  for (const space of [' ', '  ', '    ', '\t', ' '.repeat(12)])
    test(`before and behind an attack, ${JSON.stringify(space)}`, () => {
      assertFound(attack => space + attack, 0.98)
      assertFound(attack => attack + space, 0.98)
    })

  for (const space of ['  ', '   ', '\t', ' \t ', ' '.repeat(12)])
    test(`inside of an attack, ${JSON.stringify(space)}`, () =>
      assertFound(attack => attack.replaceAll(' ', space), 0.97))

  test('line ends for all space', () => {
    assertFound(attack => attack.replaceAll(' ', '\n'), 0.97)
    assertFound(attack => attack.replaceAll(' ', '\r\n'), 0.97)
  })

  test('inside of brackets and around dots of a call', () => {
    for (const value of [
      "os . system ( 'id' )",
      "subprocess .run( ['id'] )",
      '$( whoami )',
      "eval ( 'x' )",
      'javascript:alert ( 1 )',
      '1;alert( 1 );//',
    ])
      assert.ok(isRefused(value), value)
    for (const value of [
      'the system ( as a whole )',
      'see ( below ) .',
      'use .net ( core )',
      'A . B . C',
      '( )',
    ])
      assert.ok(!isRefused(value), value)
  })

  test('in all parts of a request', () => {
    for (const value of ['Union            sElect', '          or true', "'     <>    'a"]) {
      const encoded = encodeURIComponent(value)
      const form = ['content-type', 'application/x-www-form-urlencoded']
      const json = ['content-type', 'application/json']
      const requests = [
        { method: 'GET', target: `/x?q=${encoded}`, headers: [] },
        { method: 'GET', target: '/x', headers: ['cookie', `q=${encoded}`] },
        { method: 'POST', target: '/x', headers: form, body: Buffer.from(`q=${encoded}`) },
        {
          method: 'POST',
          target: '/x',
          headers: json,
          body: Buffer.from(JSON.stringify({ user_id: value })),
        },
      ]
      for (const request of requests)
        assert.equal(inspect(request).verdict, 'block', `${value} ${JSON.stringify(request.headers)}`)
    }
  })
})

test('lines of a text and signs of a drawing are not joined', () => {
  assert.equal(closedUp('a  b\n  c   d'), 'a b\n  c d')
  assert.equal(closedUp('or\n1=1'), 'or 1=1')
  assert.equal(closedUp('f(1)\ng(2)'), 'f(1)\ng(2)')
  assert.equal(closedUp('  )   (   |'), ')   (   |')
  assert.equal(closedUp('the ( a ) b . c'), 'the(a) b.c')
  for (const text of [' a', 'a ', 'a  b', 'a\tb', 'f( a)', '( a)', 'a .b']) assert.ok(isSpaced(text), text)
  for (const text of ['a b c', '', 'a. b', '(a) b', '.a']) assert.ok(!isSpaced(text), text)
})

test('a text that is decoded as often as may be is not refused because it has space in it', () => {
  const comment = `4 , 5        ,          6           ,7        ],"compact": [1,2,3],
        "jsontext": "{\\\\"object\\\\":[\\\\"1 element\\\\"]}",
        "quotes": "&#34; (0x0022) %22 0x22 034 &#x22;",
        "\\/\\\\\\"\\uCAFE\\uBABE\\uAB98\\uFCDE\\ubcda\\uef4A\\b\\f\\n\\r\\t\`1~!@#$%^&*()_+-=[]{}|;:',./<>?" : "A key"`
  const { matches } = inspect({
    method: 'POST',
    target: '/comments',
    headers: ['content-type', 'application/json'],
    body: Buffer.from(JSON.stringify({ comment })),
  })
  assert.ok(!matches.some(({ rule }) => rule.startsWith('bounds/')))
})
