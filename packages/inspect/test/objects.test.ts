import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function refusals(type: string, body: string | Uint8Array, target = '/x'): readonly string[] {
  const request = { method: 'POST', target, headers: ['content-type', type], body: Buffer.from(body) }
  return inspect(request)
    .matches.filter(match => match.score >= 5)
    .map(match => match.rule)
}

const JSON_TYPE = 'application/json'

describe('documents that build objects where they are read', () => {
  test('a prototype under a constructor, however the document came', () => {
    const text = '{"constructor":{"prototype":{"isAdmin":true}}}'
    assert.deepEqual(refusals(JSON_TYPE, text), ['prototype/nested'])
    assert.deepEqual(refusals('application/x-www-form-urlencoded', `q=${encodeURIComponent(text)}`), [
      'prototype/nested',
    ])
    assert.deepEqual(refusals(JSON_TYPE, '{"constructor":{"name":"Ferrari"},"prototype":{"year":1999}}'), [])
  })

  test('elements that are named by class, in XML under every name', () => {
    const text = '<map><entry><jdk.nashorn.internal.objects.NativeString><flags>0</flags></entry></map>'
    for (const type of ['application/xml', 'text/plain', JSON_TYPE])
      assert.ok(refusals(type, text).includes('deserialisation/xml-element'), type)
    assert.deepEqual(
      refusals('application/xml', '<beans><bean class="com.example.Shop"/><value>1</value></beans>'),
      [],
    )
  })

  test('a token that nobody signed, in a header, a cookie and a field', () => {
    const token = 'eyJ0eXAiOiJKV1QiLCJhbGciOiJOb25lIn0.eyJhZG1pbiI6dHJ1ZX0.'
    const signed = 'eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJhZG1pbiI6dHJ1ZX0.c2lnbmF0dXJlLXNpZ25hdHVyZQ'
    const sent = (headers: readonly string[]): string =>
      inspect({ method: 'GET', target: '/x', headers }).verdict
    assert.equal(sent(['authorization', `Bearer ${token}`]), 'block')
    assert.equal(sent(['cookie', `session=${token}`]), 'block')
    assert.deepEqual(refusals(JSON_TYPE, JSON.stringify({ t: token })), ['session/unsigned-token'])
    assert.equal(sent(['authorization', `Bearer ${signed}`]), 'pass')
    assert.equal(sent(['cookie', `session=${signed}`]), 'pass')
  })

  test('base64 with something behind it is decoded as lenient decoders do', () => {
    const coded = Buffer.from('O:8:"stdClass":1:{s:1:"a";i:2;}').toString('base64')
    for (const behind of ['', '\nint x = 1;\nreturn x;', ' please'])
      assert.ok(
        refusals(JSON_TYPE, JSON.stringify({ v: coded + behind })).includes('deserialisation/php'),
        behind,
      )
  })
})

describe('headers that no client sends', () => {
  test('are refused under their name alone', () => {
    for (const name of ['Proxy', 'x-middleware-subrequest', 'spring.cloud.function.routing-expression']) {
      const { matches } = inspect({ method: 'GET', target: '/', headers: [name, 'a'] })
      assert.equal(matches[0]?.rule, 'probe/internal-header', name)
    }
    const ordinary = ['proxy-connection', 'keep-alive', 'range', 'bytes=0-5', 'x-middleware', 'a']
    assert.equal(inspect({ method: 'GET', target: '/', headers: ordinary }).verdict, 'pass')
  })

  test('JSON in the text and the attributes of XML is read like JSON in JSON', () => {
    for (const body of [
      '<r><q>{"constructor":{"prototype":{"isAdmin":true}}}</q></r>',
      '<r><q>{"$nin":[1]}</q></r>',
      `<r><q a='{"a":{"$where":"1"}}'/></r>`,
    ])
      assert.equal(refusals('application/xml', body).length, 1, body)
    assert.deepEqual(refusals('application/xml', '<r><q>{"price":{"$gt":5},"name":"x"}</q></r>'), [])
  })

  test('the type of an object, under the name by which parsers look for it', () => {
    for (const object of [
      { '@type': 'java.net.Inet4Address', val: 'evil.example' },
      { __type: 'System.Diagnostics.Process' },
      { 'py/function': 'os.system' },
      { json_class: 'Gem::Installer' },
    ])
      assert.ok(refusals(JSON_TYPE, JSON.stringify(object)).includes('deserialisation/typed-value'))
    for (const object of [
      { '@class': 'java.util.ArrayList' },
      { '@type': 'Person' },
      { '@class': 'java.math.BigDecimal' },
      { type: 'java.net.URL', name: 'docs' },
    ])
      assert.deepEqual(refusals(JSON_TYPE, JSON.stringify(object)), [])
  })
})
