import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'
import { inEachPlace } from './in-each-place.ts'

/** Injections with single spaces between their words, as they stand in a query before they are disguised. */
const INJECTIONS = [
  "1' or '1'='1",
  '-1 or 6685=6685',
  '1 or not 4761=4761-- x',
  "1') and ('a'='a",
  "1' union all select null,user,null-- x",
  '1 and sleep(5)',
  "1' and (select 1 from users limit 1)='1",
  '1 and extractvalue(1,concat(0x7e,user()))',
  "1'; drop table users-- x",
  '1 rlike (select (case when (1=1) then 1 else 2 end))',
  '(select case when (3=3) then 1 else (select 2 union select 3) end)',
]

/** What databases and servers read as the injection itself, or what is left where a filter took words out. */
const DISGUISES: Readonly<Record<string, (injection: string) => string>> = {
  'with a line comment of MySQL for each space': text => between(text, '#bXq\n'),
  'with a line comment of any database for each space': text => between(text, '--bXq\n'),
  'with two line comments for each space': text => between(text, '#a\n#b\n'),
  'with an empty line comment for each space': text => between(text, '--\n'),
  'with a comment for each space': text => between(text, '/**/'),
  'with a percent sign before each character, which Active Server Pages drop': text =>
    text.replace(/\S/g, '%$&'),
  'with a percent sign inside of its words': text => text.replace(/([a-z])([g-z])/g, '$1%$2'),
  'with half a number, which MySQL passes over, before each bracket': text => text.replace(/[()]/g, ' 1.e$&'),
  'with a first byte that takes an escaping backslash with it': text => text.replaceAll("'", "\ufffd'"),
}

describe('an injection stays one', () => {
  for (const [disguise, make] of Object.entries(DISGUISES))
    test(disguise, () => {
      for (const injection of INJECTIONS) {
        const value = make(injection)
        for (const [place, request] of Object.entries(inEachPlace(value)))
          assert.equal(inspect(request).verdict, 'block', `${place}: ${value}`)
      }
    })

  test('with a star before a comment', () => {
    for (const value of ['(select*/**/from generate_series(1,2))', '(/*!SELECT*/*/*!FROM*/users)'])
      for (const [place, request] of Object.entries(inEachPlace(value)))
        assert.equal(inspect(request).verdict, 'block', `${place}: ${value}`)
  })
})

describe('a query beside what hides it', () => {
  test('counts in a field for queries, where it leaves a string', () => {
    for (const name of ['query', 'subscription_code', 'text'])
      for (const value of ["1' and (select 1 from (select sleep(6))x)='", "x') or exists(select 1)--"]) {
        const body = Buffer.from(JSON.stringify({ [name]: value }))
        const headers = ['content-type', 'application/json']
        assert.equal(
          inspect({ method: 'POST', target: '/a', headers, body }).verdict,
          'block',
          `${name}: ${value}`,
        )
      }
  })

  test('counts with a list of columns, whatever comes behind it', () => {
    for (const value of [
      'union select 1,2,3 of the best',
      'Union(Select 1,2,concat(0x3c,user())...',
      'union all select null,null and so on',
    ])
      for (const [place, request] of Object.entries(inEachPlace(value)))
        assert.equal(inspect(request).verdict, 'block', `${place}: ${value}`)
  })
})

describe('what only looks disguised passes', () => {
  const honest = [
    '# Title\nor 1 more thing\n# Next\nand so on',
    '- one -- two\n- three # four\nor five',
    '100% of 50% or 25%, and %s of %d',
    'LIKE 100%a or more',
    'width:50%;height:25%or so',
    'between 1.e and 2',
    "¿'Qué' or 'cómo'?",
    'a/**/b or src/**/*.ts',
  ]
  for (const value of honest)
    test(JSON.stringify(value), () => {
      for (const [place, request] of Object.entries(inEachPlace(value)))
        assert.equal(inspect(request).verdict, 'pass', place)
    })
})

function between(text: string, filler: string): string {
  return text.replaceAll(' ', filler)
}

/** What a query goes on with behind a number: it need not be the start of the value. */
const CONTINUED = [
  '1 and elt(1032=1032,3623)-- izgi',
  '-9356 or make_set(9354=9354,7185)',
  '1) and 3659=5475 and (8949=8949',
  '-7742) where 7842=7842 or 2062=1563',
  '1)) as goar where 2405=2405 and 5927=9731--',
  '1 and char(111)||char(77)=regexp_substring(repeat(right(char(9981),0),5000000000),null)--',
  '-81 order by 10--',
  '1" and elt(4249=4249,7259) and "tmxx"="tmxx',
  '1%")) rlike sleep(5)#',
]

/** Texts before a value, with and without quotes of their own. */
const BEFORE = ['test ', 'a,', 'id=', ':', '"', '/* x */', 'http://shop.example/a?b=', '{"a":"', 'I wrote "']

describe('a query that goes on behind a number', () => {
  for (const before of BEFORE)
    test(`behind ${before}`, () => {
      for (const value of CONTINUED)
        for (const [place, request] of Object.entries(inEachPlace(before + value)))
          assert.equal(inspect(request).verdict, 'block', `${place}: ${before}${value}`)
    })

  for (const value of [
    'if count > 3 and chr(code) == "a":',
    'the totals (see table 1) where 5 = 5 of them agree',
    'chapter 3 order by 10 December',
    'page 1 where benchmark results differ',
    'x > 1 or is_valid(y)',
  ])
    test(`honest: ${value}`, () => {
      const target = `/s?q=${encodeURIComponent(value)}`
      assert.equal(inspect({ method: 'GET', target, headers: [] }).verdict, 'pass')
    })
})
