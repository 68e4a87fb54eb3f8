import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'
import { inEachPlace } from './in-each-place.ts'

const CALLS = ['alert(1)', 'confirm`1`', 'eval(name)', 'self?.alert?.(1)', 'print()']

/** Ways out of a string of a script, each with what goes on behind the call. */
const ENDS: readonly (readonly [before: string, behind: string])[] = [
  [';', '//'],
  ['-', '-'],
  ['%', '%'],
  ['<', '<'],
  ['==', '=='],
  ['&&', '&&'],
  [';\n', '\n//'],
  ['};', '{'],
  [')};', '//'],
  [';!', '//'],
  [';void(', ')//'],
  [';(()=>{', '})()//'],
  ['\u2028;', '//'],
]

describe('a way out of a string of a script stays refused', () => {
  for (const [before, behind] of ENDS)
    test(`${JSON.stringify(before)} and ${JSON.stringify(behind)}`, () => {
      for (const call of CALLS)
        for (const quote of ["'", '"', '`'])
          for (const sign of ['', '\\']) refused(`${sign}${quote}${before}${call}${behind}`)
    })

  test('in a template literal', () => {
    for (const value of ['${{}.x=alert(1)}', '${self.alert(1)}', '`;print()//', '${`${alert(1)}`}'])
      refused(value)
  })
})

test('handlers of current browsers stay refused', () => {
  for (const name of [
    'oncontentvisibilityautostatechange',
    'oncontextlost',
    'onsecuritypolicyviolation',
    'onslotchange',
    'oncommand',
    'onbeforematch',
    'onpagereveal',
    'onscrollsnapchange',
    'onpointerrawupdate',
  ])
    for (const call of ['alert(1)', 'confirm`1`', 'eval(name)'])
      for (const value of [
        `" ${name}=${call} x="`,
        `'/${name}='${call}`,
        `"\f${name.toUpperCase()}\n=\n${call} `,
      ])
        refused(value)
})

test('an address of a script stays one behind control characters', () => {
  for (const value of [
    '\u0001javascript:alert(1)',
    '\u001fjavascript:alert(1)',
    ' \u0001 javascript:alert(1)',
  ])
    refused(value)
})

test('names of prototypes in quotes, and what is left where a filter took one out', () => {
  for (const name of ['x["__proto__"][y]', "x['__proto__'].y", '__pro__proto__to__[x]'])
    for (const target of [`/a?${encodeURIComponent(name)}=1`, `/a?${name.replaceAll('"', '%22')}=1`])
      assert.equal(inspect({ method: 'GET', target, headers: [] }).verdict, 'block', target)
})

describe('words that look like these pass', () => {
  for (const value of [
    "he said 'alert' (1)",
    '"Stop", print the page',
    "it's time; print it",
    'user?.name',
    'window?.location',
    'on=1&content=2',
    "'x' == 'y'",
  ])
    test(value, () => {
      for (const [place, request] of Object.entries(inEachPlace(value)))
        assert.equal(inspect(request).verdict, 'pass', place)
    })
})

function refused(value: string): void {
  for (const [place, request] of Object.entries(inEachPlace(value)))
    assert.equal(inspect(request).verdict, 'block', `${place}: ${value}`)
}

describe('a script address that is torn in its first word', () => {
  for (const torn of [
    'ja\tvascript:',
    'j\n\nava\tscript:',
    'jav&#13ascript:',
    'jav&tab;ascript:',
    'ja&NewLine;vascript:',
  ])
    test(`${JSON.stringify(torn)} behind any text`, () => {
      for (const before of ['', '1', 'see ', 'a:', 'http://shop.example/?u=', '{"a":"'])
        for (const behind of ['alert(7)', 'alert(7) -- x', 'alert(7)\nint x = 1;']) {
          const target = `/s?q=${encodeURIComponent(before + torn + behind)}`
          assert.equal(inspect({ method: 'GET', target, headers: [] }).verdict, 'block', target)
        }
    })

  test('a line end between the words of a sentence tears nothing', () => {
    for (const text of ['We use Java\nscript: a language', 'Javascript\n: the parts', 'Ja\tva: script'])
      assert.equal(
        inspect({ method: 'GET', target: `/s?q=${encodeURIComponent(text)}`, headers: [] }).verdict,
        'pass',
      )
  })
})
