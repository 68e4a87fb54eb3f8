import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function rulesOf(target: string, type = '', body = ''): readonly string[] {
  const request = { method: 'POST', target, headers: ['content-type', type], body: Buffer.from(body) }
  return inspect(request)
    .matches.filter(match => match.score >= 5)
    .map(match => match.rule)
}

/** A value under a name, wherever applications take one. */
function everywhere(name: string, value: string): readonly (readonly string[])[] {
  const pair = new URLSearchParams({ [name]: value }).toString()
  const json = JSON.stringify({ [name]: value })
  return [
    rulesOf(`/x?${pair}`),
    rulesOf('/x', 'application/x-www-form-urlencoded', pair),
    rulesOf('/x', 'application/json', json),
    rulesOf('/x', 'application/json', `{"a":[{"b":${json}}]}`),
    rulesOf('/x', 'multipart/form-data; boundary=b', part(name, value)),
  ]
}

function part(name: string, value: string): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n--b--\r\n`
}

describe('what is to be one name or number', () => {
  test('a condition or a whole query there is refused, and a number of things is not', () => {
    for (const value of [
      '1 or 1',
      '2 OR 1',
      '1 xor 0',
      '1 or (true)',
      'null or 1',
      '~1 or 1',
      '1 having 1',
      'select * from a',
    ])
      for (const name of ['id', 'user_id', 'page'])
        for (const found of everywhere(name, value))
          assert.ok(found.includes('sqli/operand-condition'), `${name}=${value}: ${found}`)
    for (const value of ['5 or 6', '10 and 12', '5', '5 (old)', '5;6', '5|6', 'or', 'a or b'])
      for (const found of everywhere('id', value)) assert.deepEqual(found, [], `id=${value}`)
  })

  test('the same passes where people choose and look for words', () => {
    for (const name of ['q', 'search', 'size', 'note', 'filter', 'lang'])
      for (const found of everywhere(name, '1 or 2')) assert.deepEqual(found, [], name)
  })

  test('signs without a word are refused there, and elsewhere where both quotes stay open', () => {
    for (const value of [`1'"(),..`, `7.),"(`, `1('.,)`])
      for (const found of everywhere('id', value)) assert.ok(found.includes('sqli/signs'), value)
    for (const value of [`1'"(),..`, `1.)(("'',,`, `ann)."'(),.(`])
      for (const found of everywhere('q', value)) assert.ok(found.includes('sqli/signs'), value)
    for (const value of [':-) ;-)', `(>'')>`, `("o")`, `5' 10"`, '((( )))', `f('',"")`, `7.),"(`])
      for (const found of everywhere('q', value)) assert.deepEqual(found, [], value)
  })
})

describe('statements behind a value', () => {
  test('orders to the server are refused under every name', () => {
    for (const value of ['1;DO SLEEP(5)', '1;HANDLER a OPEN', "x';RESET MASTER--", ';vacuum', '1;kill 5'])
      for (const name of ['q', 'id', 'name'])
        for (const found of everywhere(name, value))
          assert.ok(found.includes('sqli/stacked-order'), `${name}=${value}: ${found}`)
  })

  test('sentences with the same words pass', () => {
    for (const value of [
      'mop; vacuum cleaner',
      'event; handler open day',
      'chess; reset master clocks',
      'to do; sleep 5 hours',
      'garden table; lock',
      'kill bill; 5 facts',
      '1; set the table',
      'it sounds like a sea',
      '5 div 2',
    ])
      for (const name of ['q', 'note', 'title'])
        for (const found of everywhere(name, value)) assert.deepEqual(found, [], `${name}=${value}`)
  })
})
