import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'
import type { InspectedRequest } from '../src/request/inspected-request.ts'
import { inEachPlace } from './in-each-place.ts'

const STEPS = [
  "' or .='x",
  "' or //user or '",
  "' or //* or '",
  "' or ./* or '",
  "' or ../a or '",
  "x']|*|x['",
  "'(::)or(:a:)1=1",
  "'](::)|(::)//user[('",
  'for $x in //user return $x',
  "let $x := doc('a') return $x",
  "proc:system('id')",
]

describe('a query of XML stays refused', () => {
  for (const step of STEPS)
    test(step, () => {
      refused(step)
      refused(step.replaceAll("'", '"'))
      refused(step.replaceAll(' ', '\t'))
    })
})

describe('stages that reach other collections are refused, however they are written', () => {
  for (const stage of ['$graphLookup', '$unionWith', '$lookup', '$out', '$currentOp', '$function'])
    test(stage, () => {
      const escaped = stage.replace(
        /./g,
        letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
      for (const name of [stage, escaped, `\\u0024${stage.slice(1)}`])
        assert.equal(inspect(posted(`{"q":[{"${name}":{"from":"users"}}]}`)).verdict, 'block', name)
      const [query] = Object.values(inEachPlace(`[{"${stage}":{"from":"users"}}]`))
      assert.equal(inspect(query as InspectedRequest).verdict, 'block')
    })
})

describe('a break out of a script of a database stays refused', () => {
  for (const value of [
    "'; return sleep(5000); var x='",
    "' || this.password.match(/^a/) || '",
    "'&&this['password']&&'",
    "'+(this.password)+'",
    '"||function(){return true}||"',
    "'||(function(){return 1})()||'",
    "' || (()=>true) || '",
  ])
    test(value, () => refused(value))
})

describe('lines that a server behind this one would read as orders are refused', () => {
  for (const value of [
    'x\r\nSCRIPT LOAD "return 1"\r\n',
    'x\r\nMIGRATE 192.0.2.1 6379 a 0 5000\r\n',
    'x\r\nSET a b\r\nSAVE\r\n',
    'x\r\nflush_all\r\n',
    'x\r\nCLIENT LIST\r\n',
    'x\r\nContent-Security-Policy: x',
    'x\r\nCookie: a=b',
    'x\r\nClear-Site-Data: "*"',
    'Ann\r\nBcc: v@evil.example',
    'Ann\rCc: v@evil.example',
    'Ann\\nTo: v@evil.example',
    'a@b.example\nVRFY root',
  ])
    test(JSON.stringify(value), () => {
      const { query, cookie } = inEachPlace(value)
      for (const request of [query, cookie])
        assert.equal(inspect(request as InspectedRequest).verdict, 'block')
    })
})

describe('code of Lua stays refused', () => {
  for (const value of [
    "os.execute('id')",
    "os.execute'id'",
    'os.execute[[id]]',
    "os['exe'..'cute']('id')",
    '_G["os"]["execute"]("id")',
    "redis.call('config','get','*')",
  ])
    test(value, () => refused(value))
})

describe('what only looks like these passes', () => {
  for (const value of [
    "the party ('Licensor') and/or its agents",
    "it's a (: smile :)",
    'hello\nset the table\nsave the date',
    'first line\nNote: second',
    'declare function combine(a: number): number',
    'for $5 in cash',
    "'a' or 'b'",
    'import x from "a" or ../b',
  ])
    test(JSON.stringify(value), () => {
      for (const [place, request] of Object.entries(inEachPlace(value)))
        assert.equal(inspect(request).verdict, 'pass', place)
    })
})

function posted(body: string): InspectedRequest {
  return {
    method: 'POST',
    target: '/items',
    headers: ['content-type', 'application/json'],
    body: Buffer.from(body),
  }
}

function refused(value: string): void {
  for (const [place, request] of Object.entries(inEachPlace(value)))
    assert.equal(inspect(request).verdict, 'block', `${place}: ${value}`)
}
