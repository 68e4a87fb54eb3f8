// A subdomain sets cookies for the whole site; browsers refuse it those whose name begins with __Host- or
// __Secure-. Chromium 156 was seen to store and send each of these.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Engine } from '@postern/core'
import { type ProtocolOptions, protocolGuard } from '../src/protocol-guard.ts'

/** The `Cookie` header that the backend gets. */
function seen(cookies: readonly string[], options: ProtocolOptions = {}): string | undefined {
  const engine = new Engine({ guards: [protocolGuard(options)] })
  const exchange = engine.open({
    method: 'GET',
    target: '/',
    headers: ['Host', 'shop.example', ...cookies.flatMap(cookie => ['Cookie', cookie])],
    peer: '192.0.2.7',
    secure: true,
    httpVersion: '1.1',
    body: undefined,
    native: undefined,
  })
  const decision = engine.decide(exchange)
  assert.ok(!(decision instanceof Promise) && decision.effect === 'allow')
  const changes = exchange.requestChanges
  return changes?.has('cookie') === true ? changes.get('cookie') : exchange.header('cookie')
}

describe('a cookie that a server takes for one of the host itself, and no browser', () => {
  for (const [name, planted] of [
    ['Django on ASGI', '\u00a0__Host-sid=evil'],
    ['Django on ASGI, another byte', '\u0085__Secure-sid=evil'],
    ['Django on WSGI', '\u00c2\u00a0__Host-sid=evil'],
    ['Django on WSGI, U+2000', '\u00e2\u0080\u0080__Host-sid=evil'],
    ['several bytes', ' \u00a0 \u00a0__Host-sid=evil'],
    ["Python's http.cookies", 'a=x __Host-sid=evil'],
    ['servers that obey RFC 2965', 'a=x,__Secure-sid=evil'],
    ['a quoted value', 'a="x"__Host-sid = evil'],
    ['WebOb (Pyramid)', '[__Host-sid=evil'],
    ['WebOb, in a value', 'a=x]__Host-sid=evil'],
    ['WebOb, behind a backslash', 'a="x\\__Secure-sid=evil'],
    ['WebOb, behind another name', 'x__Host-a[__Host-sid=evil'],
    ['CGI.pm, Plack and cookie of Rust', '__%48ost-sid=evil'],
    ['the same, another character', '%5F_Host-sid=evil'],
    ['the same, all characters', '%5f%5f%73%65%43%75%52%65%2d%73=evil'],
    ['CGI.pm, behind a comma', 'a=x,__Host%2Dsid=evil'],
    ['CGI.pm, a name with other characters', '__%48ost-sid:1~[2]=evil'],
    ['servers that pass over letter case', '\u00a0__hOST-sid=evil'],
  ] as const)
    test(`attack: does not reach the backend: ${name}`, () => {
      assert.equal(seen([planted]), undefined)
      assert.equal(seen([`__Host-sid=own; ${planted}; b=1`]), '__Host-sid=own; b=1')
      assert.equal(seen(['b=1', planted, '__Host-sid=own']), 'b=1; __Host-sid=own')
    })

  for (const cookie of [
    '__Host-sid=own',
    'a=1;  __Host-sid=own;\t__Secure-x="y"',
    '\u00a0sid=1; a=b c=d',
    'consent={"needed":["__Host-sid","__Secure-x"]}',
    'next=/?a=__Host-sid=1',
    'my__Host-sid=1; a-__Secure-=2',
    '__Host-a[1]=1; __Host-b%20c=2',
    'consent=%7B%22__Host-sid%22%3A1%7D; b=%5F%5F=1; my%5F_Host-sid=2',
  ])
    test(`all else goes through as it was sent: ${cookie}`, () => assert.equal(seen([cookie]), cookie))

  test('nothing is taken away where Postern only observes', () => {
    assert.equal(seen(['\u00a0__Host-sid=1'], { mode: 'observe' }), '\u00a0__Host-sid=1')
  })
})
