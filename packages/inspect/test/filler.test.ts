import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { archiveEscape } from '../src/body/archive-names.ts'
import { inspect } from '../src/inspect.ts'
import { ShellWordReader } from '../src/lex/shell-word.ts'
import { SqlGrammar } from '../src/lex/sql-grammar.ts'
import type { InspectedRequest } from '../src/request/inspected-request.ts'
import { finishSteps } from '../src/value/steps.ts'

/** Where an archive would be written to, found at once. */
function escapeOf(content: Buffer): string | undefined {
  return finishSteps(archiveEscape(content, { isPaused: false, work: () => undefined }))
}

const FORM = ['content-type', 'application/x-www-form-urlencoded']

function rulesOf(request: InspectedRequest, ownCookies: ReadonlySet<string> = new Set()): readonly string[] {
  return inspect(request, { ownCookies }).matches.map(match => match.rule)
}

function asked(value: string): InspectedRequest {
  return { method: 'GET', target: `/x?q=${encodeURIComponent(value)}`, headers: [] }
}

/** The calls of a method while something is done. */
function callsOf<K extends string>(
  prototype: Record<K, (...given: never[]) => unknown>,
  name: K,
  act: () => void,
): number {
  const method = prototype[name]
  let calls = 0
  prototype[name] = function (this: unknown, ...given: never[]) {
    calls++
    return method.apply(this, given)
  }
  try {
    act()
  } finally {
    prototype[name] = method
  }
  return calls
}

describe('harmless values beside an attack hide nothing of it', () => {
  const many = (count: number): string => Array.from({ length: count }, (_, i) => `n${i}=lamp+${i}`).join('&')
  const long = `text=${'a+lamp+for+the+desk+'.repeat(1_000)}`
  const fillers = ['', many(65), many(300), long, `${many(300)}&${long}`]

  test('an attack divided among the values of one name', () => {
    for (const [attack, rule] of [
      ["q=1'/*&q=*/union/*&q=*/select+1,2,3", 'sqli/union'],
      ['q=1+union/*&q=*/select+password+from+users--', 'sqli/union'],
      ['q=%3Cscript%3E/*&q=*/alert(1)%3C/script%3E', 'xss/element'],
    ] as const)
      for (const filler of fillers)
        for (const text of [`${filler}&${attack}`, `${attack}&${filler}`]) {
          const found = rulesOf({ method: 'GET', target: `/x?${text}`, headers: [] })
          assert.ok(found.includes(rule), `${attack} beside ${filler.length} characters: ${found}`)
          assert.ok(
            rulesOf({ method: 'POST', target: '/x', headers: FORM, body: Buffer.from(text) }).includes(rule),
          )
        }
  })

  test('values between those of an attack, under the same name', () => {
    const attack = ['q=1+union/*', 'q=*/select/*', 'q=*/password/*', 'q=*/from/*', 'q=*/users']
    const asked = (text: string): string =>
      inspect({ method: 'POST', target: '/x', headers: FORM, body: Buffer.from(text) }).verdict
    for (const part of attack) assert.equal(asked(`${part}&q=lamp`), 'pass')
    for (const count of [0, 1, 40, 2_000])
      assert.equal(asked(attack.join(`&${'q=lamp&'.repeat(count)}`)), 'block', `${count} between`)
  })

  test('a session that another site hands over', () => {
    const headers = ['host', 'shop.example', 'referer', 'https://evil.example/']
    for (const filler of fillers)
      for (const name of ['PHPSESSID', 'ours']) {
        const target = `/login?${filler}&${name}=0123456789abcdef`
        assert.ok(rulesOf({ method: 'GET', target, headers }, new Set(['ours'])).includes('session/fixation'))
      }
  })

  test('the base64 of an attack behind other parts of a value', () => {
    const coded = (text: string): string => Buffer.from(text).toString('base64').replaceAll('=', '')
    for (const count of [0, 1, 8, 40]) {
      const parts = Array.from({ length: count }, (_, i) => coded(`a lamp for the desk, number ${i}`))
      const value = [...parts, coded('<script>alert(document.cookie)</script> ')].join('.')
      assert.ok(rulesOf(asked(value)).includes('xss/element'), `${count} parts`)
    }
  })

  test('entries of an archive before one that leaves the folder', () => {
    const entry = (name: string, saidLength = name.length): Buffer => {
      const head = Buffer.alloc(30)
      head.writeUInt32BE(0x504b0304)
      head.writeUInt16LE(saidLength, 26)
      return Buffer.concat([head, Buffer.from(name)])
    }
    const slip = entry('../../x.jsp')
    for (const count of [1, 256, 5_000]) {
      const harmless = Buffer.concat(Array.from({ length: count }, (_, i) => entry(`docs/${i}.txt`)))
      assert.equal(escapeOf(Buffer.concat([harmless, slip])), '../../x.jsp', `${count} entries`)
    }
    assert.equal(escapeOf(Buffer.concat([entry('a.txt', 60_000), slip])), '../../x.jsp')
  })
})

describe('what a language passes over is passed over, however much of it there is', () => {
  test('white space, assignments and programs that run another before a command', () => {
    for (const count of [1, 4, 12, 60]) {
      const before = [
        ' \t'.repeat(count),
        ' A=1'.repeat(count),
        ' nice'.repeat(count),
        ' time A=1'.repeat(count),
      ]
      for (const text of before)
        assert.ok(rulesOf(asked(`1;${text} whoami`)).includes('rce/command'), `${text} whoami`)
    }
  })

  test('signs, terms and long strings of a condition', () => {
    for (const count of [1, 9, 14, 60])
      for (const condition of [
        `${'1+'.repeat(count)}1=${count + 1}`,
        `${'!'.repeat(count)}1=1`,
        `'${'a b '.repeat(count * 3)}'='${'a b '.repeat(count * 3)}`,
      ])
        assert.ok(rulesOf(asked(`1' or ${condition}#`)).includes('sqli/tautology'), condition)
  })

  test('each of them is read once, from wherever it is asked for', () => {
    const words = callsOf(
      ShellWordReader.prototype,
      'read',
      () => void rulesOf(asked(';time a=1'.repeat(800))),
    )
    assert.ok(words > 800 && words < 20_000, `${words} words were read`)
    const terms = callsOf(SqlGrammar.prototype, 'term', () => {
      for (const text of ["'or 1", "' + !", "'or('a'+"]) rulesOf(asked(text.repeat(700)))
      rulesOf(asked(`'or ${'1+'.repeat(3_500)}`))
    })
    assert.ok(terms > 3_500 && terms < 200_000, `${terms} terms were read`)
  })
})

test('tags inside of words are taken out of texts of any length', () => {
  for (const length of [0, 1_100, 9_000])
    for (const attack of [
      '<img src=x o<x>n<x>error=ale<x>rt(1)>',
      '"o<a>nfo</a>cus=al<b>ert(1) autofo<b>cus="',
    ]) {
      const { verdict } = inspect(asked(`${attack}${' some more text'.repeat(length / 10)}`))
      assert.equal(verdict, 'block', `${attack} before ${length} characters`)
    }
})
